/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables, shared with the programs, and the worker that compiles them. One mutex guards everything, the mapping lists
 * too, but the compiling itself; what the programs read is written before the one word that lets them find it.
 */
#include "unwind/tables.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "binary/elf.h"
#include "system/address_map.h"
#include "unwind/compile.h"
#include "unwind/file_rows.h"
#include "unwind/map_lists.h"

enum table_state {
	TABLE_WAITING,
	TABLE_READY,
	TABLE_NONE,    /* no call frame information, or no room */
	TABLE_EVICTED, /* gave way to others while no process mapped its file */
};

struct table {
	struct elf *elf;
	enum table_state state;
	bool is_urgent;	      /* made before the others that wait */
	u32 index, count;     /* its words in the rows, while it is ready */
	u32 number;	      /* for what the programs remember of it; 0: nothing */
	struct map_file name; /* by which the programs find it where they have no list; inode 0: not yet known */
	struct table *next;
};

struct unwind_tables {
	struct unwind_memory memory;
	struct cfi_rules *rules;
	pthread_t worker;
	pthread_mutex_t mutex;
	pthread_cond_t requested, settled;
	struct table *tables;
	struct map_lists lists;
	u32 rules_used, numbers_used;
	bool stopping;
};

/* The oldest request, of the urgent ones if there are any; tables are kept newest first. */
static struct table *next_waiting(const struct unwind_tables *set)
{
	struct table *found = NULL;

	for (struct table *table = set->tables; table; table = table->next)
		if (table->state == TABLE_WAITING && (table->is_urgent || !found || !found->is_urgent))
			found = table;
	return found;
}

/* What a mapping row says of its table. */
static u32 row_flags(const struct table *table)
{
	if (!table || table->state == TABLE_NONE)
		return UNWIND_MAPPING_NO_TABLE;
	return table->state == TABLE_READY ? table->number << UNWIND_NUMBER_SHIFT : 0;
}

/* Tell programs that have no list. A table without a number could be taken for another that has its place. */
static void enter_file(struct unwind_tables *set, const struct table *table)
{
	bool is_ready = table->state == TABLE_READY;

	if (!table->name.inode || (is_ready ? !table->number : table->state != TABLE_NONE))
		return;
	file_rows_enter(set->memory.files, table->name.device, table->name.inode,
			(u64)row_flags(table) << 32 | (is_ready ? table->index : 0));
}

/* A file has its first name for good: where others see it under another, they have lists soon. */
static void name_file(struct unwind_tables *set, struct table *table, const struct map_file *name)
{
	if (table->name.inode || !name->inode)
		return;
	table->name = *name;
	enter_file(set, table);
}

/* The lowest place where `count` words are free; 0: none. Word 0 is never a table's. */
static u32 find_place(const struct unwind_tables *set, u32 count)
{
	u32 place = 1;
	bool moved = true;

	while (moved) {
		moved = false;
		for (const struct table *table = set->tables; table; table = table->next) {
			if (table->state != TABLE_READY || place >= table->index + table->count ||
			    place + count <= table->index)
				continue;
			place = table->index + table->count;
			moved = true;
		}
		if (count > set->memory.row_count - place)
			return 0;
	}
	return place;
}

/*
 * Tables of files that no process maps any longer give way, the oldest first. A program that is about to look into such a table has
 * the mapping list of an image that has ended, so what it finds there does not matter.
 */
static bool evict_one(struct unwind_tables *set)
{
	struct table *oldest = NULL;

	for (struct table *table = set->tables; table; table = table->next)
		if (table->state == TABLE_READY && !map_lists_has(&set->lists, table->elf))
			oldest = table;
	if (!oldest)
		return false;
	oldest->state = TABLE_EVICTED;
	file_rows_remove(set->memory.files, oldest->name.device, oldest->name.inode);
	return true;
}

