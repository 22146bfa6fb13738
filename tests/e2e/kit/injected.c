/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "injected.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "code.h"
#include "inline/moved_code.h"
#include "system/process_memory.h"

#define CODE_BYTES 4096
#define CODE_AT	   64

const char *const injected_kinds[INJECTED_KINDS][8] = {
	{"1", "calls", "state"},
	{"4", "calls", "state"},
	{"1", "sleeps"},
	{"3", "sleeps", "reads", "calls"},
	{"4", "calls", "forks"},
	{"1", "calls", "state", "signals"},
	{"4", "calls", "state", "signals"},
};

void injected_start(struct injected *injected, const char *const *words)
{
	const char *argv[16] = {beside("target_patient")};
	int page = memfd_create("patient", MFD_CLOEXEC), i;
	u64 until = deadline_ns();

	*injected =
		(struct injected){.target = {.in = -1, .out = -1}, .file = memfd_create("heaptap-test", MFD_CLOEXEC)};
	assert_int_equal(ftruncate(injected->file, CODE_BYTES), 0);
	assert_int_equal(ftruncate(page, sizeof(*injected->page)), 0);
	injected->page = mmap(NULL, sizeof(*injected->page), PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
	assert_true(injected->page != MAP_FAILED);
	argv[1] = format("/proc/%d/fd/%d", getpid(), page);
	for (i = 0; words[i]; i++)
		argv[2 + i] = words[i];
	injected->target.pid = child_start(&(struct child_launch){.argv = argv, .in = -1, .out = -1, .err = -1});
	while (!injected->page->ready && now_ns() < until)
		usleep(1000);
	assert_true(injected->page->ready);
	close(page);
}

void injected_await_held(const struct injected *injected)
{
	u64 until = deadline_ns();

	while (!injected->page->held && now_ns() < until)
		usleep(1000);
	assert_true(injected->page->held);
}

void injected_release(struct injected *injected)
{
	child_release(&injected->target);
	munmap(injected->page, sizeof(*injected->page));
	close(injected->file);
}

static void read_memory(const struct injected *injected, u64 address, void *bytes, size_t size)
{
	int memory = process_memory_open(injected->target.pid, O_RDONLY);

	assert_int_equal(pread(memory, bytes, size, (off_t)address), size);
	close(memory);
}

u64 injected_count(const struct injected *injected)
{
	u64 count;

	read_memory(injected, injected->address + CODE_BYTES, &count, sizeof(count));
	return count;
}

void injected_function_bytes(const struct injected *injected, u8 ret_bytes[INJECTION_CODE_MAX])
{
	read_memory(injected, injected->page->function, ret_bytes, INJECTION_CODE_MAX);
}

/* As no breakpoint changes them. */
static void read_file(const struct injected *injected, u8 bytes[INJECTION_CODE_MAX])
{
	int file = open(format("/proc/%d/exe", injected->target.pid), O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(file, bytes, INJECTION_CODE_MAX, (off_t)injected->page->offset), INJECTION_CODE_MAX);
	close(file);
}

/* lock incq counter(%rip), behind what takes the first instruction back; then the function's. */
static void make_code(struct injected *injected)
{
	static const u8 count[] = {0xf0, 0x48, 0xff, 0x05};
	u8 code[CODE_BYTES] = {0}, original[INJECTION_CODE_MAX], jump[MOVED_CODE_TAKEN_MAX];
	u64 function = injected->page->function, entry = injected->address + CODE_AT, at;
	struct injection_patch *patch = &injected->patch;
	struct moved_code moved;
	s32 distance;

	read_file(injected, original);
	assert_null(moved_code_make(original, sizeof(original), function, entry, MOVED_CODE_SECOND, &moved));
	at = moved.undo_size + sizeof(count) + sizeof(distance);
	assert_null(moved_code_make(original, sizeof(original), function, entry + at, MOVED_CODE_SECOND, &moved));
	memcpy(code + CODE_AT, moved.undo, moved.undo_size);
	memcpy(code + CODE_AT + moved.undo_size, count, sizeof(count));
	distance = (s32)(CODE_BYTES - (CODE_AT + (s32)at));
	memcpy(code + CODE_AT + at - sizeof(distance), &distance, sizeof(distance));
	memcpy(code + CODE_AT + at, moved.bytes, moved.size);
	assert_int_equal(pwrite(injected->file, code, sizeof(code), 0), sizeof(code));
	assert_true(moved_code_patch(&moved, function, entry, jump));
	*patch = (struct injection_patch){
		.address = function + moved.skip,
		.size = (u8)moved.taken,
		.jump_size = INJECTION_JUMP,
	};
	memcpy(patch->was, original + moved.skip, moved.taken);
	memcpy(patch->becomes, jump, sizeof(patch->becomes));
	memcpy(patch->witness, code + CODE_AT, sizeof(patch->witness));
	for (u32 i = 1; i + 1 < moved.place_count; i++) {
		patch->moves[patch->move_count].from = function + moved.places[i].from;
		patch->moves[patch->move_count++].to = entry + at + moved.places[i].to;
	}
}

struct tries {
	int left, late; /* of those that count, and of those in which a thread did not stop in time */
	u64 until;	/* and those in which it got no processor, which says how busy the machine is */
};

static struct tries tries_of(int tries)
{
	return (struct tries){tries, tries > 1 ? INJECTED_TRIES : tries, deadline_ns()};
}

static bool may_help(int err, struct tries *tries)
{
	if (err)
		usleep(1000);
	if (err == -ETIME)
		return now_ns() < tries->until;
	if (err == -ETIMEDOUT)
		return --tries->late > 0;
	return injection_may_pass(err) && --tries->left > 0;
}

int injected_map(struct injected *injected, int tries)
{
	struct injection_image image = {.bytes = CODE_BYTES, .data_bytes = CODE_BYTES};
	struct tries allowed = tries_of(tries);
	int err;

	image.file = open(format("/proc/self/fd/%d", injected->file), O_RDONLY | O_CLOEXEC);
	image.near = injected->page->function;
	image.near_end = image.near + CODE_AT;
	do {
		err = injection_map(injected->target.pid, &image, &injected->address, &injected->one_stopped_ns);
	} while (may_help(err, &allowed));
	close(image.file);
	if (!err)
		make_code(injected);
	return err;
}

int injected_patch(struct injected *injected, int tries)
{
	struct tries allowed = tries_of(tries);
	int err;

	do {
		err = injection_patch(injected->target.pid, &injected->patch, 1, NULL, &injected->all_stopped_ns);
	} while (may_help(err, &allowed));
	return err;
}

int injected_undo(struct injected *injected, int tries)
{
	struct tries allowed = tries_of(tries);
	int err;

	do {
		err = injection_undo(injected->target.pid, &injected->patch, 1, &injected->all_stopped_ns);
	} while (may_help(err, &allowed));
	return err;
}

/* Each thread has gone twice through its work since. */
static bool all_went_on(const struct injected *injected, const unsigned long *since)
{
	for (int i = injected->page->left; i < injected->page->threads; i++)
		if (injected->page->rounds[i] < since[i] + 2)
			return false;
	return true;
}

void injected_check(const struct injected *injected)
{
	unsigned long rounds[PATIENT_THREADS], signals = injected->page->signals;
	u64 until = deadline_ns();
	bool went_on;

	memcpy(rounds, injected->page->rounds, sizeof(rounds));
	do {
		usleep(1000);
		went_on = all_went_on(injected, rounds) && (!signals || injected->page->signals > signals);
	} while (!went_on && !injected->page->wrong && !kill(injected->target.pid, 0) && now_ns() < until);
	if (injected->page->wrong)
		fail_msg("%lu times wrong, first: %s", injected->page->wrong, injected->page->what);
	if (!went_on)
		fail_msg("the target has ended, or a thread of it does not go on");
}

void injected_cycle(struct injected *injected)
{
	u8 before[INJECTION_CODE_MAX], after[INJECTION_CODE_MAX];
	u64 count = injected_count(injected);

	injected_function_bytes(injected, before);
	assert_int_equal(injected_patch(injected, INJECTED_TRIES), 0);
	injected_check(injected);
	injected_function_bytes(injected, after);
	assert_memory_not_equal(before, after, sizeof(before));
	assert_int_equal(injected_undo(injected, INJECTED_TRIES), 0);
	if (injected->page->calls)
		assert_true(injected_count(injected) > count);
	injected_check(injected);
	injected_function_bytes(injected, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(code_changes(injected->target.pid, "target_patient"), 0);
}
