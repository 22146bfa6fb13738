/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.c: tables of real files, mapping lists as the programs see them. The compiler is called through a gate, so that
 * a test decides when a table becomes ready.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>

#include "../../user/cfi.h"

static int gated_compile(struct elf *elf, struct cfi_rules *rules, struct cfi_table *ret_table);

#define cfi_compile gated_compile
#include "../../user/table.c"
#undef cfi_compile

#define ELFS_MAX 12
#define PROCESS	 7
#define NOW_NS	 1000

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool closed;
	unsigned int entered; /* calls so far */
	int error;	      /* instead of compiling */
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int gated_compile(struct elf *elf, struct cfi_rules *rules, struct cfi_table *ret_table)
{
	int error;

	pthread_mutex_lock(&gate.mutex);
	gate.entered++;
	pthread_cond_broadcast(&gate.changed);
	while (gate.closed)
		pthread_cond_wait(&gate.changed, &gate.mutex);
	error = gate.error;
	pthread_mutex_unlock(&gate.mutex);
	return error ? error : cfi_compile(elf, rules, ret_table);
}

static void gate_set(bool closed)
{
	pthread_mutex_lock(&gate.mutex);
	gate.closed = closed;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.mutex);
}

static void gate_await(unsigned int entered)
{
	pthread_mutex_lock(&gate.mutex);
	while (gate.entered < entered)
		pthread_cond_wait(&gate.changed, &gate.mutex);
	pthread_mutex_unlock(&gate.mutex);
}

/* --- one set, its memory, some files; every file of its own, though they are all the same one --- */

static struct table_memory memory;
static struct table_set *set;
static struct scope scopes[3];
static struct elf *elfs[ELFS_MAX];
static struct mapping_table *mappings;

static int find_loader(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	if (!strstr(info->dlpi_name, "/ld-linux"))
		return 0;
	snprintf(arg, PATH_MAX, "%s", info->dlpi_name);
	return 1;
}

static struct elf *open_loader(void)
{
	char path[PATH_MAX] = "";
	struct elf *elf;

	assert_int_equal(dl_iterate_phdr(find_loader, path), 1);
	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	return elf;
}

static struct cfi_table compile_loader(struct cfi_rules *rules)
{
	struct cfi_table table;

	assert_int_equal(cfi_compile(elfs[0], rules, &table), 0);
	return table;
}

static u32 loader_words(void)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table = compile_loader(rules);
	u32 count = table.count;

	cfi_table_release(&table);
	cfi_rules_free(rules);
	return count;
}

static void begin(u32 row_count, u32 mapping_count)
{
	memory.row_count = row_count;
	memory.mapping_count = mapping_count;
	memory.rows = calloc(row_count, sizeof(*memory.rows));
	memory.rules = calloc(UNWIND_RULES_MAX, sizeof(*memory.rules));
	memory.mappings = calloc(mapping_count, sizeof(*memory.mappings));
	assert_int_equal(table_set_new(&memory, &set), 0);
}

static int setup(void **state)
{
	(void)state;
	gate.closed = false;
	gate.entered = 0;
	gate.error = 0;
	memset(scopes, 0, sizeof(scopes));
	for (unsigned int i = 0; i < ELFS_MAX; i++)
		elfs[i] = open_loader();
	mappings = mapping_table_new();
	return mappings ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	gate_set(false);
	table_set_free(set);
	set = NULL;
	for (unsigned int i = 0; i < ELFS_MAX; i++)
		elf_free(elfs[i]);
	mapping_table_free(mappings);
	free(memory.rows);
	free(memory.rules);
	free(memory.mappings);
	memset(&memory, 0, sizeof(memory));
	return 0;
}

static void map(u64 start, u64 end, u64 file_offset, u64 from_ns, struct elf *elf)
{
	struct mapping mapping = {
		.start = start, .end = end, .file_offset = file_offset, .from_ns = from_ns, .elf = elf};

	assert_int_equal(mapping_table_add(mappings, &mapping), 0);
}

