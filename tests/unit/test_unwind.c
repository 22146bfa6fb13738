/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unwind.c: this program's own stacks, through the real tables of its files, held against what libgcc's unwinder says;
 * and stacks made up of a few words for every way a walk can end, their rules said here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/elf.h"
#include "../../user/mapping.h"
#include "../../user/table.h"

static int said_rule(struct table_set *set, struct elf *elf, u64 offset, struct unwind_rule *ret_rule);
static void said_wait(struct table_set *set, int milliseconds);

#define table_set_rule said_rule
#define table_set_wait said_wait
#include "../../user/unwind.c"
#undef table_set_rule
#undef table_set_wait

#define FILES_MAX   64
#define PROCESS	    3
#define STACK_ID    (RAW_STACK_ID | 9)
#define CODE	    0x400000 /* where the made-up file is mapped, its offset 0 */
#define CODE_END    0x500000
#define STACK	    0x7ffd00001000 /* where the made-up stack is */
#define OTHER_CODE  0x600000	   /* mapped, without a file */
#define BEHIND_CODE (CODE_END + 1)

static struct event_raw event;
static struct mapping_table *mappings;
static u64 ip[STACK_DEPTH_MAX];
static u32 depth;

/* --- stacks of this program --- */

static struct table_set *set;
static struct table_memory memory;
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
 * Captured on a thread, so that between the root and here is little enough for the copy, whatever the test library's
 * frames or the registers that a signal saves take.
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
	mappings = mapping_table_new();
	file_count = 0;
	if (!maps || !mappings || table_set_new(&memory, &set))
		return -1;
	while (getline(&line, &capacity, maps) > 0) {
		struct mapping mapping;

		if (mapping_parse(line, &mapping))
			continue;
		if (mapping.path[0] == '/' && file_count < FILES_MAX &&
		    !elf_open(open(mapping.path, O_RDONLY | O_CLOEXEC), mapping.path, &files[file_count])) {
			mapping.elf = files[file_count++];
			table_set_request(set, mapping.elf);
		}
		mapping_table_add(mappings, &mapping);
		free(mapping.path);
	}
	free(line);
	fclose(maps);
	table_set_wait(set, -1);
	return 0;
}

