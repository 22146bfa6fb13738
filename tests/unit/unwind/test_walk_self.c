/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk.c on this program's own stacks, through the real tables of its files, compared with libgcc's unwinder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "system/address_map.h"
#include "system/proc_maps.h"
#include "unwind/tables.h"
#include "unwind/walk.h"

#define FILES_MAX 64

static struct event_raw event;
static struct address_map *mappings;
static u64 ip[STACK_DEPTH_MAX];
static u32 depth;
static bool frame_pointer;

/* --- stacks of this program --- */

static struct unwind_tables *set;
static struct unwind_memory memory;
static struct elf *files[FILES_MAX];
static unsigned int file_count;
static u64 stack_end;

/* ret_registers as struct unwind_registers: where this was called from, and the caller's sp and bp. */
void take_registers(struct unwind_registers *ret_registers);
__asm__(".pushsection .text\n"
	".globl take_registers\n"
	".type take_registers, @function\n"
	"take_registers:\n"
	".cfi_startproc\n"
	"mov (%rsp), %rax\n"
	"mov %rax, (%rdi)\n"
	"lea 8(%rsp), %rax\n"
	"mov %rax, 8(%rdi)\n"
	"mov %rbp, 16(%rdi)\n"
	"ret\n"
	".cfi_endproc\n"
	".size take_registers, . - take_registers\n"
	".popsection\n");

#define NO_FRAME_POINTER __attribute__((noinline, noclone, optimize("omit-frame-pointer", "no-optimize-sibling-calls")))

static void *expected[4 * STACK_DEPTH_MAX];
static int expected_count;

/* Word by word, unseen by the sanitizer: these are other functions' frames. */
__attribute__((no_sanitize("address", "thread"), noinline)) static void copy_stack(u32 most)
{
	u64 size = stack_end - event.sp;

	event.size = (u32)(size < most ? size : most);
	for (u32 i = 0; i < event.size / 8; i++)
		((volatile u64 *)event.bytes)[i] = ((volatile u64 *)event.sp)[i];
}

/* The raw stack from here on, and libgcc's view of it. */
NO_FRAME_POINTER static void capture(u32 most)
{
	struct unwind_registers registers;

	take_registers(&registers);
	event.ip = registers.ip;
	event.sp = registers.sp;
	event.bp = registers.bp;
	event.header.time_ns = 1;
	copy_stack(most);
	expected_count = backtrace(expected, (int)(sizeof(expected) / sizeof(*expected)));
}

NO_FRAME_POINTER static int middle(int level, u32 most)
{
	char room[160];

	memset(room, level, sizeof(room));
	if (level)
		return middle(level - 1, most) + room[level % 16];
	capture(most);
	return room[most % 16];
}

/* A frame whose size is known at run time only: it needs bp. */
NO_FRAME_POINTER static int with_alloca(int size, u32 most)
{
	volatile char *room = __builtin_alloca((size_t)size);

	room[0] = 1;
	return middle(3, most) + room[0];
}

/* A function that realigns its stack. */
NO_FRAME_POINTER static int with_alignment(u32 most)
{
	_Alignas(64) volatile char room[64] = {1};

	return with_alloca(100 + room[0], most) + room[0];
}

/*
 * Captured on a thread, so that the stack up to here fits the copy, however large the test library's frames and the registers
 * that a signal saves are.
 */
static void *on_thread(void *arg)
{
	void (*run)(void) = arg;

	run();
	return NULL;
}

static void capture_on_thread(void (*run)(void))
{
	size_t size = 1 << 20;
	char *stack = aligned_alloc(4096, size);
	pthread_attr_t attributes;
	pthread_t thread;

	assert_non_null(stack);
	stack_end = (u64)stack + size;
	pthread_attr_init(&attributes);
	assert_int_equal(pthread_attr_setstack(&attributes, stack, size), 0);
	assert_int_equal(pthread_create(&thread, &attributes, on_thread, run), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	free(stack);
}

static void run_plain(void)
{
	with_alignment(RAW_STACK_BYTES);
}

static void run_short(void)
{
	with_alignment(512);
}

static void run_deep(void)
{
	middle(180, RAW_STACK_BYTES);
}

static int compare_and_capture(const void *left, const void *right)
{
	(void)left, (void)right;
	return with_alignment(RAW_STACK_BYTES) & 0;
}

static void run_through_libc(void)
{
	int numbers[2] = {1, 2};

	qsort(numbers, 2, sizeof(*numbers), compare_and_capture);
}

static void on_signal(int signal)
{
	(void)signal;
	with_alignment(RAW_STACK_BYTES);
}

static void run_signal(void)
{
	struct sigaction action = {.sa_handler = on_signal}, before;

	sigaction(SIGUSR1, &action, &before);
	raise(SIGUSR1);
	sigaction(SIGUSR1, &before, NULL);
}

/* What main captured, before any test. */
static struct event_raw main_event;
static void *main_expected[32];
static int main_expected_count;

static void capture_main(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t capacity = 0;
	char *line = NULL;
	u64 start;

	while (maps && getline(&line, &capacity, maps) > 0 && !strstr(line, "[stack]"))
		;
	if (line && sscanf(line, "%lx-%lx", &start, &stack_end) == 2)
		with_alignment(RAW_STACK_BYTES);
	free(line);
	if (maps)
		fclose(maps);
	main_event = event;
	main_expected_count = expected_count < 32 ? expected_count : 32;
	memcpy(main_expected, expected, sizeof(main_expected));
}

static int setup_real(void **state)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t capacity = 0;
	char *line = NULL;

	(void)state;
	memory.row_count = UNWIND_ROWS_MAX;
	memory.mapping_count = 1024;
	memory.rows = calloc(memory.row_count, sizeof(*memory.rows));
	memory.rules = calloc(UNWIND_RULES_MAX, sizeof(*memory.rules));
	memory.mappings = calloc(memory.mapping_count, sizeof(*memory.mappings));
	mappings = address_map_new();
	file_count = 0;
	if (!maps || !mappings || unwind_tables_new(&memory, &set))
		return -1;
	while (getline(&line, &capacity, maps) > 0) {
		struct mapping mapping;

		if (proc_maps_parse(line, &mapping))
			continue;
		if (mapping.path[0] == '/' && file_count < FILES_MAX &&
		    !elf_open(open(mapping.path, O_RDONLY | O_CLOEXEC), mapping.path, &files[file_count])) {
			mapping.elf = files[file_count++];
			unwind_tables_request(set, mapping.elf);
		}
		address_map_add(mappings, &mapping);
		free(mapping.path);
	}
	free(line);
	fclose(maps);
	unwind_tables_wait(set, -1);
	return 0;
}

