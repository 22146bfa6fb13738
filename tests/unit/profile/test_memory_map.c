/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_map.c: whose a mapping is; memory_parts.c: sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/memory_map.h"

#define AREAS_MAX 32

static struct smaps_area areas[AREAS_MAX];
static struct smaps smaps;

static struct memory_map begin(void)
{
	memset(areas, 0, sizeof(areas));
	smaps = (struct smaps){.areas = areas};
	return (struct memory_map){.smaps = &smaps};
}

/* `pages` pages, all resident, from `start` on; "rw-p" and so on as in /proc. */
static struct smaps_area *add(u64 start, u64 pages, const char *letters, const char *name)
{
	struct smaps_area *area = &areas[smaps.count++];

	*area = (struct smaps_area){
		.start = start,
		.end = start + pages * 4096,
		.resident = letters[0] == '-' ? 0 : pages * 4096,
		.share = letters[0] == '-' ? 0 : pages * 2048,
		.readable = letters[0] == 'r',
		.writable = letters[1] == 'w',
		.executable = letters[2] == 'x',
		.shared = letters[3] == 's',
		.file = *name == '/',
	};
	snprintf(area->name, sizeof(area->name), "%s", name);
	return area;
}

static void assert_part(const char *letters, const char *name, enum memory_part wanted)
{
	struct memory_map map = begin();

	add(0x10000, 1, letters, name);
	if (memory_map_part(&map, 0) != wanted)
		fail_msg("'%s' %s is in %s, not in %s", name, letters, memory_part_names[memory_map_part(&map, 0)],
			 memory_part_names[wanted]);
}

static void test_memory_map_names_tell_whose_a_mapping_is(void **state)
{
	(void)state;
	assert_part("rw-p", "[heap]", MEMORY_HEAP);
	assert_part("rw-p", "[anon: glibc: malloc]", MEMORY_HEAP);
	assert_part("rw-p", "[anon: glibc: malloc arena]", MEMORY_HEAP);
	assert_part("rw-p", "[anon: glibc: loader malloc]", MEMORY_HEAP);
	assert_part("rw-p", "[anon:jemalloc_pg]", MEMORY_HEAP);
	assert_part("rw-p", "[anon:tcmalloc_region_NORMAL]", MEMORY_HEAP);
	assert_part("rw-p", "[anon:mimalloc]", MEMORY_HEAP);
	assert_part("rw-p", "[stack]", MEMORY_STACKS);
	assert_part("rw-p", "[anon: glibc: pthread stack: 7]", MEMORY_STACKS);
	assert_part("r-xp", "[vdso]", MEMORY_FILES);
	assert_part("r-xp", "/usr/lib/libc.so.6", MEMORY_FILES);
	assert_part("rw-s", "/var/lib/data (deleted)", MEMORY_FILES);
	assert_part("rw-s", "/dev/zero (deleted)", MEMORY_SHARED);
	assert_part("rw-s", "/dev/shm/queue", MEMORY_SHARED);
	assert_part("rw-s", "/memfd:pulse (deleted)", MEMORY_SHARED);
	assert_part("rw-s", "/SYSV00000000 (deleted)", MEMORY_SHARED);
	assert_part("rw-p", "[anon: Go: heap]", MEMORY_OTHERS);
	assert_part("rw-p", "/anon_hugepage (deleted)", MEMORY_OTHERS);
	assert_part("rw-s", "/anon_hugepage (deleted)", MEMORY_SHARED);
	assert_part("rw-p", "", MEMORY_OTHERS);
	assert_part("rwxp", "", MEMORY_OTHERS);
}

/* The first and the last byte are in it, what is beside it is not. */
static void test_memory_map_a_block_makes_a_mapping_the_allocators(void **state)
{
	struct memory_map map = begin();
	u64 place = 0x20000;

	(void)state;
	add(0x1f000, 1, "rw-p", "");
	add(0x20000, 1, "rw-p", "");
	add(0x21000, 1, "rw-p", "");
	map.places = &place;
	map.place_count = 1;
	for (u64 at = 0; at < 2; at++, place += 0xfff) {
		assert_int_equal(memory_map_part(&map, 0), MEMORY_OTHERS);
		assert_int_equal(memory_map_part(&map, 1), MEMORY_HEAP);
		assert_int_equal(memory_map_part(&map, 2), MEMORY_OTHERS);
	}
	place = 0x20800;
	areas[1].shared = true;
	assert_int_equal(memory_map_part(&map, 1), MEMORY_HEAP);
	areas[1].shared = false;
	areas[1].executable = true; /* where a block was, and code is now */
	assert_int_equal(memory_map_part(&map, 1), MEMORY_OTHERS);
}

static void test_memory_map_stacks_have_a_guard_and_a_pointer_or_the_kernels_flag(void **state)
{
	struct memory_map map = begin();
	u64 pointer = 0x30800;

	(void)state;
	add(0x2f000, 1, "---p", "");
	add(0x30000, 1, "rw-p", "");
	assert_int_equal(memory_map_part(&map, 1), MEMORY_OTHERS);
	map.pointers = &pointer;
	map.pointer_count = 1;
	assert_int_equal(memory_map_part(&map, 1), MEMORY_STACKS);
	areas[0].end -= 0x800; /* no guard just below: a goroutine's stack is in a heap */
	assert_int_equal(memory_map_part(&map, 1), MEMORY_OTHERS);
	areas[1].stack = true; /* guards that are no mappings, as glibc 2.42 makes them */
	assert_int_equal(memory_map_part(&map, 1), MEMORY_STACKS);
	map.pointer_count = 0; /* a thread that runs, but without a guard it may be anything */
	assert_int_equal(memory_map_part(&map, 1), MEMORY_OTHERS);
	areas[0].end += 0x800;
	assert_int_equal(memory_map_part(&map, 1), MEMORY_STACKS);
}