static int teardown_real(void **state)
{
	(void)state;
	table_set_free(set);
	set = NULL;
	mapping_table_free(mappings);
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

	assert_int_equal(unwind_raw(set, mappings, &event, ip, &depth), end);
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
		if (unwind_raw(set, mappings, &event, ip, &depth) != UNWIND_COMPLETE && depth > 1)
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

/* --- made-up stacks: a file whose rule at offset N is rules[N / 16] --- */

static struct unwind_rule rules[64];
static int rule_error;
static struct elf *const made_up = (struct elf *)rules;
static u64 *const words = (u64 *)event.bytes;

static int said_rule(struct table_set *tables, struct elf *elf, u64 offset, struct unwind_rule *ret_rule)
{
	if (elf != made_up)
		return table_set_rule(tables, elf, offset, ret_rule);
	if (rule_error)
		return rule_error;
	*ret_rule = rules[offset / 16 % 64];
	return 0;
}

/* How often the end has waited, and after how often the table is there. */
static int waits, waits_needed;

static void said_wait(struct table_set *tables, int milliseconds)
{
	(void)tables;
	assert_int_equal(milliseconds, -1);
	if (++waits == waits_needed)
		rule_error = 0;
}

static void map(struct mapping_table *table, u64 start, u64 end, u64 from_ns, struct elf *elf)
{
	struct mapping mapping = {.start = start, .end = end, .from_ns = from_ns, .elf = elf};

	assert_int_equal(mapping_table_add(table, &mapping), 0);
}

static void map_made_up(struct mapping_table *table)
{
	map(table, CODE, CODE_END, 0, made_up);
	map(table, OTHER_CODE, OTHER_CODE + 0x1000, 0, NULL);
}

/* An address whose rule is rules[number], as a return address. */
static u64 code(u32 number)
{
	return CODE + 16 * number + 8;
}

static int setup(void **state)
{
	(void)state;
	memset(rules, 0, sizeof(rules));
	memset(&event, 0, sizeof(event));
	rule_error = 0;
	waits = waits_needed = 0;
	rules[1] = (struct unwind_rule){.cfa = CFA_SP, .offset = 16};
	rules[2] = (struct unwind_rule){.cfa = CFA_END};
	event.header = (struct event){.kind = EVENT_RAW, .process = PROCESS, .time_ns = 50};
	event.stack = STACK_ID;
	event.ip = code(1);
	event.sp = STACK;
	event.size = 256;
	mappings = mapping_table_new();
	map_made_up(mappings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mapping_table_free(mappings);
	return 0;
}

static void assert_end(enum unwind_end end, u32 frames)
{
	assert_int_equal(unwind_raw(NULL, mappings, &event, ip, &depth), end);
	assert_int_equal(depth, frames);
	assert_true(ip[0] == event.ip);
}

static void test_unwind_undefined_return_address_is_complete(void **state)
{
	(void)state;
	words[1] = code(1);
	words[3] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == code(1) && ip[2] == code(2));
}

static void test_unwind_return_address_zero_is_complete(void **state)
{
	(void)state;
	words[1] = 0;
	assert_end(UNWIND_COMPLETE, 1);
}

static void test_unwind_code_in_no_mapping_ends(void **state)
{
	(void)state;
	words[1] = BEHIND_CODE;
	assert_end(UNWIND_NO_MAPPING, 2);
	/* A call at the very end of a mapping returns behind it. */
	words[1] = CODE_END;
	rules[63] = (struct unwind_rule){.cfa = CFA_END};
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_mapping_is_that_of_the_time(void **state)
{
	(void)state;
	words[1] = BEHIND_CODE + 15;
	map(mappings, CODE_END, CODE_END + 0x1000, 51, made_up);
	rules[0] = (struct unwind_rule){.cfa = CFA_END};
	assert_end(UNWIND_NO_MAPPING, 2);
	event.header.time_ns = 51;
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_table_not_ready_says_so(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	assert_end(UNWIND_NO_TABLE, 1);
}

static void test_unwind_unknown_rule_ends(void **state)
{
	(void)state;
	words[1] = code(5);
	event.bp = STACK;
	assert_end(UNWIND_NO_RULE, 2);
}

static void test_unwind_unknown_rule_at_the_outermost_frame_is_complete(void **state)
{
	(void)state;
	words[1] = code(5);
	event.bp = 0;
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_word_outside_the_copy_is_unreadable(void **state)
{
	static const u64 places[] = {STACK - 8, STACK + 249, STACK + 256, STACK + RAW_STACK_BYTES,
				     STACK - 1, 0,	     UINT64_MAX,  UINT64_MAX - 7};

	(void)state;
	rules[1] = (struct unwind_rule){.cfa = CFA_BP, .offset = 8};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		event.bp = places[i];
		assert_end(UNWIND_UNREADABLE, 1);
	}
	event.bp = STACK + 248;
	words[31] = code(2);
	assert_end(UNWIND_COMPLETE, 2);
	for (event.size = 0; event.size < 8; event.size++)
		assert_end(UNWIND_UNREADABLE, 1);
}

static void test_unwind_saved_bp_outside_the_copy_is_unreadable(void **state)
{
	(void)state;
	words[1] = code(2);
	rules[1] = (struct unwind_rule){.cfa = CFA_SP, .offset = 16, .bp = BP_SAVED, .bp_offset = -24};
	assert_end(UNWIND_UNREADABLE, 1);
	rules[1].bp_offset = INT16_MIN;
	assert_end(UNWIND_UNREADABLE, 1);
	rules[1].bp_offset = -16;
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_stack_that_goes_back_is_stuck(void **state)
{
	(void)state;
	words[1] = code(3);
	rules[3] = (struct unwind_rule){.cfa = CFA_BP, .offset = 16};
	event.bp = STACK;
	assert_end(UNWIND_STUCK, 2);
	event.bp = STACK - 8;
	assert_end(UNWIND_STUCK, 2);
}

static void test_unwind_as_deep_as_the_programs_go(void **state)
{
	(void)state;
	rules[1].offset = 8;
	event.size = RAW_STACK_BYTES;
	for (u32 i = 0; i < 500; i++)
		words[i] = code(1);
	assert_end(UNWIND_TRUNCATED, STACK_DEPTH_MAX);
	words[STACK_DEPTH_MAX - 2] = code(2);
	assert_end(UNWIND_COMPLETE, STACK_DEPTH_MAX);
	words[STACK_DEPTH_MAX - 2] = 0;
	assert_end(UNWIND_COMPLETE, STACK_DEPTH_MAX - 1);
}

static void test_unwind_plt_entry_depends_on_how_far_it_got(void **state)
{
	(void)state;
	rules[1] = (struct unwind_rule){.cfa = CFA_PLT, .offset = 11};
	words[0] = code(2);
	words[1] = code(2) + 1;
	event.ip = CODE + 16 + 10;
	assert_end(UNWIND_COMPLETE, 2);
	assert_true(ip[1] == code(2));
	event.ip++;
	assert_end(UNWIND_COMPLETE, 2);
	assert_true(ip[1] == code(2) + 1);
}

static void test_unwind_realigned_frame_finds_cfa_in_memory(void **state)
{
	(void)state;
	rules[1] = (struct unwind_rule){.cfa = CFA_BP_DEREF, .bp_offset = -8, .offset = 0};
	rules[4] = (struct unwind_rule){.cfa = CFA_BP, .offset = 8};
	event.bp = STACK + 32;
	words[3] = STACK + 80;
	words[4] = STACK + 160; /* the caller's bp */
	words[9] = code(4);
	words[20] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == code(4) && ip[2] == code(2));
	event.bp = STACK + 256;
	assert_end(UNWIND_UNREADABLE, 1);
}

/* The interrupted instruction may be the first of its function: its own rule counts, not that of the code before. */
static void test_unwind_signal_frame_is_exact(void **state)
{
	(void)state;
	rules[6] = (struct unwind_rule){.cfa = CFA_SIGNAL};
	rules[7] = (struct unwind_rule){.cfa = CFA_BP, .offset = 8};
	event.ip = code(6);
	words[UNWIND_SIGNAL_IP / 8] = CODE + 16 * 7;
	words[UNWIND_SIGNAL_SP / 8] = STACK + 200;
	words[UNWIND_SIGNAL_BP / 8] = STACK + 216;
	words[27] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == CODE + 16 * 7 + 1 && ip[2] == code(2));
	/* The frame after that holds a return address again. */
	words[27] = CODE + 16 * 3;
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[2] == CODE + 16 * 3);
	event.size = UNWIND_SIGNAL_IP;
	assert_end(UNWIND_UNREADABLE, 1);
}

static void test_unwind_signal_frame_on_another_stack_is_unreadable(void **state)
{
	(void)state;
	rules[6] = (struct unwind_rule){.cfa = CFA_SIGNAL};
	event.ip = code(6);
	words[UNWIND_SIGNAL_IP / 8] = code(1);
	words[UNWIND_SIGNAL_SP / 8] = STACK - 0x10000;
	assert_end(UNWIND_UNREADABLE, 2);
}

static void test_unwind_code_without_file_goes_by_frame_pointer(void **state)
{
	(void)state;
	event.ip = OTHER_CODE + 8;
	event.bp = STACK + 32;
	words[4] = STACK + 64;
	words[5] = OTHER_CODE + 16;
	words[8] = 0;
	words[9] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == OTHER_CODE + 16 && ip[2] == code(2));
	event.bp = STACK;
	assert_end(UNWIND_NO_RULE, 1);
	event.bp = 0;
	assert_end(UNWIND_NO_RULE, 1);
}

