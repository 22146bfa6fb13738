/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inline/fast_path: what is emitted is run, against a stand-in of the sampler whose entries note every register and return. So each kind
 * of function is seen to count what it should, to go on in the original otherwise, and to leave the arguments alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "inline/fast_path.h"

#define MEMORY_BYTES (4 << 20)
#define ORIGINALLY   0x5eed /* what the function itself returns */
#define SLOTS_AT     0x10000
#define FILTER_AT    0x80000
#define HUGE	     (1ULL << 63)

/* What an entry of the sampler has found: rax, rcx, rdx, rsp, rsi, rdi, r8 to r11. */
struct seen {
	u64 ax, cx, dx, sp, si, di, r8, r9, r10, r11, entry;
};

struct scene {
	u8 *memory;
	struct seen *seen;
	struct sampler_slot *slots;
	u8 *filter;
	struct fast_path_sampler sampler;
	struct fast_path path;
	u8 *place; /* of the path */
};

static void put_distance(u8 **at, const void *target)
{
	s32 distance = (s32)((const u8 *)target - (*at + 4));

	memcpy(*at, &distance, 4);
	*at += 4;
}

/* mov reg, seen->field for each, then movq $entry, and ret. */
static void write_entry(struct scene *scene, u8 *at, u32 entry)
{
	static const u8 registers[] = {0, 1, 2, 4, 6, 7, 8, 9, 10, 11};
	u64 *field = &scene->seen->ax;

	for (size_t i = 0; i < sizeof(registers); i++) {
		*at++ = 0x48 | registers[i] >> 3 << 2;
		*at++ = 0x89;
		*at++ = 0x05 | (registers[i] & 7) << 3;
		put_distance(&at, field++);
	}
	*at++ = 0xb8; /* mov $, %eax */
	memcpy(at, &entry, 4);
	at += 4;
	*at++ = 0x48;
	*at++ = 0x89;
	*at++ = 0x05;
	put_distance(&at, field);
	*at = 0xc3;
}

static int setup(void **state)
{
	static struct scene scene;

	scene = (struct scene){0};
	scene.memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(scene.memory != MAP_FAILED);
	scene.seen = (struct seen *)(scene.memory + 0x8000);
	scene.slots = (struct sampler_slot *)(scene.memory + SLOTS_AT);
	scene.filter = scene.memory + FILTER_AT;
	scene.sampler.slots = (uintptr_t)scene.slots;
	scene.sampler.filter = (uintptr_t)scene.filter;
	for (u32 i = 0; i < SAMPLER_ENTRIES; i++) {
		write_entry(&scene, scene.memory + 0x4000 + 0x100 * i, 1 + i);
		scene.sampler.entries[i] = (uintptr_t)scene.memory + 0x4000 + 0x100 * i;
	}
	for (u32 i = 0; i < SAMPLER_SLOTS; i++)
		scene.slots[i].left = 1000;
	scene.place = scene.memory + 0x1000;
	*state = &scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	return munmap(scene->memory, MEMORY_BYTES);
}

/* Every test is run with both. */
static enum moved_code_jump jump;

/* push %rbx; mov $ORIGINALLY, %eax; pop %rbx; ret. The jump is written into it. */
static void make(struct scene *scene, enum call_kind kind, u8 one, u8 two, u8 three)
{
	static const u8 code[] = {0x53, 0xb8, ORIGINALLY & 0xff, ORIGINALLY >> 8, 0, 0, 0x5b, 0xc3};
	u8 patch[MOVED_CODE_TAKEN_MAX];
	struct fast_path_function function = {
		.kind = kind,
		.argument = {one, two, three},
		.code = scene->memory,
		.size = sizeof(code),
		.address = (uintptr_t)scene->memory,
		.jump = jump,
	};

	memcpy(scene->memory, code, sizeof(code));
	assert_null(fast_path_make(&function, &scene->sampler, (uintptr_t)scene->place, &scene->path));
	assert_true(scene->path.size <= FAST_PATH_MAX);
	memcpy(scene->place, scene->path.bytes, scene->path.size);
	assert_int_equal(scene->path.moved.skip, jump == MOVED_CODE_SECOND);
	assert_true(moved_code_patch(&scene->path.moved, function.address, scene->path.entry, patch));
	memcpy(scene->memory + scene->path.moved.skip, patch, scene->path.moved.taken);
}