static int teardown_real(void **state)
{
	(void)state;
	unwind_tables_free(set);
	set = NULL;
	address_map_free(mappings);
	while (file_count)
		elf_free(files[--file_count]);
	free(memory.rows);
	free(memory.rules);
	free(memory.mappings);
	return 0;
}

/*
 * From the caller of `capture` on every frame is what libgcc says, but for one more in frames that a signal
 * interrupted; returns how many of those there were. With `is_cut`, the root may be missing.
 */
static unsigned int assert_frames(enum unwind_end end, bool is_cut)
{
	unsigned int interrupted = 0;
	int first = 0;

	assert_int_equal(walk_raw(set, mappings, getpid(), &event, ip, &depth, &frame_pointer), end);
	assert_true(depth > 1);
	/* A sanitizer may stand between us and backtrace. */
	while (first < expected_count && (u64)expected[first] != ip[1])
		first++;
	assert_true(first < expected_count);
	if (is_cut)
		assert_true(depth - 1 < (u32)(expected_count - first));
	else
		assert_int_equal(depth - 1, expected_count - first);
	for (u32 i = 1; i < depth; i++) {
		u64 wanted = (u64)expected[(u32)first + i - 1];

		interrupted += ip[i] == wanted + 1;
		if (ip[i] != wanted && ip[i] != wanted + 1)
			fail_msg("frame %u: %#lx instead of %#lx", i, ip[i], wanted);
	}
	return interrupted;
}

static void test_unwind_main_stack_equals_libgcc(void **state)
{
	(void)state;
	event = main_event;
	memcpy(expected, main_expected, sizeof(main_expected));
	expected_count = main_expected_count;
	assert_int_equal(assert_frames(UNWIND_COMPLETE, false), 0);
	assert_true(depth > 8);
}

static void test_unwind_thread_stack_equals_libgcc(void **state)
{
	(void)state;
	capture_on_thread(run_plain);
	assert_int_equal(assert_frames(UNWIND_COMPLETE, false), 0);
	assert_true(depth > 8);
}

static void test_unwind_through_libc_equals_libgcc(void **state)
{
	(void)state;
	capture_on_thread(run_through_libc);
	assert_int_equal(assert_frames(UNWIND_COMPLETE, false), 0);
	assert_true(depth > 10);
}

static void test_unwind_out_of_signal_handler_equals_libgcc(void **state)
{
	(void)state;
	capture_on_thread(run_signal);
	assert_int_equal(assert_frames(UNWIND_COMPLETE, false), 1);
	assert_true(depth > 10);
}

static void test_unwind_too_short_copy_is_unreadable_and_right_so_far(void **state)
{
	(void)state;
	capture_on_thread(run_short);
	assert_int_equal(event.size, 512);
	assert_int_equal(assert_frames(UNWIND_UNREADABLE, true), 0);
}

static void test_unwind_copy_of_every_size_ends_and_is_right_so_far(void **state)
{
	(void)state;
	capture_on_thread(run_plain);
	assert_frames(UNWIND_COMPLETE, false);
	for (u32 size = event.size; size--;) {
		event.size = size;
		if (walk_raw(set, mappings, getpid(), &event, ip, &depth, &frame_pointer) != UNWIND_COMPLETE &&
		    depth > 1)
			assert_frames(UNWIND_UNREADABLE, true);
	}
	assert_int_equal(depth, 1);
}

/* 180 frames of two hundred bytes are more than a copy holds. */
static void test_unwind_deep_recursion_is_right_as_far_as_the_copy_goes(void **state)
{
	(void)state;
	capture_on_thread(run_deep);
	assert_int_equal(event.size, RAW_STACK_BYTES);
	assert_int_equal(assert_frames(UNWIND_UNREADABLE, true), 0);
	assert_true(depth > 20);
}

#define REAL(name) cmocka_unit_test_setup_teardown(name, setup_real, teardown_real)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REAL(test_unwind_main_stack_equals_libgcc),
		REAL(test_unwind_thread_stack_equals_libgcc),
		REAL(test_unwind_through_libc_equals_libgcc),
		REAL(test_unwind_out_of_signal_handler_equals_libgcc),
		REAL(test_unwind_too_short_copy_is_unreadable_and_right_so_far),
		REAL(test_unwind_copy_of_every_size_ends_and_is_right_so_far),
		REAL(test_unwind_deep_recursion_is_right_as_far_as_the_copy_goes),
	};

	backtrace(expected, 1); /* it loads a library the first time */
	capture_main();
	return cmocka_run_group_tests_name("unwind_self", tests, NULL, NULL);
}