/* --- the unwinder, on made-up stacks --- */

static struct recorder *recorder;
static struct unwinder *unwinder;
static struct process *process;

static int setup_unwinder(void **state)
{
	struct recorder_options options = {.sample_bytes = 1};

	setup(state);
	recorder = recorder_new(&options);
	unwinder = unwinder_new(NULL, recorder);
	if (!recorder || !unwinder || recorder_begin(recorder, PROCESS, 500, 1, 10, &process))
		return -1;
	map_made_up(process->mappings);
	words[1] = code(2);
	return 0;
}

static int teardown_unwinder(void **state)
{
	unwinder_free(unwinder);
	recorder_free(recorder);
	return teardown(state);
}

static size_t event_bytes(void)
{
	return offsetof(struct event_raw, bytes) + event.size;
}

static void add(u64 id)
{
	event.stack = id;
	assert_int_equal(unwinder_add(unwinder, &event, event_bytes()), 0);
}

static const struct stack *found(u64 id)
{
	return stack_table_find(&process->stacks, id);
}

static void test_unwinder_malformed_event_is_refused(void **state)
{
	(void)state;
	assert_int_equal(unwinder_add(unwinder, &event, 0), -EBADMSG);
	assert_int_equal(unwinder_add(unwinder, &event, offsetof(struct event_raw, bytes) - 1), -EBADMSG);
	assert_int_equal(unwinder_add(unwinder, &event, event_bytes() - 1), -EBADMSG);
	event.size = RAW_STACK_BYTES + 1;
	assert_int_equal(unwinder_add(unwinder, &event, sizeof(event) + 8), -EBADMSG);
	event.size = UINT32_MAX;
	assert_int_equal(unwinder_add(unwinder, &event, sizeof(event)), -EBADMSG);
	unwinder_settle(unwinder, true);
	assert_null(process->stacks.stacks);
}

