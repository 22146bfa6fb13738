/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/injection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/address_gap.h"
#include "system/interruption.h"
#include "system/parked_threads.h"
#include "system/passed_file.h"
#include "system/process_memory.h"
#include "system/procfs.h"
#include "system/shared_memory.h"

#define LIMIT_NS (200 * 1000000ULL)
#define REACH	 ((1ULL << 31) - (1 << 20))
#define TRIES	 8
#define ERRNOS	 4095

/* --- memory ----------------------------------------------------------------------------------------------------------- */

struct mapping_in {
	const struct injection_image *image;
	struct call_gate gate;
	u64 address;
};

static int map_one(struct borrowed_thread *borrowed, u64 address, u64 bytes, int protection, int flags, int file)
{
	const u64 arguments[BORROWED_ARGUMENTS] = {
		address, bytes, (u64)protection, (u64)(MAP_PRIVATE | MAP_FIXED_NOREPLACE | flags), (u64)(s64)file, 0,
	};
	s64 result;
	int err = borrowed_thread_call(borrowed, SYS_mmap, arguments, &result);

	if (err)
		return err;
	/* All of its memory is locked, and it may not lock more: that will not pass. */
	if (result == -EAGAIN)
		return -ENOMEM;
	return result < 0 && result >= -ERRNOS ? (int)result : (u64)result == address ? 0 : -EEXIST;
}

static void unmap(struct borrowed_thread *borrowed, u64 address, u64 bytes)
{
	const u64 arguments[BORROWED_ARGUMENTS] = {address, bytes};
	s64 result;

	borrowed_thread_call(borrowed, SYS_munmap, arguments, &result);
}

static int map_data(struct borrowed_thread *borrowed, const struct injection_image *image, u64 address)
{
	const u64 arguments[BORROWED_ARGUMENTS] = {address, image->wiped_bytes, MADV_WIPEONFORK};
	s64 result = 0;
	int err = map_one(borrowed, address, image->data_bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS, -1);

	if (!err && image->wiped_bytes)
		err = borrowed_thread_call(borrowed, SYS_madvise, arguments, &result);
	if (result < 0) {
		unmap(borrowed, address, image->data_bytes);
		return (int)result;
	}
	return err;
}

/* -EEXIST: another thread has mapped something there meanwhile. */
static int map_both(struct borrowed_thread *borrowed, const struct injection_image *image, int file, u64 address)
{
	int err = map_one(borrowed, address, image->bytes, PROT_READ | PROT_EXEC, 0, file);

	if (err)
		return err;
	err = map_data(borrowed, image, address + image->bytes);
	if (err)
		unmap(borrowed, address, image->bytes);
	return err;
}

static int find_place(pid_t pid, const struct injection_image *image, u64 *ret_address)
{
	struct gap_request request = {
		.start = image->near,
		.end = image->near_end,
		.bytes = image->bytes + image->data_bytes,
		.reach = REACH,
	};

	return address_gap_find(pid, &request, ret_address);
}

static int map_file(struct borrowed_thread *borrowed, struct mapping_in *mapping, int file)
{
	const struct injection_image *image = mapping->image;
	int err = -EEXIST;

	for (int i = 0; i < TRIES && err == -EEXIST; i++) {
		err = find_place(borrowed->threads->pid, image, &mapping->address);
		if (!err)
			err = map_both(borrowed, image, file, mapping->address);
	}
	return err;
}

static int map_image(struct stopped_threads *threads, void *arg)
{
	struct mapping_in *mapping = arg;
	struct borrowed_thread borrowed;
	int file, end_err, err = borrowed_thread_begin(threads, &mapping->gate, &borrowed);

	if (err)
		return err;
	err = passed_file_give(&borrowed, mapping->image->file, &file);
	if (!err) {
		err = map_file(&borrowed, mapping, file);
		passed_file_close(&borrowed, file);
	}
	end_err = borrowed_thread_end(&borrowed);
	return err ? err : end_err;
}

/* 0, or why descriptors and calls are not to be had from it. */
static int find_gate(pid_t pid, struct call_gate *ret_gate)
{
	pid_t live = procfs_live_thread(pid);

	return live == pid ? call_gate_find(pid, ret_gate) : live ? -EOWNERDEAD : -ESRCH;
}