typedef u64 (*function_6)(u64, u64, u64, u64, u64, u64);

/* Which entry of the sampler it came to, 0: none, it went on in the function. */
static u64 call(struct scene *scene, u64 one, u64 two, u64 three)
{
	const struct sampler_function *function = (const struct sampler_function *)(const void *)scene->place;
	u64 result;

	memset(scene->seen, 0, sizeof(*scene->seen));
	result = ((function_6)(uintptr_t)scene->memory)(one, two, three, 0x44, 0x55, 0x66);
	if (!scene->seen->entry) {
		assert_int_equal(result, ORIGINALLY);
		return 0;
	}
	assert_true(scene->seen->ax == (uintptr_t)function);
	assert_true(scene->seen->di == one && scene->seen->si == two && scene->seen->dx == three);
	assert_true(scene->seen->cx == 0x44 && scene->seen->r8 == 0x55 && scene->seen->r9 == 0x66);
	return scene->seen->entry;
}

static struct sampler_slot *own_slot(struct scene *scene)
{
	u32 self;

	asm("mov %%fs:0, %0" : "=r"(self));
	return &scene->slots[(self * SAMPLER_HASH) >> (32 - SAMPLER_SLOT_BITS)];
}

static u8 *filter_of(struct scene *scene, u64 pointer)
{
	return &scene->filter[sampler_filter_index(pointer)];
}

#define ALLOC  (1 + SAMPLER_ALLOC)
#define FREE   (1 + SAMPLER_FREE)
#define MOVING (1 + SAMPLER_MOVING)

/* --- allocations ---------------------------------------------------------------------------------------------------- */

static void assert_sampled(struct scene *scene, u64 entry, u64 size)
{
	assert_int_equal(entry, ALLOC);
	assert_true(scene->seen->r10 == size);
	assert_true(scene->seen->r11 == (uintptr_t)own_slot(scene));
}

static void test_fast_path_counts_down_and_goes_on(void **state)
{
	struct scene *scene = *state;
	const struct sampler_function *function = (const struct sampler_function *)(const void *)scene->place;

	make(scene, CALL_MALLOC, 1, 0, 0);
	assert_int_equal(function->kind, CALL_MALLOC);
	assert_ptr_equal(scene->place + function->function, scene->memory);
	assert_int_equal(((function_6)(uintptr_t)(scene->place + function->original))(1, 2, 3, 4, 5, 6), ORIGINALLY);
	assert_int_equal(call(scene, 600, 2, 3), 0);
	assert_int_equal(own_slot(scene)->left, 400);
	assert_int_equal(call(scene, 400, 2, 3), 0); /* the sample lies behind it */
	assert_int_equal(own_slot(scene)->left, 0);
	assert_sampled(scene, call(scene, 1, 2, 3), 1);
	assert_int_equal(own_slot(scene)->left, -1);
}

static void test_fast_path_size_0_counts_as_1(void **state)
{
	struct scene *scene = *state;

	make(scene, CALL_MALLOC, 1, 0, 0);
	own_slot(scene)->left = 1;
	assert_int_equal(call(scene, 0, 2, 3), 0);
	assert_int_equal(own_slot(scene)->left, 0);
	assert_sampled(scene, call(scene, 0, 2, 3), 0);
	assert_int_equal(own_slot(scene)->left, -1);
}

static void test_fast_path_sizes_that_nobody_has_do_not_count(void **state)
{
	struct scene *scene = *state;

	make(scene, CALL_MALLOC, 1, 0, 0);
	assert_int_equal(call(scene, HUGE + 1, 2, 3), 0);
	assert_int_equal(call(scene, ~0ULL, 2, 3), 0);
	assert_int_equal(call(scene, 3ULL << 62, 2, 3), 0);
	assert_int_equal(own_slot(scene)->left, 1000);
	/* One that fits comes to the slow path, which draws anew. */
	assert_sampled(scene, call(scene, HUGE, 2, 3), HUGE);
}