static void test_unwinder_settles_what_has_its_tables(void **state)
{
	(void)state;
	add(STACK_ID);
	assert_null(found(STACK_ID));
	unwinder_settle(unwinder, false);
	assert_non_null(found(STACK_ID));
	assert_int_equal(found(STACK_ID)->depth, 2);
	assert_true(found(STACK_ID)->ip[1] == code(2));
	assert_int_equal(found(STACK_ID)->first_ns, 50);
	assert_false(found(STACK_ID)->truncated);
	for (u32 i = 0; i < COUNTER_MAX; i++)
		assert_int_equal(process->ledger[i], 0);
}

static void test_unwinder_waits_for_tables(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	add(STACK_ID);
	add(STACK_ID + 1);
	for (u32 i = 0; i < 3; i++)
		unwinder_settle(unwinder, false);
	assert_null(process->stacks.stacks);
	rule_error = 0;
	add(STACK_ID + 2);
	unwinder_settle(unwinder, false);
	for (u64 id = STACK_ID; id < STACK_ID + 3; id++)
		assert_int_equal(found(id)->depth, 2);
	add(STACK_ID + 3);
	unwinder_settle(unwinder, false);
	assert_non_null(found(STACK_ID + 3));
}

static void test_unwinder_at_the_end_missing_tables_end_stacks(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	add(STACK_ID);
	unwinder_settle(unwinder, true);
	assert_int_equal(found(STACK_ID)->depth, 1);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_RULE], 1);
	assert_int_equal(waits, WAITS_MAX);
}

/* Of an image that ended at once nobody asked for tables before: each file's is asked for where a walk gets to it. */
static void test_unwinder_at_the_end_waits_for_one_table_after_the_other(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	waits_needed = 3;
	add(STACK_ID);
	unwinder_settle(unwinder, true);
	assert_int_equal(waits, 3);
	assert_int_equal(found(STACK_ID)->depth, 2);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_RULE], 0);
}

static void test_unwinder_no_memory_for_table_is_no_reason_to_guess(void **state)
{
	(void)state;
	rule_error = -ENOMEM;
	event.bp = STACK + 32;
	add(STACK_ID);
	unwinder_settle(unwinder, true);
	assert_int_equal(found(STACK_ID)->depth, 1);
	assert_int_equal(process->ledger[COUNTER_STACK_FRAME_POINTER], 0);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_RULE], 1);
}

/* Word of it comes through another stream. */
static void test_unwinder_waits_one_look_for_mapping(void **state)
{
	(void)state;
	words[1] = BEHIND_CODE + 15;
	rules[0] = (struct unwind_rule){.cfa = CFA_END};
	add(STACK_ID);
	unwinder_settle(unwinder, false);
	assert_null(found(STACK_ID));
	map(process->mappings, CODE_END, CODE_END + 0x1000, 40, made_up);
	unwinder_settle(unwinder, false);
	assert_int_equal(found(STACK_ID)->depth, 2);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_MAPPING], 0);
}

static void test_unwinder_no_mapping_at_second_look_is_counted(void **state)
{
	(void)state;
	words[1] = BEHIND_CODE;
	add(STACK_ID);
	unwinder_settle(unwinder, false);
	assert_null(found(STACK_ID));
	unwinder_settle(unwinder, false);
	assert_int_equal(found(STACK_ID)->depth, 2);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_MAPPING], 1);
}