/* Rules before rows, rows before the index in a mapping. */
static void upload(struct unwind_tables *set, struct table *table, const struct cfi_table *compiled)
{
	u32 rule_count, place = find_place(set, compiled->count);
	const struct unwind_rule *rules = cfi_rules_get(set->rules, &rule_count);

	while (!place && evict_one(set))
		place = find_place(set, compiled->count);
	if (!place) {
		table->state = TABLE_NONE;
		return;
	}
	memcpy(set->memory.rules + set->rules_used, rules + set->rules_used,
	       (rule_count - set->rules_used) * sizeof(*rules));
	set->rules_used = rule_count;
	memcpy(set->memory.rows + place, compiled->words, compiled->count * sizeof(*compiled->words));
	table->index = place;
	table->count = compiled->count;
	table->number = set->numbers_used < UNWIND_NUMBER_MAX ? ++set->numbers_used : 0;
	table->state = TABLE_READY;
}

static void *work(void *arg)
{
	struct unwind_tables *set = arg;

	pthread_mutex_lock(&set->mutex);
	while (!set->stopping) {
		struct table *table = next_waiting(set);
		struct cfi_table compiled;
		int err;

		if (!table) {
			pthread_cond_wait(&set->requested, &set->mutex);
			continue;
		}
		pthread_mutex_unlock(&set->mutex);
		err = cfi_compile(table->elf, set->rules, &compiled);
		pthread_mutex_lock(&set->mutex);
		if (err) {
			table->state = TABLE_NONE;
		} else {
			upload(set, table, &compiled);
			cfi_table_release(&compiled);
		}
		map_lists_enter(&set->lists, table->elf, table->state == TABLE_READY ? table->index : 0,
				row_flags(table));
		enter_file(set, table);
		pthread_cond_broadcast(&set->settled);
	}
	pthread_mutex_unlock(&set->mutex);
	return NULL;
}

static void release(struct unwind_tables *set)
{
	map_lists_release(&set->lists);
	cfi_rules_free(set->rules);
	pthread_mutex_destroy(&set->mutex);
	pthread_cond_destroy(&set->requested);
	pthread_cond_destroy(&set->settled);
	free(set);
}

int unwind_tables_new(const struct unwind_memory *memory, struct unwind_tables **ret_set)
{
	struct unwind_tables *set = calloc(1, sizeof(*set));
	int err = ENOMEM;

	if (!set)
		return -ENOMEM;
	set->memory = *memory;
	set->rules = cfi_rules_new();
	pthread_mutex_init(&set->mutex, NULL);
	pthread_cond_init(&set->requested, NULL);
	pthread_cond_init(&set->settled, NULL);
	if (set->rules && !map_lists_init(&set->lists, memory->mappings, memory->mapping_count))
		err = pthread_create(&set->worker, NULL, work, set);
	if (err)
		release(set);
	else
		*ret_set = set;
	return -err;
}

void unwind_tables_free(struct unwind_tables *set)
{
	if (!set)
		return;
	pthread_mutex_lock(&set->mutex);
	set->stopping = true;
	pthread_cond_broadcast(&set->requested);
	pthread_mutex_unlock(&set->mutex);
	pthread_join(set->worker, NULL);
	while (set->tables) {
		struct table *table = set->tables;

		set->tables = table->next;
		free(table);
	}
	release(set);
}

/* The link that leads to the file's table, or the last one, which is NULL. */
static struct table **find_table(struct unwind_tables *set, const struct elf *elf)
{
	struct table **link = &set->tables;

	while (*link && (*link)->elf != elf)
		link = &(*link)->next;
	return link;
}

/* With the mutex held; NULL: no memory. */
static struct table *request(struct unwind_tables *set, struct elf *elf)
{
	struct table *table = *find_table(set, elf);

	if (table && table->state != TABLE_EVICTED)
		return table;
	if (!table) {
		table = calloc(1, sizeof(*table));
		if (!table)
			return NULL;
		table->elf = elf;
		table->next = set->tables;
		set->tables = table;
	}
	table->state = TABLE_WAITING;
	pthread_cond_signal(&set->requested);
	return table;
}

static int demand(struct unwind_tables *set, struct elf *elf, bool urgent)
{
	struct table *table;

	pthread_mutex_lock(&set->mutex);
	table = request(set, elf);
	if (table)
		table->is_urgent |= urgent;
	pthread_mutex_unlock(&set->mutex);
	return table ? 0 : -ENOMEM;
}

int unwind_tables_request(struct unwind_tables *set, struct elf *elf)
{
	return demand(set, elf, false);
}

