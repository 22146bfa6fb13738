/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables and mapping lists, shared with the programs. One mutex guards everything but the compiling itself; what the
 * programs read is written before the one word that lets them find it.
 */
#include "table.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfi.h"
#include "elf.h"
#include "mapping.h"

enum table_state {
	TABLE_WAITING,
	TABLE_READY,
	TABLE_NONE,    /* no call frame information, or no room */
	TABLE_EVICTED, /* made room for others while nobody mapped its file */
};

struct table {
	struct elf *elf;
	enum table_state state;
	u32 index, count; /* its words in the rows, while it is ready */
	struct table *next;
};

/* The list of one scope: in two places by turns, so that a program in the midst of the old one is not disturbed. */
struct list {
	struct scope *scope;
	u32 first, capacity; /* two halves of `capacity` rows each */
	u32 half, count;
	struct table **tables; /* of the rows in force; NULL: no file */
	struct list *next;
};

struct table_set {
	struct table_memory memory;
	struct cfi_rules *rules;
	pthread_t worker;
	pthread_mutex_t mutex;
	pthread_cond_t requested, settled;
	struct table *tables;
	struct list *lists;
	u32 mappings_used, rules_used, waiting;
	bool stopping;
};

/* The oldest request; tables are kept newest first. */
static struct table *next_waiting(const struct table_set *set)
{
	struct table *found = NULL;

	for (struct table *table = set->tables; table; table = table->next)
		if (table->state == TABLE_WAITING)
			found = table;
	return found;
}

static struct unwind_mapping *list_rows(const struct table_set *set, const struct list *list)
{
	return set->memory.mappings + list->first + list->half * list->capacity;
}

/* What a mapping row says of its table. */
static u32 row_flags(const struct table *table)
{
	return !table || table->state == TABLE_NONE ? UNWIND_MAPPING_NO_TABLE : 0;
}

static bool listed(const struct table_set *set, const struct table *table)
{
	for (const struct list *list = set->lists; list; list = list->next)
		for (u32 i = 0; i < list->count; i++)
			if (list->tables[i] == table)
				return true;
	return false;
}

/* The lowest place where `count` words are free; 0: none. Word 0 is never a table's. */
static u32 find_place(const struct table_set *set, u32 count)
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
 * Files that nobody maps any longer give way, the oldest first. A program that is about to look into such a table has
 * the mapping list of an image that has ended, so what it finds there is of no use to anybody.
 */
static bool evict_one(struct table_set *set)
{
	struct table *oldest = NULL;

	for (struct table *table = set->tables; table; table = table->next)
		if (table->state == TABLE_READY && !listed(set, table))
			oldest = table;
	if (!oldest)
		return false;
	oldest->state = TABLE_EVICTED;
	return true;
}

/* Rules before rows, rows before the index in a mapping. */
static void upload(struct table_set *set, struct table *table, const struct cfi_table *compiled)
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
	table->state = TABLE_READY;
}

static void enter_table(struct table_set *set, const struct table *table)
{
	for (struct list *list = set->lists; list; list = list->next) {
		struct unwind_mapping *rows = list_rows(set, list);

		for (u32 i = 0; i < list->count; i++) {
			if (list->tables[i] != table)
				continue;
			__atomic_store_n(&rows[i].flags, row_flags(table), __ATOMIC_RELEASE);
			if (table->state == TABLE_READY)
				__atomic_store_n(&rows[i].table, table->index, __ATOMIC_RELEASE);
		}
	}
}

static void *work(void *arg)
{
	struct table_set *set = arg;

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
		enter_table(set, table);
		set->waiting--;
		pthread_cond_broadcast(&set->settled);
	}
	pthread_mutex_unlock(&set->mutex);
	return NULL;
}

int table_set_new(const struct table_memory *memory, struct table_set **ret_set)
{
	struct table_set *set = calloc(1, sizeof(*set));
	int err;

	if (!set)
		return -ENOMEM;
	set->memory = *memory;
	set->rules = cfi_rules_new();
	if (!set->rules) {
		free(set);
		return -ENOMEM;
	}
	pthread_mutex_init(&set->mutex, NULL);
	pthread_cond_init(&set->requested, NULL);
	pthread_cond_init(&set->settled, NULL);
	err = pthread_create(&set->worker, NULL, work, set);
	if (err) {
		cfi_rules_free(set->rules);
		free(set);
		return -err;
	}
	*ret_set = set;
	return 0;
}

