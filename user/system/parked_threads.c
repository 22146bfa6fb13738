/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/parked_threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/stream.h"
#include "system/interruption.h"
#include "system/procfs.h"

#define STACK_MAX (8UL << 20) /* of each thread that is looked through */
#define PIECE	  (64UL << 10)

/* Memory that may hold a stack. */
struct area {
	u64 start, end;
};

struct scan {
	const struct stopped_threads *threads;
	const struct injection_patch *patches;
	u32 count;
	struct area *areas;
	u32 area_count;
	u64 *piece;
	u64 first, span; /* what all patches are within: most words are not */
};

/* Behind the first byte: to that one everything may come back, and finds the jump. */
static const struct injection_patch *patch_around(const struct injection_patch *patches, u32 count, u64 address)
{
	for (u32 i = 0; i < count; i++)
		if (address > patches[i].address && address < patches[i].address + patches[i].jump_size)
			return &patches[i];
	return NULL;
}

static u64 moved_to(const struct injection_patch *patch, u64 address)
{
	for (u8 i = 0; i < patch->move_count; i++)
		if (patch->moves[i].from == address)
			return patch->moves[i].to;
	return 0;
}

/* --- stacks ----------------------------------------------------------------------------------------------------------- */

static int read_areas(struct scan *scan)
{
	char path[32], *line = NULL;
	size_t room = 0;
	FILE *maps;
	int err = 0;

	/* A first thread that has ended has no memory any longer. */
	snprintf(path, sizeof(path), "/proc/%d/maps", procfs_live_thread(scan->threads->pid));
	maps = fopen(path, "re");
	if (!maps)
		return procfs_failure();
	while (!err && getline(&line, &room, maps) > 0) {
		struct area area;

		if (sscanf(line, "%lx-%lx rw", &area.start, &area.end) != 2)
			continue;
		err = array_grow(&scan->areas, scan->area_count, 1);
		if (!err)
			scan->areas[scan->area_count++] = area;
	}
	if (!err)
		err = stream_read_failure(maps);
	free(line);
	fclose(maps);
	return err;
}

static const struct area *area_of(const struct scan *scan, u64 address)
{
	u64 upto = array_count_upto(scan->areas, scan->area_count, address);

	return upto && address < scan->areas[upto - 1].end ? &scan->areas[upto - 1] : NULL;
}

static bool has_way_back(const struct scan *scan, u64 words)
{
	for (u64 i = 0; i < words; i++)
		if (scan->piece[i] - scan->first < scan->span &&
		    patch_around(scan->patches, scan->count, scan->piece[i]))
			return true;
	return false;
}

/* A handler's frame lies above the stack pointer, on the same stack, and its words are aligned. */
static bool scan_stack(const struct scan *scan, u64 stack_pointer)
{
	const struct area *area = area_of(scan, stack_pointer);
	u64 at = stack_pointer & ~7ULL, end;

	/* A stack that is nowhere may have anything on it. */
	if (!area)
		return true;
	end = area->end - at > STACK_MAX ? at + STACK_MAX : area->end;
	while (at < end) {
		u64 bytes = end - at < PIECE ? end - at : PIECE;

		if (pread(scan->threads->memory, scan->piece, bytes, (off_t)at) != (ssize_t)bytes ||
		    has_way_back(scan, bytes / sizeof(u64)))
			return true;
		at += bytes;
	}
	return false;
}

static void find_span(struct scan *scan)
{
	u64 end = 0;

	scan->first = ~0ULL;
	for (u32 i = 0; i < scan->count; i++) {
		u64 address = scan->patches[i].address, behind = address + scan->patches[i].jump_size;

		scan->first = address < scan->first ? address : scan->first;
		end = behind > end ? behind : end;
	}
	scan->span = end - scan->first;
}

static int scan_stacks(struct scan *scan)
{
	int err = read_areas(scan);

	find_span(scan);
	for (u32 i = 0; i < scan->threads->count && !err; i++) {
		if (clock_now_ns() > scan->threads->until_ns)
			err = scan->threads->starved ? -ETIME : -ETIMEDOUT;
		else if (!scan->threads->threads[i].gone && scan_stack(scan, scan->threads->threads[i].registers.rsp))
			err = -EAGAIN;
	}
	return err;
}

/* --- registers -------------------------------------------------------------------------------------------------------- */

static int check_positions(const struct scan *scan)
{
	for (u32 i = 0; i < scan->threads->count; i++) {
		const struct stopped_thread *thread = &scan->threads->threads[i];
		const struct injection_patch *patch = patch_around(scan->patches, scan->count, thread->registers.rip);

		if (!thread->gone && patch && !moved_to(patch, thread->registers.rip))
			return -EAGAIN;
	}
	return 0;
}

static int move_all(const struct scan *scan)
{
	for (u32 i = 0; i < scan->threads->count; i++) {
		struct stopped_thread *thread = &scan->threads->threads[i];
		const struct injection_patch *patch = patch_around(scan->patches, scan->count, thread->registers.rip);

		if (thread->gone || !patch)
			continue;
		thread->registers.rip = moved_to(patch, thread->registers.rip);
		if (ptrace(PTRACE_SETREGS, thread->tid, NULL, &thread->registers) && errno != ESRCH)
			return -errno;
		interruption_point();
	}
	return 0;
}

int parked_threads_move(struct stopped_threads *threads, const struct injection_patch *patches, u32 count)
{
	struct scan scan = {.threads = threads, .patches = patches, .count = count, .piece = malloc(PIECE)};
	int err = scan.piece ? check_positions(&scan) : -ENOMEM;

	if (!err)
		err = scan_stacks(&scan);
	if (!err)
		err = move_all(&scan);
	free(scan.areas);
	free(scan.piece);
	return err;
}