/* Another image's mappings. */
static void unmap_all(void)
{
	mapping_table_free(mappings);
	mappings = mapping_table_new();
	assert_non_null(mappings);
}

static void publish(struct scope *scope)
{
	assert_int_equal(table_set_publish(set, scope, PROCESS, mappings, NOW_NS), 0);
	assert_int_equal(scope->mappings_process, PROCESS);
}

static u32 list_count(const struct scope *scope)
{
	return (u32)scope->mappings;
}

static const struct unwind_mapping *list_row(const struct scope *scope, u32 number)
{
	assert_true(number < list_count(scope));
	assert_true((scope->mappings >> 32) + number < memory.mapping_count);
	return memory.mappings + (scope->mappings >> 32) + number;
}

/* As the programs look: NULL, or the row that holds the address. */
static const struct unwind_mapping *look(const struct scope *scope, u64 addr)
{
	for (u32 i = 0; i < list_count(scope); i++)
		if (addr >= list_row(scope, i)->start && addr < list_row(scope, i)->end)
			return list_row(scope, i);
	return NULL;
}

static void assert_ascending(const struct scope *scope)
{
	for (u32 i = 0; i < list_count(scope); i++) {
		assert_true(list_row(scope, i)->start < list_row(scope, i)->end);
		assert_true(!i || list_row(scope, i - 1)->end <= list_row(scope, i)->start);
	}
}

/* The table that starts at word `index` is the loader's, and its rules are there. */
static void assert_is_loader(u32 index)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table expected = compile_loader(rules);
	u32 rule_count;
	const struct unwind_rule *array = cfi_rules_get(rules, &rule_count);

	assert_true(index > 0 && index + expected.count <= memory.row_count);
	assert_memory_equal(memory.rows + index, expected.words, expected.count * sizeof(*expected.words));
	assert_memory_equal(memory.rules, array, rule_count * sizeof(*array));
	cfi_table_release(&expected);
	cfi_rules_free(rules);
}

/* --- publishing --- */

static void test_publish_nothing_gives_an_empty_list(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	publish(&scopes[0]);
	assert_int_equal(list_count(&scopes[0]), 0);
}

static void test_publish_one_mapping_fills_every_field(void **state)
{
	const struct unwind_mapping *row;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	scopes[0] = (struct scope){.process = 5, .pid = 6, .wide = 1};
	map(0x7f0000001000, 0x7f0000020000, 0x1000, 0, elfs[0]);
	publish(&scopes[0]);
	table_set_wait(set, -1);
	assert_int_equal(list_count(&scopes[0]), 1);
	row = list_row(&scopes[0], 0);
	assert_int_equal(row->start, 0x7f0000001000);
	assert_int_equal(row->end, 0x7f0000020000);
	assert_int_equal(row->file_offset, 0x1000);
	assert_int_equal(row->flags, 0);
	assert_is_loader(row->table);
	assert_int_equal(scopes[0].process, 5);
	assert_int_equal(scopes[0].pid, 6);
	assert_int_equal(scopes[0].wide, 1);
}

static void test_publish_thousand_mappings_sorts_them(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, UNWIND_MAPPINGS_MAX);
	for (u64 i = 0; i < 1000; i++) {
		u64 place = i * 617 % 1000;

		map(place * 0x10000, place * 0x10000 + 0x8000, place * 0x1000, 0, i % 3 ? elfs[i % 2] : NULL);
	}
	publish(&scopes[0]);
	table_set_wait(set, -1);
	assert_int_equal(list_count(&scopes[0]), 1000);
	assert_ascending(&scopes[0]);
	for (u32 i = 0; i < 1000; i++) {
		assert_int_equal(list_row(&scopes[0], i)->start, i * 0x10000);
		assert_int_equal(list_row(&scopes[0], i)->file_offset, i * 0x1000);
	}
	assert_int_equal(gate.entered, 2);
}