static void test_unwinder_counts_every_end(void **state)
{
	(void)state;
	words[1] = code(5);
	event.bp = STACK;
	add(STACK_ID);
	words[1] = code(3);
	rules[3] = (struct unwind_rule){.cfa = CFA_BP, .offset = 16};
	event.bp = STACK;
	add(STACK_ID + 1);
	event.bp = 0;
	add(STACK_ID + 2);
	words[1] = OTHER_CODE + 8;
	event.bp = STACK + 32;
	words[5] = code(2);
	add(STACK_ID + 3);
	rules[8].cfa = CFA_SP;
	rules[8].offset = 8;
	event.ip = code(8);
	event.size = RAW_STACK_BYTES;
	for (u32 i = 0; i < 200; i++)
		words[i] = code(8);
	add(STACK_ID + 4);
	unwinder_settle(unwinder, false);
	assert_int_equal(process->ledger[COUNTER_STACK_NO_RULE], 1);
	assert_int_equal(process->ledger[COUNTER_STACK_STUCK], 1);
	assert_int_equal(process->ledger[COUNTER_STACK_UNREADABLE], 1);
	assert_int_equal(process->ledger[COUNTER_STACK_FRAME_POINTER], 1);
	assert_int_equal(process->ledger[COUNTER_STACK_TRUNCATED], 1);
	assert_true(found(STACK_ID + 4)->truncated);
	assert_int_equal(found(STACK_ID + 3)->depth, 3);
}

static void test_unwinder_stack_of_unknown_process_is_dropped(void **state)
{
	(void)state;
	event.header.process = PROCESS + 1;
	add(STACK_ID);
	unwinder_settle(unwinder, false);
	event.header.process = PROCESS;
	add(STACK_ID + 1);
	unwinder_settle(unwinder, false);
	assert_null(found(STACK_ID));
	assert_non_null(found(STACK_ID + 1));
}

static void test_unwinder_free_with_stacks_left(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	add(STACK_ID);
	add(STACK_ID + 1);
	unwinder_settle(unwinder, false);
	unwinder_free(NULL);
}

#define REAL(name)     cmocka_unit_test_setup_teardown(name, setup_real, teardown_real)
#define TEST(name)     cmocka_unit_test_setup_teardown(name, setup, teardown)
#define UNWINDER(name) cmocka_unit_test_setup_teardown(name, setup_unwinder, teardown_unwinder)

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
		TEST(test_unwind_undefined_return_address_is_complete),
		TEST(test_unwind_return_address_zero_is_complete),
		TEST(test_unwind_code_in_no_mapping_ends),
		TEST(test_unwind_mapping_is_that_of_the_time),
		TEST(test_unwind_table_not_ready_says_so),
		TEST(test_unwind_unknown_rule_ends),
		TEST(test_unwind_unknown_rule_at_the_outermost_frame_is_complete),
		TEST(test_unwind_word_outside_the_copy_is_unreadable),
		TEST(test_unwind_saved_bp_outside_the_copy_is_unreadable),
		TEST(test_unwind_stack_that_goes_back_is_stuck),
		TEST(test_unwind_as_deep_as_the_programs_go),
		TEST(test_unwind_plt_entry_depends_on_how_far_it_got),
		TEST(test_unwind_realigned_frame_finds_cfa_in_memory),
		TEST(test_unwind_signal_frame_is_exact),
		TEST(test_unwind_signal_frame_on_another_stack_is_unreadable),
		TEST(test_unwind_code_without_file_goes_by_frame_pointer),
		UNWINDER(test_unwinder_malformed_event_is_refused),
		UNWINDER(test_unwinder_settles_what_has_its_tables),
		UNWINDER(test_unwinder_waits_for_tables),
		UNWINDER(test_unwinder_at_the_end_missing_tables_end_stacks),
		UNWINDER(test_unwinder_at_the_end_waits_for_one_table_after_the_other),
		UNWINDER(test_unwinder_no_memory_for_table_is_no_reason_to_guess),
		UNWINDER(test_unwinder_waits_one_look_for_mapping),
		UNWINDER(test_unwinder_no_mapping_at_second_look_is_counted),
		UNWINDER(test_unwinder_counts_every_end),
		UNWINDER(test_unwinder_stack_of_unknown_process_is_dropped),
		UNWINDER(test_unwinder_free_with_stacks_left),
	};

	backtrace(expected, 1); /* it loads a library the first time */
	capture_main();
	return cmocka_run_group_tests_name("unwind", tests, NULL, NULL);
}
