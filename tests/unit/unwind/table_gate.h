/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One set of tables, its memory, some files. The compiler is called through a gate, so that a test decides when a table
 * becomes ready.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>

#include "unwind/compile.h"

static int gated_compile(struct elf *elf, struct cfi_rules *rules, struct cfi_table *ret_table);

#define cfi_compile gated_compile
#include "unwind/tables.c"
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

static inline int gated_compile(struct elf *elf, struct cfi_rules *rules, struct cfi_table *ret_table)
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

static inline void gate_set(bool closed)
{
	pthread_mutex_lock(&gate.mutex);
	gate.closed = closed;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.mutex);
}

static inline void gate_await(unsigned int entered)
{
	pthread_mutex_lock(&gate.mutex);
	while (gate.entered < entered)
		pthread_cond_wait(&gate.changed, &gate.mutex);
	pthread_mutex_unlock(&gate.mutex);
}

static struct unwind_memory memory;
static struct unwind_tables *set;
static struct scope scopes[3];
static struct elf *elfs[ELFS_MAX];
static struct address_map *mappings;

static inline int find_loader(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	if (!strstr(info->dlpi_name, "/ld-linux"))
		return 0;
	snprintf(arg, PATH_MAX, "%s", info->dlpi_name);
	return 1;
}

static inline struct elf *open_loader(void)
{
	char path[PATH_MAX] = "";
	struct elf *elf;

	assert_int_equal(dl_iterate_phdr(find_loader, path), 1);
	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	return elf;
}

static inline struct cfi_table compile_loader(struct cfi_rules *rules)
{
	struct cfi_table table;

	assert_int_equal(cfi_compile(elfs[0], rules, &table), 0);
	return table;
}

static inline u32 loader_words(void)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table = compile_loader(rules);
	u32 count = table.count;

	cfi_table_release(&table);
	cfi_rules_free(rules);
	return count;
}

static inline void begin(u32 row_count, u32 mapping_count)
{
	memory.row_count = row_count;
	memory.mapping_count = mapping_count;
	memory.rows = calloc(row_count, sizeof(*memory.rows));
	memory.rules = calloc(UNWIND_RULES_MAX, sizeof(*memory.rules));
	memory.mappings = calloc(mapping_count, sizeof(*memory.mappings));
	memory.files = calloc(UNWIND_FILES_MAX, sizeof(*memory.files));
	assert_int_equal(unwind_tables_new(&memory, &set), 0);
}

static inline int setup(void **state)
{
	(void)state;
	gate.closed = false;
	gate.entered = 0;
	gate.error = 0;
	memset(scopes, 0, sizeof(scopes));
	for (unsigned int i = 0; i < ELFS_MAX; i++)
		elfs[i] = open_loader();
	mappings = address_map_new();
	return mappings ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	gate_set(false);
	unwind_tables_free(set);
	set = NULL;
	for (unsigned int i = 0; i < ELFS_MAX; i++)
		elf_free(elfs[i]);
	address_map_free(mappings);
	free(memory.rows);
	free(memory.rules);
	free(memory.mappings);
	free(memory.files);
	memset(&memory, 0, sizeof(memory));
	return 0;
}

static inline void map(u64 start, u64 end, u64 file_offset, u64 from_ns, struct elf *elf)
{
	struct mapping mapping = {
		.start = start, .end = end, .file_offset = file_offset, .from_ns = from_ns, .elf = elf};

	assert_int_equal(address_map_add(mappings, &mapping), 0);
}

/* Another image's mappings. */
static inline void unmap_all(void)
{
	address_map_free(mappings);
	mappings = address_map_new();
	assert_non_null(mappings);
}

static inline void publish(struct scope *scope)
{
	assert_int_equal(unwind_tables_publish(set, scope, PROCESS, mappings, NOW_NS), 0);
	assert_int_equal(scope->mappings_process, PROCESS);
}

static inline void begin_for_two(void)
{
	begin(1 + 2 * loader_words(), 1024);
}

static inline void publish_elf(struct scope *scope, struct elf *elf)
{
	unmap_all();
	map(0x1000, 0x2000, 0x1000, 0, elf);
	publish(scope);
	unwind_tables_wait(set, -1);
}

static inline u32 list_count(const struct scope *scope)
{
	return (u32)scope->mappings;
}

static inline const struct unwind_mapping *list_row(const struct scope *scope, u32 number)
{
	assert_true(number < list_count(scope));
	assert_true((scope->mappings >> 32) + number < memory.mapping_count);
	return memory.mappings + (scope->mappings >> 32) + number;
}

/* As the programs look: NULL, or the row that holds the address. */
static inline const struct unwind_mapping *look(const struct scope *scope, u64 addr)
{
	for (u32 i = 0; i < list_count(scope); i++)
		if (addr >= list_row(scope, i)->start && addr < list_row(scope, i)->end)
			return list_row(scope, i);
	return NULL;
}

static inline void assert_ascending(const struct scope *scope)
{
	for (u32 i = 0; i < list_count(scope); i++) {
		assert_true(list_row(scope, i)->start < list_row(scope, i)->end);
		assert_true(!i || list_row(scope, i - 1)->end <= list_row(scope, i)->start);
	}
}

/* The table that starts at word `index` is the loader's, and its rules are there. */
static inline void assert_is_loader(u32 index)
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