static void test_publish_mapping_without_file_never_gets_a_table(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	map(0x1000, 0x2000, 0, 0, NULL);
	publish(&scopes[0]);
	assert_int_equal(list_row(&scopes[0], 0)->table, 0);
	assert_int_equal(list_row(&scopes[0], 0)->flags, UNWIND_MAPPING_NO_TABLE);
	assert_int_equal(gate.entered, 0);
}

static void test_publish_file_without_unwind_information_is_marked_when_known(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate.error = -ENODATA;
	gate_set(true);
	map(0x1000, 0x2000, 0, 0, elfs[0]);
	publish(&scopes[0]);
	assert_int_equal(list_row(&scopes[0], 0)->flags, 0);
	assert_int_equal(table_set_rule(set, elfs[0], 0x10, &rule), -EAGAIN);
	gate_set(false);
	table_set_wait(set, -1);
	assert_int_equal(list_row(&scopes[0], 0)->flags, UNWIND_MAPPING_NO_TABLE);
	assert_int_equal(list_row(&scopes[0], 0)->table, 0);
	assert_int_equal(table_set_rule(set, elfs[0], 0x10, &rule), -ENOENT);
	publish(&scopes[0]);
	assert_int_equal(list_row(&scopes[0], 0)->flags, UNWIND_MAPPING_NO_TABLE);
	assert_int_equal(gate.entered, 1);
}

static void test_publish_ready_table_enters_every_list_already_published(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 1024);
	gate_set(true);
	map(0x1000, 0x2000, 0x1000, 0, elfs[0]);
	map(0x5000, 0x6000, 0x3000, 0, elfs[0]);
	publish(&scopes[0]);
	map(0x0, 0x800, 0, 0, elfs[1]);
	publish(&scopes[1]);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(list_row(&scopes[0], i)->table, 0);
	gate_set(false);
	table_set_wait(set, -1);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_is_loader(list_row(&scopes[1], 0)->table);
	assert_int_not_equal(list_row(&scopes[1], 0)->table, list_row(&scopes[0], 0)->table);
	assert_int_equal(list_row(&scopes[0], 1)->table, list_row(&scopes[0], 0)->table);
	assert_int_equal(list_row(&scopes[1], 1)->table, list_row(&scopes[0], 0)->table);
	assert_int_equal(list_row(&scopes[1], 2)->table, list_row(&scopes[0], 0)->table);
}

/* --- what is where --- */

static void test_publish_newer_mapping_outdates_older_at_same_place(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	map(0x1000, 0x3000, 0x1000, 0, elfs[0]);
	map(0x1000, 0x3000, 0x2000, 100, elfs[1]);
	map(0x1000, 0x3000, 0x5000, NOW_NS + 1, elfs[0]);
	publish(&scopes[0]);
	table_set_wait(set, -1);
	assert_int_equal(list_count(&scopes[0]), 1);
	assert_int_equal(list_row(&scopes[0], 0)->file_offset, 0x2000);
	assert_int_equal(list_row(&scopes[0], 0)->table, find_table(set, elfs[1])->index);
}

static void test_publish_newer_mapping_within_older_cuts_it_in_two(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	map(0x1000, 0x9000, 0x11000, 0, elfs[0]);
	map(0x2000, 0x3000, 0x1000, 100, elfs[1]);
	publish(&scopes[0]);
	table_set_wait(set, -1);
	assert_int_equal(list_count(&scopes[0]), 3);
	assert_ascending(&scopes[0]);
	assert_int_equal(look(&scopes[0], 0x1fff)->file_offset, 0x11000);
	assert_int_equal(look(&scopes[0], 0x2000)->file_offset, 0x1000);
	assert_int_equal(look(&scopes[0], 0x8fff)->file_offset, 0x13000);
	assert_int_equal(look(&scopes[0], 0x8fff)->table, find_table(set, elfs[0])->index);
	assert_null(look(&scopes[0], 0x9000));
}