int injection_examine(pid_t pid, const struct injection_image *image, u64 *ret_address)
{
	struct call_gate gate;
	int err = find_gate(pid, &gate);

	if (!err && procfs_tracer(pid))
		err = -EPERM;
	if (!err && procfs_has_shadow_stack(pid))
		err = -EOPNOTSUPP;
	if (!err && (procfs_is_stopped(pid) || shared_memory_has_others(pid)))
		err = -EBUSY;
	return err ? err : find_place(pid, image, ret_address);
}

int injection_map(pid_t pid, const struct injection_image *image, u64 *ret_address, u64 *ret_stopped_ns)
{
	struct mapping_in mapping = {.image = image};
	int err = find_gate(pid, &mapping.gate);

	if (!err)
		err = stopped_threads_do(pid, STOPPED_ONE, LIMIT_NS, map_image, &mapping, ret_stopped_ns);
	*ret_address = mapping.address;
	return err;
}

/* --- jumps ------------------------------------------------------------------------------------------------------------ */

struct patching {
	const struct injection_patch *patches;
	u32 count;
	const struct injection_turn *turn;
};

static bool has(int memory, u64 address, const u8 *bytes, size_t size)
{
	u8 found[INJECTION_CODE_MAX];

	return pread(memory, found, size, (off_t)address) == (ssize_t)size && !memcmp(found, bytes, size);
}

static int write_jump(int memory, const struct injection_patch *patch, const u8 *bytes)
{
	ssize_t written = pwrite(memory, bytes, patch->jump_size, (off_t)patch->address);

	interruption_point();
	return written == patch->jump_size ? 0 : written < 0 ? -errno : -EFAULT;
}

static u64 target(const struct injection_patch *patch)
{
	s32 distance;

	memcpy(&distance, patch->becomes + INJECTION_JUMP - sizeof(distance), sizeof(distance));
	return patch->address + INJECTION_JUMP + (u64)(s64)distance;
}

static int compare(int memory, const struct injection_patch *patches, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (!has(memory, patches[i].address, patches[i].was, patches[i].size))
			return -EILSEQ;
	return 0;
}

int injection_compare(pid_t pid, const struct injection_patch *patches, u32 count)
{
	int memory = process_memory_open(pid, O_RDONLY), err;

	if (memory < 0)
		return memory;
	err = compare(memory, patches, count);
	close(memory);
	return err;
}

static int check_before(const struct stopped_threads *threads, const struct patching *patching)
{
	const struct injection_patch *patches = patching->patches;
	int err = compare(threads->memory, patches, patching->count);

	if (err)
		return err;
	for (u32 i = 0; i < patching->count; i++)
		if (patches[i].jump_size == INJECTION_JUMP &&
		    !has(threads->memory, target(&patches[i]), patches[i].witness, INJECTION_WITNESS))
			return -ENOEXEC;
	return shared_memory_has_others(threads->pid) ? -EBUSY : 0;
}

/* Threads are moved first: where they go to is there already. One that was not written whole is put back too. */
static int move_and_write(struct stopped_threads *threads, const struct patching *patching)
{
	const struct injection_patch *patches = patching->patches;
	int err = parked_threads_move(threads, patches, patching->count);
	u32 begun = 0;

	while (!err && begun < patching->count) {
		err = write_jump(threads->memory, &patches[begun], patches[begun].becomes);
		begun++;
	}
	while (err && begun-- > 0)
		write_jump(threads->memory, &patches[begun], patches[begun].was);
	return err;
}

static int patch_all(struct stopped_threads *threads, void *arg)
{
	const struct patching *patching = arg;
	const struct injection_turn *turn = patching->turn;
	int err = check_before(threads, patching);

	if (!err && turn)
		err = turn->turn(threads, true, turn->arg);
	if (err)
		return err;
	err = move_and_write(threads, patching);
	if (err && turn)
		turn->turn(threads, false, turn->arg);
	return err;
}

int injection_patch(pid_t pid, const struct injection_patch *patches, u32 count, const struct injection_turn *turn,
		    u64 *ret_stopped_ns)
{
	struct patching patching = {.patches = patches, .count = count, .turn = turn};

	/* Its parent would not stop, and the others would wait for it in vain. */
	if (shared_memory_has_others(pid))
		return -EBUSY;
	return stopped_threads_do(pid, STOPPED_ALL, LIMIT_NS, patch_all, &patching, ret_stopped_ns);
}