int unwind_tables_hurry(struct unwind_tables *set, struct elf *elf)
{
	return demand(set, elf, true);
}

bool unwind_tables_forget(struct unwind_tables *set, const struct elf *elf)
{
	struct table **link, *table;
	bool busy = false;

	pthread_mutex_lock(&set->mutex);
	link = find_table(set, elf);
	table = *link;
	if (table) {
		busy = table->state == TABLE_WAITING || map_lists_has(&set->lists, elf);
		if (!busy) {
			*link = table->next;
			file_rows_remove(set->memory.files, table->name.device, table->name.inode);
		}
	}
	pthread_mutex_unlock(&set->mutex);
	if (!busy)
		free(table);
	return !busy;
}

/* For the urgent ones alone if `urgent`. */
static void wait_for(struct unwind_tables *set, int milliseconds, bool urgent)
{
	struct timespec until = clock_deadline(milliseconds < 0 ? 0 : milliseconds);
	const struct table *next;
	int err = 0;

	pthread_mutex_lock(&set->mutex);
	while (!err && (next = next_waiting(set)) && (next->is_urgent || !urgent))
		err = milliseconds < 0 ? pthread_cond_wait(&set->settled, &set->mutex)
				       : pthread_cond_clockwait(&set->settled, &set->mutex, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&set->mutex);
}

void unwind_tables_wait(struct unwind_tables *set, int milliseconds)
{
	wait_for(set, milliseconds, false);
}

void unwind_tables_wait_urgent(struct unwind_tables *set, int milliseconds)
{
	wait_for(set, milliseconds, true);
}

int unwind_tables_rule(struct unwind_tables *set, struct elf *elf, u64 offset, struct unwind_rule *ret_rule)
{
	struct table *table;
	u32 rule = 0;
	int err;

	pthread_mutex_lock(&set->mutex);
	/* The list of an image that has ended is not published any more, so its tables may not have been requested. */
	table = request(set, elf);
	if (!table) {
		err = -ENOMEM;
	} else if (table->state == TABLE_NONE) {
		err = -ENOENT;
	} else if (table->state == TABLE_WAITING) {
		err = -EAGAIN;
	} else {
		struct cfi_table view = {.words = set->memory.rows + table->index, .count = table->count};

		/* Code behind all that the file describes has rule 0, as in the programs. */
		cfi_lookup(&view, offset, &rule);
		err = 0;
		*ret_rule = set->memory.rules[rule];
	}
	pthread_mutex_unlock(&set->mutex);
	return err;
}

void unwind_tables_withdraw(struct unwind_tables *set, struct scope *scope, u64 now_ns)
{
	pthread_mutex_lock(&set->mutex);
	map_lists_withdraw(&set->lists, scope, now_ns);
	pthread_mutex_unlock(&set->mutex);
}

/* Enter the tables into the layout, requesting those that were not requested before. 0 or -ENOMEM. */
static int enter_tables(struct unwind_tables *set, struct map_layout *layout)
{
	for (u32 i = 0; i < layout->count; i++) {
		struct table *table = layout->files[i] ? request(set, layout->files[i]) : NULL;

		if (layout->files[i] && !table)
			return -ENOMEM;
		if (table)
			name_file(set, table, &layout->names[i]);
		layout->rows[i].table = table && table->state == TABLE_READY ? table->index : 0;
		layout->rows[i].flags |= row_flags(table);
	}
	return 0;
}

int unwind_tables_publish(struct unwind_tables *set, struct scope *scope, u32 process, struct address_map *mappings,
			  u64 now_ns)
{
	u32 generation = address_map_next_generation(mappings, now_ns, scope->generation);
	struct map_layout layout;
	int err;

	err = map_layout_make(mappings, now_ns, &layout);
	pthread_mutex_lock(&set->mutex);
	if (!err)
		err = enter_tables(set, &layout);
	if (!err)
		err = map_lists_publish(&set->lists, scope, process, generation, &layout, now_ns);
	if (err)
		map_lists_outdate(scope);
	else
		address_map_set_known(mappings, now_ns, generation);
	pthread_mutex_unlock(&set->mutex);
	map_layout_release(&layout);
	return err;
}