/* Mappings thrown about: at every border and beside it the list says what the table of mappings says. */
static void test_publish_any_mappings_equal_the_mapping_table(void **state)
{
	unsigned int seed = 1;

	(void)state;
	begin(UNWIND_ROWS_MAX, UNWIND_MAPPINGS_MAX);
	for (u32 round = 0; round < 50; round++) {
		unmap_all();
		for (u32 i = 0; i < 1 + round; i++) {
			u64 start = (u64)(rand_r(&seed) % 60) * 0x1000, size = (u64)(1 + rand_r(&seed) % 20) * 0x1000;
			u32 number = (u32)rand_r(&seed) % (ELFS_MAX + 1);

			map(start, start + size, (u64)(rand_r(&seed) % 9) * 0x1000, (u64)(rand_r(&seed) % 1200),
			    number < ELFS_MAX ? elfs[number] : NULL);
		}
		publish(&scopes[0]);
		table_set_wait(set, -1);
		assert_ascending(&scopes[0]);
		for (u64 addr = 0x800; addr < 81 * 0x1000; addr += 0x800) {
			const struct mapping *mapping = mapping_table_find(mappings, addr, NOW_NS);
			const struct unwind_mapping *row = look(&scopes[0], addr);

			assert_int_equal(!row, !mapping);
			if (!row)
				continue;
			assert_int_equal(row->table, mapping->elf ? find_table(set, mapping->elf)->index : 0);
			if (mapping->elf)
				assert_int_equal(addr - row->start + row->file_offset,
						 addr - mapping->start + mapping->file_offset);
		}
	}
}

/* --- places --- */

static void test_publish_again_leaves_old_list_untouched(void **state)
{
	struct unwind_mapping before[2];
	u64 first, second;

	(void)state;
	begin(UNWIND_ROWS_MAX, 1024);
	map(0x1000, 0x2000, 0x1000, 0, elfs[0]);
	map(0x5000, 0x6000, 0x3000, 0, NULL);
	publish(&scopes[0]);
	table_set_wait(set, -1);
	first = scopes[0].mappings;
	memcpy(before, list_row(&scopes[0], 0), sizeof(before));
	map(0x1000, 0x6000, 0x7000, 50, elfs[1]);
	publish(&scopes[0]);
	table_set_wait(set, -1);
	second = scopes[0].mappings;
	assert_int_not_equal(first >> 32, second >> 32);
	assert_memory_equal(memory.mappings + (first >> 32), before, sizeof(before));
	publish(&scopes[0]);
	assert_int_equal(scopes[0].mappings >> 32, first >> 32);
	publish(&scopes[0]);
	assert_int_equal(scopes[0].mappings, second);
}

static void test_publish_longer_list_moves_and_leaves_old_one_untouched(void **state)
{
	struct unwind_mapping before[30];
	u64 first;

	(void)state;
	begin(UNWIND_ROWS_MAX, 2048);
	for (u64 i = 0; i < 30; i++)
		map(i * 0x2000, i * 0x2000 + 0x1000, 0, 0, NULL);
	publish(&scopes[0]);
	first = scopes[0].mappings;
	memcpy(before, list_row(&scopes[0], 0), sizeof(before));
	for (u64 i = 30; i < 200; i++)
		map(i * 0x2000, i * 0x2000 + 0x1000, 0, 0, NULL);
	publish(&scopes[0]);
	publish(&scopes[1]);
	assert_int_equal(list_count(&scopes[0]), 200);
	assert_int_equal(list_count(&scopes[1]), 200);
	assert_memory_equal(memory.mappings + (first >> 32), before, sizeof(before));
	assert_ascending(&scopes[0]);
	assert_ascending(&scopes[1]);
	assert_int_equal(list_row(&scopes[0], 199)->start, 199 * 0x2000);
}