static int undo_one(int memory, const struct injection_patch *patch)
{
	if (has(memory, patch->address, patch->becomes, patch->jump_size))
		return write_jump(memory, patch, patch->was);
	return has(memory, patch->address, patch->was, patch->jump_size) ? 0 : -EILSEQ;
}

static int undo_those(const struct stopped_threads *threads, const struct patching *patching, bool landing)
{
	int first_err = 0;

	for (u32 i = patching->count; i-- > 0;) {
		const struct injection_patch *patch = &patching->patches[i];
		int err = patch->landing == landing ? undo_one(threads->memory, patch) : 0;

		first_err = first_err ? first_err : err;
	}
	return first_err;
}

/* What leads to a landing is gone by now, but a thread may stand there, and would go on in what was behind the padding. */
static int leave_landings(struct stopped_threads *threads, const struct patching *patching)
{
	struct injection_patch *landings = calloc(patching->count, sizeof(*landings));
	u32 count = 0;
	int err;

	if (!landings)
		return -ENOMEM;
	for (u32 i = 0; i < patching->count; i++) {
		const struct injection_patch *patch = &patching->patches[i];

		if (patch->landing && has(threads->memory, patch->address, patch->becomes, INJECTION_JUMP))
			landings[count++] = (struct injection_patch){
				.address = patch->address - 1,
				.jump_size = 2,
				.move_count = 1,
				.moves = {{.from = patch->address, .to = target(patch)}},
			};
	}
	err = count ? parked_threads_move(threads, landings, count) : 0;
	free(landings);
	return err;
}

/* A thread that stands at another jump goes on in the instructions that were there: it moves nothing else. */
int injection_undo_stopped(struct stopped_threads *threads, const struct injection_patch *patches, u32 count)
{
	const struct patching patching = {.patches = patches, .count = count};
	int first_err, err;

	if (shared_memory_has_others(threads->pid))
		return -EBUSY;
	first_err = undo_those(threads, &patching, false);
	err = leave_landings(threads, &patching);
	if (!err)
		err = undo_those(threads, &patching, true);
	return first_err ? first_err : err;
}

static int undo_all(struct stopped_threads *threads, void *arg)
{
	const struct patching *patching = arg;

	return injection_undo_stopped(threads, patching->patches, patching->count);
}

int injection_undo(pid_t pid, const struct injection_patch *patches, u32 count, u64 *ret_stopped_ns)
{
	struct patching patching = {.patches = patches, .count = count};

	if (shared_memory_has_others(pid))
		return -EBUSY;
	return stopped_threads_do(pid, STOPPED_ALL, LIMIT_NS, undo_all, &patching, ret_stopped_ns);
}

bool injection_may_pass(int err)
{
	return err == -EBUSY || err == -EAGAIN || err == -ETIMEDOUT || err == -ETIME;
}

const char *injection_refusal(int err)
{
	static const struct {
		int err;
		const char *sentence;
	} refusals[] = {
		{-ESRCH, "it has ended"},
		{-EPERM, "it may not be traced, or a debugger has it"},
		{-ETIMEDOUT, "a thread of it does not stop"},
		{-ETIME, "a thread of it got no processor to stop on"},
		{-EBUSY, "it is stopped, or a child runs in its memory"},
		{-EAGAIN, "its threads are never where it could be done"},
		{PROCESS_MEMORY_FOREIGN, "its memory is another user's, which takes CAP_DAC_OVERRIDE"},
		{-EACCES,
		 "a seccomp filter, its security policy, or its own dispatch of system calls forbids what is needed"},
		{-EOPNOTSUPP, "its threads have shadow stacks, or registers that cannot be kept"},
		{-ENOENT, "it has no code by which it could be made to call the kernel"},
		{-ENOSPC, "there is no place in its memory"},
		{-EILSEQ, "its code is not what the file has"},
		{-ENOEXEC, "it executes another program"},
		{-EOWNERDEAD, "its first thread has ended"},
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (refusals[i].err == err)
			return refusals[i].sentence;
	return strerror(-err);
}