void table_set_free(struct table_set *set)
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
	while (set->lists) {
		struct list *list = set->lists;

		set->lists = list->next;
		free(list->tables);
		free(list);
	}
	cfi_rules_free(set->rules);
	pthread_mutex_destroy(&set->mutex);
	pthread_cond_destroy(&set->requested);
	pthread_cond_destroy(&set->settled);
	free(set);
}

static struct table *find_table(const struct table_set *set, const struct elf *elf)
{
	struct table *table = set->tables;

	while (table && table->elf != elf)
		table = table->next;
	return table;
}

/* With the mutex held; NULL: no memory. */
static struct table *request(struct table_set *set, struct elf *elf)
{
	struct table *table = find_table(set, elf);

	if (table && table->state == TABLE_EVICTED) {
		table->state = TABLE_WAITING;
		set->waiting++;
		pthread_cond_signal(&set->requested);
	}
	if (table)
		return table;
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	table->elf = elf;
	table->next = set->tables;
	set->tables = table;
	set->waiting++;
	pthread_cond_signal(&set->requested);
	return table;
}

int table_set_request(struct table_set *set, struct elf *elf)
{
	struct table *table;

	pthread_mutex_lock(&set->mutex);
	table = request(set, elf);
	pthread_mutex_unlock(&set->mutex);
	return table ? 0 : -ENOMEM;
}

void table_set_wait(struct table_set *set, int milliseconds)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&set->mutex);
	while (set->waiting && !err)
		err = milliseconds < 0 ? pthread_cond_wait(&set->settled, &set->mutex)
				       : pthread_cond_timedwait(&set->settled, &set->mutex, &until);
	pthread_mutex_unlock(&set->mutex);
}

int table_set_rule(struct table_set *set, struct elf *elf, u64 offset, struct unwind_rule *ret_rule)
{
	struct cfi_table view = {.words = NULL};
	struct table *table;
	u32 rule = 0;
	int err;

	pthread_mutex_lock(&set->mutex);
	/* The list of an image that has ended is not published any more, so nobody may have asked for its tables. */
	table = request(set, elf);
	if (!table) {
		err = -ENOMEM;
	} else if (table->state == TABLE_NONE) {
		err = -ENOENT;
	} else if (table->state == TABLE_WAITING) {
		err = -EAGAIN;
	} else {
		view.words = set->memory.rows + table->index;
		view.count = table->count;
		/* Code behind all that the file describes has rule 0, as in the programs. */
		err = 0;
		if (cfi_lookup(&view, offset, &rule))
			rule = 0;
		*ret_rule = set->memory.rules[rule];
	}
	pthread_mutex_unlock(&set->mutex);
	return err;
}

/* What is where: the newest mapping wins where two overlap, and what is left of the older one stays. */
struct layout {
	struct unwind_mapping *rows;
	struct table **tables;
	u32 count;
};

static int ascending(const void *left, const void *right)
{
	u64 a = *(const u64 *)left, b = *(const u64 *)right;

	return a < b ? -1 : a > b;
}

/* `mapping` is in force from `start` to `end`. A piece that goes on where the last one ended becomes part of it. */
static int lay_piece(struct table_set *set, const struct mapping *mapping, u64 start, u64 end, struct layout *layout)
{
	struct table *table = mapping->elf ? request(set, mapping->elf) : NULL;
	u64 file_offset = mapping->file_offset + (start - mapping->start);
	struct unwind_mapping *row = &layout->rows[layout->count];

	if (mapping->elf && !table)
		return -ENOMEM;
	if (layout->count && row[-1].end == start && layout->tables[layout->count - 1] == table &&
	    (!table || row[-1].file_offset + (start - row[-1].start) == file_offset)) {
		row[-1].end = end;
		return 0;
	}
	*row = (struct unwind_mapping){.start = start,
				       .end = end,
				       .file_offset = file_offset,
				       .table = table && table->state == TABLE_READY ? table->index : 0,
				       .flags = row_flags(table)};
	layout->tables[layout->count++] = table;
	return 0;
}