static void test_publish_without_room_withdraws_the_outdated_list(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 128);
	map(0, 0x1000, 0, 0, NULL);
	publish(&scopes[0]);
	for (u64 i = 1; i < 40; i++)
		map(i * 0x2000, i * 0x2000 + 0x1000, 0, 0, NULL);
	assert_int_equal(table_set_publish(set, &scopes[0], PROCESS, mappings, NOW_NS), -ENOSPC);
	assert_int_equal(scopes[0].mappings_process, 0);
	assert_int_equal(table_set_publish(set, &scopes[1], PROCESS, mappings, NOW_NS), -ENOSPC);
	assert_int_equal(scopes[1].mappings_process, 0);
	unmap_all();
	map(0, 0x1000, 0, 0, NULL);
	publish(&scopes[1]);
	publish(&scopes[0]);
	assert_int_equal(table_set_publish(set, &scopes[2], PROCESS, mappings, NOW_NS), -ENOSPC);
}

/* --- requests --- */

static void test_request_twice_compiles_once(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	assert_int_equal(table_set_request(set, elfs[0]), 0);
	gate_await(1);
	assert_int_equal(table_set_request(set, elfs[0]), 0);
	gate_set(false);
	table_set_wait(set, -1);
	assert_int_equal(table_set_request(set, elfs[0]), 0);
	map(0x1000, 0x2000, 0, 0, elfs[0]);
	publish(&scopes[0]);
	table_set_wait(set, -1);
	assert_int_equal(gate.entered, 1);
	assert_is_loader(list_row(&scopes[0], 0)->table);
}

static void test_wait_with_nothing_requested_returns(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	table_set_wait(set, -1);
	table_set_wait(set, 0);
	table_set_wait(set, 100000);
}

static void test_wait_gives_up_when_its_time_is_over(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	table_set_request(set, elfs[0]);
	table_set_wait(set, 0);
	table_set_wait(set, 20);
	assert_int_equal(table_set_rule(set, elfs[0], 0, &rule), -EAGAIN);
	gate_set(false);
	table_set_wait(set, -1);
	assert_int_equal(table_set_rule(set, elfs[0], 0, &rule), 0);
}

static void test_rule_of_every_offset_equals_lookup(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table expected;
	const struct unwind_rule *array;
	struct unwind_rule rule;
	u32 number, rule_count, known = 0;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	expected = compile_loader(rules);
	array = cfi_rules_get(rules, &rule_count);
	table_set_request(set, elfs[0]);
	table_set_request(set, elfs[1]);
	table_set_wait(set, -1);
	for (u64 offset = 0; offset < (u64)expected.words[0] << UNWIND_PAGE_SHIFT; offset++) {
		assert_int_equal(cfi_lookup(&expected, offset, &number), 0);
		assert_int_equal(table_set_rule(set, elfs[offset % 2], offset, &rule), 0);
		assert_memory_equal(&rule, &array[number], sizeof(rule));
		known += rule.cfa != CFA_UNKNOWN;
	}
	assert_true(known > 0x8000);
	cfi_table_release(&expected);
	cfi_rules_free(rules);
}

static void test_rule_of_file_never_asked_for_requests_its_table(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	assert_int_equal(table_set_rule(set, elfs[0], 0, &rule), -EAGAIN);
	table_set_wait(set, -1);
	assert_int_equal(table_set_rule(set, elfs[0], 0, &rule), 0);
	assert_int_equal(gate.entered, 1);
}

static void test_rule_behind_the_end_is_unknown(void **state)
{
	struct unwind_rule rule = {.cfa = CFA_SP};

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	table_set_request(set, elfs[0]);
	table_set_wait(set, -1);
	assert_int_equal(table_set_rule(set, elfs[0], UINT64_MAX, &rule), 0);
	assert_int_equal(rule.cfa, CFA_UNKNOWN);
}

/* --- room for two tables --- */

static void begin_for_two(void)
{
	begin(1 + 2 * loader_words(), 1024);
}

static void publish_elf(struct scope *scope, struct elf *elf)
{
	unmap_all();
	map(0x1000, 0x2000, 0x1000, 0, elf);
	publish(scope);
	table_set_wait(set, -1);
}

