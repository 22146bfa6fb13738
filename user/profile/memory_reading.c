/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/memory_reading.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "profile/glibc_arena.h"
#include "profile/memory_map.h"
#include "profile/profile.h"
#include "profile/stack_split.h"
#include "system/procfs.h"
#include "system/residency.h"
#include "system/smaps.h"
#include "system/stack_pointers.h"

#define SHARE	 100 /* one part of so many of the time is for reading */
#define LEAST_NS 1000000000ULL

#define PAGE_BYTES   4096
#define PAGE_PRESENT (1ULL << 63) /* in an entry of the page table: Documentation/admin-guide/mm/pagemap.rst */

struct last_memory {
	pthread_mutex_t lock;
	u32 holders;
	struct memory_parts parts;
	u64 begun_ns, due_ns; /* CLOCK_MONOTONIC */
};

struct last_memory *last_memory_new(void)
{
	struct last_memory *last = calloc(1, sizeof(*last));

	if (!last)
		return NULL;
	pthread_mutex_init(&last->lock, NULL);
	last->holders = 1;
	return last;
}

struct last_memory *last_memory_hold(struct last_memory *last)
{
	if (last)
		__atomic_add_fetch(&last->holders, 1, __ATOMIC_RELAXED);
	return last;
}

void last_memory_release(struct last_memory *last)
{
	if (!last || __atomic_sub_fetch(&last->holders, 1, __ATOMIC_ACQ_REL))
		return;
	pthread_mutex_destroy(&last->lock);
	free(last);
}

struct memory_parts last_memory_get(struct last_memory *last)
{
	struct memory_parts parts = {0};

	if (!last)
		return parts;
	pthread_mutex_lock(&last->lock);
	parts = last->parts;
	pthread_mutex_unlock(&last->lock);
	return parts;
}

bool last_memory_is_due(struct last_memory *last)
{
	bool due;

	pthread_mutex_lock(&last->lock);
	due = clock_now_ns() >= last->due_ns;
	pthread_mutex_unlock(&last->lock);
	return due;
}

/* Two may have read at once: the later moment stays. */
static void keep(struct last_memory *last, const struct memory_parts *parts, u64 begun_ns)
{
	u64 now_ns = clock_now_ns(), wait_ns = (now_ns - begun_ns) * SHARE;

	if (!last || !parts->known)
		return;
	pthread_mutex_lock(&last->lock);
	last->due_ns = now_ns + (wait_ns > LEAST_NS ? wait_ns : LEAST_NS);
	if (begun_ns >= last->begun_ns) {
		last->begun_ns = begun_ns;
		last->parts = *parts;
	}
	pthread_mutex_unlock(&last->lock);
}

struct memory {
	pid_t pid;
	int page_table; /* /proc/PID/pagemap; negative: it cannot be looked at */
};

static bool is_present(const struct memory *memory, u64 address)
{
	u64 entry;

	return pread(memory->page_table, &entry, sizeof(entry), (off_t)(address / PAGE_BYTES * sizeof(entry))) ==
		       sizeof(entry) &&
	       entry & PAGE_PRESENT;
}