static int lay_out(struct table_set *set, const struct mapping_table *mappings, u64 now_ns, struct layout *ret)
{
	u32 count = 2 * mapping_table_count(mappings);
	u64 *borders = calloc(count + 1, sizeof(*borders));
	int err = 0;

	*ret = (struct layout){.rows = calloc(count + 1, sizeof(*ret->rows)),
			       .tables = calloc(count + 1, sizeof(*ret->tables))};
	if (!borders || !ret->rows || !ret->tables) {
		free(borders);
		return -ENOMEM;
	}
	for (u32 i = 0; i < count; i += 2) {
		borders[i] = mapping_table_get(mappings, i / 2)->start;
		borders[i + 1] = mapping_table_get(mappings, i / 2)->end;
	}
	qsort(borders, count, sizeof(*borders), ascending);
	for (u32 i = 1; i < count && !err; i++) {
		const struct mapping *mapping = NULL;

		if (borders[i - 1] < borders[i])
			mapping = mapping_table_find(mappings, borders[i - 1], now_ns);
		if (mapping)
			err = lay_piece(set, mapping, borders[i - 1], borders[i], ret);
	}
	free(borders);
	return err;
}

/* Room for `count` rows in either half; a list that outgrows its place gets another of twice the size. */
static int make_room(struct table_set *set, struct list *list, u32 count)
{
	u32 capacity = 32;

	if (count <= list->capacity)
		return 0;
	while (capacity < count)
		capacity *= 2;
	if (2 * capacity > set->memory.mapping_count - set->mappings_used)
		return -ENOSPC;
	list->first = set->mappings_used;
	list->capacity = capacity;
	set->mappings_used += 2 * capacity;
	return 0;
}

static struct list *list_of(struct table_set *set, struct scope *scope)
{
	struct list *list = set->lists;

	while (list && list->scope != scope)
		list = list->next;
	if (list)
		return list;
	list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->scope = scope;
	list->next = set->lists;
	set->lists = list;
	return list;
}

static int install(struct table_set *set, struct scope *scope, u32 process, struct layout *layout)
{
	struct list *list = list_of(set, scope);
	int err = list ? make_room(set, list, layout->count) : -ENOMEM;

	if (err)
		return err;
	list->half = !list->half;
	list->count = layout->count;
	free(list->tables);
	list->tables = layout->tables;
	layout->tables = NULL;
	memcpy(list_rows(set, list), layout->rows, layout->count * sizeof(*layout->rows));
	/* No image has this list while its place changes. */
	__atomic_store_n(&scope->mappings_process, 0, __ATOMIC_RELEASE);
	__atomic_fetch_add(&scope->generation, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&scope->mappings, (u64)(list->first + list->half * list->capacity) << 32 | list->count,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&scope->mappings_process, process, __ATOMIC_RELEASE);
	return 0;
}

void table_set_withdraw(struct table_set *set, struct scope *scope)
{
	pthread_mutex_lock(&set->mutex);
	__atomic_store_n(&scope->mappings_process, 0, __ATOMIC_RELEASE);
	for (struct list *list = set->lists; list; list = list->next)
		if (list->scope == scope)
			list->count = 0;
	pthread_mutex_unlock(&set->mutex);
}

int table_set_publish(struct table_set *set, struct scope *scope, u32 process, const struct mapping_table *mappings,
		      u64 now_ns)
{
	struct layout layout;
	int err;

	pthread_mutex_lock(&set->mutex);
	err = lay_out(set, mappings, now_ns, &layout);
	if (!err)
		err = install(set, scope, process, &layout);
	/* The list in force, if any, is outdated: no program is to go by it. */
	if (err)
		__atomic_store_n(&scope->mappings_process, 0, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&set->mutex);
	free(layout.rows);
	free(layout.tables);
	return err;
}