static void test_fast_path_every_argument_can_be_the_size(void **state)
{
	struct scene *scene = *state;

	make(scene, CALL_NEW, 2, 0, 0);
	assert_int_equal(call(scene, 1, 300, 3), 0);
	make(scene, CALL_MALLOC, 3, 0, 0);
	assert_int_equal(call(scene, 1, 2, 300), 0);
	assert_int_equal(own_slot(scene)->left, 400);
	make(scene, CALL_MALLOC, 5, 0, 0); /* 0x55 */
	assert_int_equal(call(scene, 1, 2, 3), 0);
	assert_int_equal(own_slot(scene)->left, 400 - 0x55);
	make(scene, CALL_MALLOC, 6, 0, 0); /* 0x66 */
	own_slot(scene)->left = 0x65;
	assert_sampled(scene, call(scene, 1, 2, 3), 0x66);
}

static void test_fast_path_products(void **state)
{
	struct scene *scene = *state;

	make(scene, CALL_CALLOC, 1, 2, 0);
	assert_int_equal(call(scene, 10, 30, 3), 0);
	assert_int_equal(own_slot(scene)->left, 700);
	assert_int_equal(call(scene, 1ULL << 33, 1ULL << 33, 3), 0); /* overflows */
	assert_int_equal(call(scene, 1ULL << 32, 1ULL << 31, 3), 0);
	assert_int_equal(own_slot(scene)->left, 700);
	assert_sampled(scene, call(scene, 71, 10, 3), 710);
	make(scene, CALL_NEW_ARRAY, 2, 6, 0);
	own_slot(scene)->left = 1000;
	assert_int_equal(call(scene, 1, 2, 3), 0);
	assert_int_equal(own_slot(scene)->left, 1000 - 2 * 0x66);
}

static void test_fast_path_small_alignments_are_mallocs(void **state)
{
	struct scene *scene = *state;

	make(scene, CALL_ALIGNED, 1, 2, 0);
	assert_int_equal(call(scene, 16, 5000, 3), 0);
	assert_int_equal(call(scene, 0, 5000, 3), 0);
	assert_int_equal(own_slot(scene)->left, 1000);
	assert_sampled(scene, call(scene, 17, 5000, 3), 5000);
	make(scene, CALL_POSIX_MEMALIGN, 1, 3, 0);
	own_slot(scene)->left = 1000;
	assert_sampled(scene, call(scene, 0x7000, 16, 5000), 5000);
	assert_int_equal(((const struct sampler_function *)(const void *)scene->place)->pointer, 1);
}

/* Whatever the count: how much it is comes to light when it has returned. */
static void test_fast_path_duplicates_go_the_slow_way(void **state)
{
	struct scene *scene = *state;

	make(scene, CALL_DUPLICATE, 1, 0, 0);
	assert_int_equal(call(scene, 1, 2, 3), ALLOC);
	assert_int_equal(own_slot(scene)->left, 1000);
}

/* --- frees and reallocs --------------------------------------------------------------------------------------------- */

static void test_fast_path_free_asks_the_filter(void **state)
{
	struct scene *scene = *state;
	u64 pointer = 0x7f1234567890;

	make(scene, CALL_FREE, 1, 0, 0);
	assert_int_equal(call(scene, pointer, 2, 3), 0);
	*filter_of(scene, pointer) = 1;
	assert_int_equal(call(scene, pointer, 2, 3), FREE);
	assert_true(scene->seen->r10 == pointer);
	assert_int_equal(call(scene, pointer + 16, 2, 3), 0);
	make(scene, CALL_FREE, 2, 0, 0);
	assert_int_equal(call(scene, 1, pointer, 3), FREE);
	assert_true(scene->seen->r10 == pointer);
}

static void test_fast_path_realloc_of_glibc(void **state)
{
	struct scene *scene = *state;
	u64 pointer = 0x7f1234567890;

	make(scene, CALL_REALLOC, 1, 2, 0);
	*filter_of(scene, 0) = 1;
	assert_int_equal(call(scene, 0, 5000, 3), 0); /* malloc's */
	assert_int_equal(call(scene, pointer, 300, 3), 0);
	assert_int_equal(own_slot(scene)->left, 700);
	assert_int_equal(call(scene, pointer, 0, 3), 0); /* frees what is none of ours */
	assert_int_equal(own_slot(scene)->left, 700);
	assert_sampled(scene, call(scene, pointer, 701, 3), 701);
	*filter_of(scene, pointer) = 1;
	own_slot(scene)->left = 700;
	assert_int_equal(call(scene, pointer, 5000, 3), MOVING);
	assert_true(scene->seen->r10 == 5000);
	assert_int_equal(own_slot(scene)->left, 700);
	assert_int_equal(call(scene, pointer, 0, 3), FREE);
	assert_true(scene->seen->r10 == pointer);
}