/* Before kernel 6.7 a stack and a block's mapping above it are one mapping: the larger one is the allocator's. */
static void test_memory_map_blocks_above_a_stack_make_it_the_allocators(void **state)
{
	struct memory_map map = begin();
	u64 pointer = 0x30800, place = 0x31010;

	(void)state;
	add(0x2f000, 1, "---p", "");
	add(0x30000, 9, "rw-p", "");
	map.pointers = &pointer;
	map.places = &place;
	map.pointer_count = map.place_count = 1;
	assert_int_equal(memory_map_part(&map, 1), MEMORY_HEAP);
	areas[1].stack = true;
	assert_int_equal(memory_map_part(&map, 1), MEMORY_STACKS);
}

static void test_memory_map_zeros_behind_a_file_are_its_bss(void **state)
{
	struct memory_map map = begin();

	(void)state;
	add(0x40000, 1, "rw-p", "/usr/lib/libc.so.6");
	add(0x41000, 2, "rw-p", "");
	add(0x50000, 1, "rw-s", "/var/lib/data");
	add(0x51000, 2, "rw-p", "");
	assert_int_equal(memory_map_part(&map, 1), MEMORY_FILES);
	assert_int_equal(memory_map_part(&map, 3), MEMORY_OTHERS);
}

static void test_memory_map_parts_sum_up_and_name_the_others(void **state)
{
	struct memory_map map = begin();
	struct memory_parts parts;

	(void)state;
	add(0x10000, 1, "rw-p", "[heap]")->lazy = 512;
	add(0x20000, 2, "r-xp", "/bin/true")->swap = 4096;
	for (u64 i = 0; i < 6; i++) {
		char name[16];

		snprintf(name, sizeof(name), "[anon: n%c]", (char)('0' + i % 6));
		add(0x100000 + 0x10000 * i, i + 1, "rw-p", name);
	}
	add(0x200000, 1, "rwxp", "");
	add(0x300000, 1, "rw-p", "[anon: n0]");
	add(0x400000, 0, "rw-p", "/anon_hugepage (deleted)")->hugetlb = 2 << 20;
	assert_int_equal(memory_map_parts(&map, &parts), 0);
	assert_true(parts.known);
	assert_int_equal(memory_sum(&parts).resident, 4096 * (1 + 2 + 21 + 1 + 1));
	assert_int_equal(memory_sum(&parts).swap, 4096);
	assert_int_equal(memory_sum(&parts).hugetlb, 2 << 20);
	assert_int_equal(parts.part[MEMORY_OTHERS].resident, 4096 * 23);
	assert_int_equal(parts.heap_lazy, 512);
	assert_int_equal(parts.share, 2048 * (1 + 2 + 21 + 1 + 1));
	assert_int_equal(parts.other_count, MEMORY_OTHERS_MAX);
	assert_string_equal(parts.others[0].name, "HugeTLB");
	assert_string_equal(parts.others[1].name, "n5");
	assert_int_equal(parts.others[1].amount.resident, 6 * 4096);
	assert_string_equal(parts.others[3].name, "n3");
}

static void test_memory_parts_of_processes_add_up(void **state)
{
	struct memory_parts one = {.known = true, .processes = 1, .inuse_known = true, .inuse = 100, .inuse_error = 3};
	struct memory_parts sum = {0};

	(void)state;
	one.part[MEMORY_HEAP].resident = 300;
	one.others[0] = (struct memory_other){.name = "n", .mappings = 2, .amount.resident = 7};
	one.other_count = 1;
	memory_add(&sum, &one);
	one.inuse_error = 4;
	memory_add(&sum, &one);
	memory_add(&sum, &(struct memory_parts){0});
	assert_true(sum.known && sum.inuse_known);
	assert_int_equal(sum.processes, 2);
	assert_int_equal(memory_kept(&sum), 400);
	assert_int_equal(memory_untouched(&sum), 0);
	assert_true(sum.inuse_error == 5);
	assert_true(sum.other_count == 1 && sum.others[0].mappings == 4 && sum.others[0].amount.resident == 14);
	sum.inuse = 1000;
	assert_int_equal(memory_kept(&sum), 0);
	assert_int_equal(memory_untouched(&sum), 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_map_names_tell_whose_a_mapping_is),
		cmocka_unit_test(test_memory_map_a_block_makes_a_mapping_the_allocators),
		cmocka_unit_test(test_memory_map_stacks_have_a_guard_and_a_pointer_or_the_kernels_flag),
		cmocka_unit_test(test_memory_map_blocks_above_a_stack_make_it_the_allocators),
		cmocka_unit_test(test_memory_map_zeros_behind_a_file_are_its_bss),
		cmocka_unit_test(test_memory_map_parts_sum_up_and_name_the_others),
		cmocka_unit_test(test_memory_parts_of_processes_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