/* Not more than a page. To read one that is not there would bring it into the process's memory. */
static bool read_process(void *arg, u64 address, void *to, u64 size)
{
	const struct memory *memory = arg;
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)address, size};
	u64 last = address + size - 1;

	return is_present(memory, address) && (address / PAGE_BYTES == last / PAGE_BYTES || is_present(memory, last)) &&
	       process_vm_readv(memory->pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static struct memory memory_open(pid_t pid)
{
	char path[PATH_MAX];

	return (struct memory){pid, open(text_path(path, "/proc/%d/pagemap", pid), O_RDONLY | O_CLOEXEC)};
}

static void memory_close(const struct memory *memory)
{
	if (memory->page_table >= 0)
		close(memory->page_table);
}

/* By area; NULL: no memory, then none is known. */
static bool *find_arenas(pid_t pid, const struct smaps *smaps)
{
	bool *arenas = calloc(smaps->count + 1UL, sizeof(*arenas));
	struct memory memory = memory_open(pid);

	for (u32 i = 0; arenas && i < smaps->count; i++)
		arenas[i] = smaps->areas[i].resident && glibc_heap_is(&smaps->areas[i], read_process, &memory);
	memory_close(&memory);
	return arenas;
}

/* --- stacks --- */

#define STACK_UNLIMITED (2ULL << 20) /* glibc's where the limit is none (sysdeps/x86_64/nptl/pthreaddef.h) */

static u64 stack_bytes(pid_t pid)
{
	struct rlimit limit;

	if (prlimit(pid, RLIMIT_STACK, NULL, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return STACK_UNLIMITED;
	return limit.rlim_cur;
}

static bool count_pages(void *arg, u64 start, u64 end, u64 *ret_resident, u64 *ret_swapped)
{
	struct residency pages = {.addr = start, .size = end - start};
	int err = residency_read(*(const pid_t *)arg, &pages, 1, 0);

	*ret_resident = pages.resident;
	*ret_swapped = pages.swapped;
	return !err && pages.seen;
}

/* The map's pointers, to be freed; stacks become areas of their own. 0 or negative errno. */
static int find_stacks(pid_t pid, struct smaps *smaps, u64 **ret_pointers, u32 *ret_count)
{
	int err = stack_pointers_read(pid, ret_pointers, ret_count);

	return err ? err : stack_split(smaps, *ret_pointers, *ret_count, stack_bytes(pid), count_pages, &pid);
}

/* --- what the allocator keeps free --- */

static bool is_libc(const struct smaps_area *area)
{
	return area->file && (strstr(area->name, "/libc.so.") || strstr(area->name, "/libc-2."));
}

/* Data of a file that has code, of a program without libc. */
static bool is_static(const struct smaps *smaps, const struct smaps_area *area)
{
	bool has_code = false;

	if (!area->file)
		return false;
	for (u32 i = 0; i < smaps->count; i++) {
		if (is_libc(&smaps->areas[i]))
			return false;
		has_code |= smaps->areas[i].executable && !strcmp(smaps->areas[i].name, area->name);
	}
	return has_code;
}

/* glibc's main arena; 0: there is none. */
static u64 find_arena(struct memory *memory, const struct smaps *smaps)
{
	u64 found = 0;

	for (u32 i = 0; i < smaps->count && !found; i++) {
		const struct smaps_area *area = &smaps->areas[i];

		if (area->writable && (is_libc(area) || is_static(smaps, area)))
			found = glibc_arena_find(area, read_process, memory);
	}
	return found;
}

static void add_free(pid_t pid, struct glibc_blocks *free, struct memory_parts *parts)
{
	if (residency_read(pid, free->blocks, free->count, 0))
		return;
	parts->free_known = true;
	for (u32 i = 0; i < free->count; i++)
		parts->free += free->blocks[i].resident;
}

/* Free blocks are linked to each other by what stands in them. Where they are swapped out, to read that would bring them back. */
static void count_free(pid_t pid, const struct smaps *smaps, struct memory_parts *parts)
{
	struct memory memory = memory_open(pid);
	u64 arena = parts->part[MEMORY_HEAP].swap ? 0 : find_arena(&memory, smaps);
	struct glibc_blocks free = {0};

	if (arena && !glibc_arena_list(arena, read_process, &memory, &free))
		add_free(pid, &free, parts);
	glibc_blocks_release(&free);
	memory_close(&memory);
}

static struct memory_parts classify(const struct memory_notes *notes, struct smaps *smaps)
{
	struct memory_map map = {.smaps = smaps, .places = notes->places, .place_count = notes->place_count};
	struct memory_parts parts = {0};
	u64 *pointers = NULL;
	bool *arenas = NULL;

	if (!find_stacks(notes->pid, smaps, &pointers, &map.pointer_count)) {
		map.pointers = pointers;
		map.arenas = arenas = find_arenas(notes->pid, smaps);
		if (memory_map_parts(&map, &parts))
			parts = (struct memory_parts){0};
		else
			count_free(notes->pid, smaps, &parts);
	}
	free(pointers);
	free(arenas);
	return parts;
}

struct memory_parts memory_read(struct memory_notes *notes)
{
	struct memory_parts parts = {0};
	struct smaps smaps;
	u64 begun_ns = clock_now_ns(), counter = procfs_rss_bytes(notes->pid);

	if (!smaps_read(notes->smaps, &smaps)) {
		parts = classify(notes, &smaps);
		/* What has ended meanwhile could not be looked into: blocks of its heap would count as others. */
		parts.known = parts.known && procfs_rss_bytes(notes->pid);
		parts.counter = counter;
		parts.read_unix_ns = clock_now_ns() + notes->unix_offset_ns;
		parts.inuse_known = notes->inuse_known;
		parts.inuse = notes->inuse;
		parts.inuse_error = notes->inuse_error;
		keep(notes->last, &parts, begun_ns);
	}
	notes->smaps = -1;
	smaps_release(&smaps);
	memory_notes_free(notes);
	return parts;
}

void memory_notes_free(struct memory_notes *notes)
{
	if (!notes)
		return;
	if (notes->smaps >= 0)
		close(notes->smaps);
	free(notes->places);
	last_memory_release(notes->last);
	free(notes);
}

void profile_read_memory(struct profile *profile)
{
	struct memory_parts parts;

	if (!profile->memory_notes)
		return;
	parts = memory_read(profile->memory_notes);
	profile->memory_notes = NULL;
	if (parts.known)
		profile->memory = parts;
}