static void test_fast_path_resize(void **state)
{
	struct scene *scene = *state;
	u64 pointer = 0x7f1234567890;

	make(scene, CALL_RESIZE, 1, 2, 0);
	*filter_of(scene, 0) = 1;
	assert_int_equal(call(scene, 0, 300, 3), 0);
	assert_int_equal(own_slot(scene)->left, 700);
	assert_int_equal(call(scene, pointer, 0, 3), 0);
	assert_int_equal(own_slot(scene)->left, 699);
	*filter_of(scene, pointer) = 1;
	assert_int_equal(call(scene, pointer, 0, 3), MOVING);
	assert_true(scene->seen->r10 == 0);
	assert_int_equal(call(scene, pointer, 50, 3), MOVING);
	assert_true(scene->seen->r10 == 50);
}

static void test_fast_path_resize_of_an_array(void **state)
{
	struct scene *scene = *state;
	u64 pointer = 0x7f1234567890;

	make(scene, CALL_RESIZE_ARRAY, 1, 2, 3);
	assert_int_equal(call(scene, pointer, 10, 20), 0);
	assert_int_equal(own_slot(scene)->left, 800);
	assert_sampled(scene, call(scene, 0, 81, 10), 810);
	*filter_of(scene, pointer) = 1;
	assert_int_equal(call(scene, pointer, 10, 20), MOVING);
	assert_true(scene->seen->r10 == 200);
	assert_int_equal(call(scene, pointer, 1ULL << 40, 1ULL << 40), 0);
}

/* --- refused -------------------------------------------------------------------------------------------------------- */

static void test_fast_path_refuses(void **state)
{
	struct scene *scene = *state;
	struct fast_path_function function = {.kind = CALL_PASSED,
					      .argument = {1},
					      .code = scene->memory,
					      .size = 6,
					      .address = (uintptr_t)scene->memory};

	assert_non_null(fast_path_make(&function, &scene->sampler, (uintptr_t)scene->place, &scene->path));
	function.kind = CALL_MALLOC;
	memset(scene->memory, 0xe8, 6);
	assert_string_equal(fast_path_make(&function, &scene->sampler, (uintptr_t)scene->place, &scene->path),
			    "begins with a call");
	memset(scene->memory, 0x90, 6);
	assert_null(fast_path_make(&function, &scene->sampler, (uintptr_t)scene->place, &scene->path));
	assert_string_equal(
		fast_path_make(&function, &scene->sampler, (uintptr_t)scene->place + (3ULL << 30), &scene->path),
		"is too far away");
	scene->sampler.slots += 3ULL << 30;
	assert_string_equal(fast_path_make(&function, &scene->sampler, (uintptr_t)scene->place, &scene->path),
			    "is too far away");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fast_path_counts_down_and_goes_on),
		TEST(test_fast_path_size_0_counts_as_1),
		TEST(test_fast_path_sizes_that_nobody_has_do_not_count),
		TEST(test_fast_path_every_argument_can_be_the_size),
		TEST(test_fast_path_products),
		TEST(test_fast_path_small_alignments_are_mallocs),
		TEST(test_fast_path_duplicates_go_the_slow_way),
		TEST(test_fast_path_free_asks_the_filter),
		TEST(test_fast_path_realloc_of_glibc),
		TEST(test_fast_path_resize),
		TEST(test_fast_path_resize_of_an_array),
		TEST(test_fast_path_refuses),
	};

	int failed = cmocka_run_group_tests_name("fast_path", tests, NULL, NULL);

	jump = MOVED_CODE_SECOND;
	return failed + cmocka_run_group_tests_name("fast_path of a process that runs", tests, NULL, NULL);
}