static void test_evict_unlisted_file_gives_way_the_oldest_first(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin_for_two();
	for (u32 i = 0; i < 3; i++)
		table_set_request(set, elfs[i]);
	table_set_wait(set, -1);
	assert_int_equal(find_table(set, elfs[0])->state, TABLE_EVICTED);
	assert_is_loader(find_table(set, elfs[1])->index);
	assert_is_loader(find_table(set, elfs[2])->index);
	/* Asked for, it comes back, and another gives way. */
	assert_int_equal(table_set_rule(set, elfs[0], 0, &rule), -EAGAIN);
	table_set_wait(set, -1);
	assert_int_equal(table_set_rule(set, elfs[0], 0, &rule), 0);
	assert_int_equal(find_table(set, elfs[1])->state, TABLE_EVICTED);
	assert_is_loader(find_table(set, elfs[0])->index);
	assert_int_equal(gate.entered, 4);
}

static void test_evict_listed_file_never_gives_way(void **state)
{
	(void)state;
	begin_for_two();
	publish_elf(&scopes[0], elfs[0]);
	for (u32 i = 1; i < ELFS_MAX; i++)
		table_set_request(set, elfs[i]);
	table_set_wait(set, -1);
	assert_int_equal(find_table(set, elfs[0])->state, TABLE_READY);
	assert_int_equal(find_table(set, elfs[0])->index, list_row(&scopes[0], 0)->table);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_is_loader(find_table(set, elfs[ELFS_MAX - 1])->index);
}

static void test_evict_nothing_to_give_way_means_no_table(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin_for_two();
	for (u32 i = 0; i < 3; i++)
		publish_elf(&scopes[i], elfs[i]);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_is_loader(list_row(&scopes[1], 0)->table);
	assert_int_equal(list_row(&scopes[2], 0)->table, 0);
	assert_int_equal(list_row(&scopes[2], 0)->flags, UNWIND_MAPPING_NO_TABLE);
	assert_int_equal(table_set_rule(set, elfs[2], 0, &rule), -ENOENT);
}

static void test_evict_listed_again_is_compiled_again(void **state)
{
	(void)state;
	begin_for_two();
	publish_elf(&scopes[0], elfs[0]);
	publish_elf(&scopes[0], elfs[1]);
	publish_elf(&scopes[0], elfs[2]);
	assert_int_equal(find_table(set, elfs[0])->state, TABLE_EVICTED);
	publish_elf(&scopes[1], elfs[0]);
	assert_int_equal(list_row(&scopes[1], 0)->flags, 0);
	assert_is_loader(list_row(&scopes[1], 0)->table);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_int_equal(gate.entered, 4);
}

static void test_withdraw_lets_tables_give_way(void **state)
{
	(void)state;
	begin_for_two();
	publish_elf(&scopes[0], elfs[0]);
	publish_elf(&scopes[1], elfs[1]);
	table_set_withdraw(set, &scopes[0]);
	assert_int_equal(scopes[0].mappings_process, 0);
	table_set_withdraw(set, &scopes[2]);
	publish_elf(&scopes[2], elfs[2]);
	assert_int_equal(find_table(set, elfs[0])->state, TABLE_EVICTED);
	assert_is_loader(list_row(&scopes[1], 0)->table);
	assert_is_loader(list_row(&scopes[2], 0)->table);
	/* The scope's next image. */
	publish_elf(&scopes[0], elfs[1]);
	assert_int_equal(list_row(&scopes[0], 0)->table, list_row(&scopes[1], 0)->table);
}

static void test_withdraw_while_compiling_leaves_old_rows_alone(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	map(0x1000, 0x2000, 0, 0, elfs[0]);
	publish(&scopes[0]);
	gate_await(1);
	table_set_withdraw(set, &scopes[0]);
	gate_set(false);
	table_set_wait(set, -1);
	assert_int_equal(list_row(&scopes[0], 0)->table, 0);
}

/* --- its end, and its threads --- */

static void *free_set(void *arg)
{
	table_set_free(arg);
	return NULL;
}

static bool is_stopping(void)
{
	bool stopping;

	pthread_mutex_lock(&set->mutex);
	stopping = set->stopping;
	pthread_mutex_unlock(&set->mutex);
	return stopping;
}

static void test_free_leaves_work_undone(void **state)
{
	pthread_t thread;

	(void)state;
	table_set_free(NULL);
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	for (u32 i = 0; i < ELFS_MAX; i++)
		table_set_request(set, elfs[i]);
	gate_await(1);
	assert_int_equal(pthread_create(&thread, NULL, free_set, set), 0);
	/* The set stays while the worker is behind the gate. */
	while (!is_stopping())
		sched_yield();
	gate_set(false);
	pthread_join(thread, NULL);
	set = NULL;
	assert_int_equal(gate.entered, 1);
}

static void *ask(void *arg)
{
	struct unwind_rule rule;
	u32 found = 0;

	(void)arg;
	for (u32 i = 0; i < 20000; i++) {
		int err = table_set_rule(set, elfs[i % ELFS_MAX], i, &rule);

		if (err && err != -EAGAIN && err != -ENOENT)
			return (void *)-1;
		found += !err;
	}
	return found ? NULL : (void *)-1;
}

/* Publishing, asking, compiling and giving way at once: nothing to see but for the sanitizers. */
static void test_threads_at_once_stay_sound(void **state)
{
	pthread_t thread;
	void *result;

	(void)state;
	begin(1 + 4 * loader_words(), 1024);
	table_set_request(set, elfs[0]);
	table_set_wait(set, -1);
	assert_int_equal(pthread_create(&thread, NULL, ask, NULL), 0);
	for (u32 i = 0; i < 60; i++) {
		unmap_all();
		map(0x1000, 0x2000, 0, 0, elfs[0]);
		map(0x3000, 0x4000, 0, 0, elfs[i % ELFS_MAX]);
		publish(&scopes[i % 2]);
		table_set_wait(set, 1);
		if (i % 10 == 9)
			table_set_withdraw(set, &scopes[1]);
	}
	pthread_join(thread, &result);
	assert_null(result);
	publish_elf(&scopes[2], elfs[0]);
	assert_is_loader(list_row(&scopes[2], 0)->table);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publish_nothing_gives_an_empty_list),
		TEST(test_publish_one_mapping_fills_every_field),
		TEST(test_publish_thousand_mappings_sorts_them),
		TEST(test_publish_mapping_without_file_never_gets_a_table),
		TEST(test_publish_file_without_unwind_information_is_marked_when_known),
		TEST(test_publish_ready_table_enters_every_list_already_published),
		TEST(test_publish_newer_mapping_outdates_older_at_same_place),
		TEST(test_publish_newer_mapping_within_older_cuts_it_in_two),
		TEST(test_publish_any_mappings_equal_the_mapping_table),
		TEST(test_publish_again_leaves_old_list_untouched),
		TEST(test_publish_longer_list_moves_and_leaves_old_one_untouched),
		TEST(test_publish_without_room_withdraws_the_outdated_list),
		TEST(test_request_twice_compiles_once),
		TEST(test_wait_with_nothing_requested_returns),
		TEST(test_wait_gives_up_when_its_time_is_over),
		TEST(test_rule_of_every_offset_equals_lookup),
		TEST(test_rule_of_file_never_asked_for_requests_its_table),
		TEST(test_rule_behind_the_end_is_unknown),
		TEST(test_evict_unlisted_file_gives_way_the_oldest_first),
		TEST(test_evict_listed_file_never_gives_way),
		TEST(test_evict_nothing_to_give_way_means_no_table),
		TEST(test_evict_listed_again_is_compiled_again),
		TEST(test_withdraw_lets_tables_give_way),
		TEST(test_withdraw_while_compiling_leaves_old_rows_alone),
		TEST(test_free_leaves_work_undone),
		TEST(test_threads_at_once_stay_sound),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
