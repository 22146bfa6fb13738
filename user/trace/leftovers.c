/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "system/address_map.h"
#include "system/breakpoints.h"
#include "system/procfs.h"
#include "trace/link_keeper.h"

#define PLACES_MAX 4096 /* each is a probe for a moment */
#define PAGE	   4096

/* A place in a file where a process has a breakpoint. */
struct place {
	dev_t device;
	ino_t inode;
	u64 offset;
	int file;
	u32 leg;    /* of the probe there; 0: none */
	void *page; /* of the file, while the probe is there */
};

struct search {
	struct place *places;
	u32 count;
	u32 found; /* breakpoints in the process that is looked at */
};

/* Many processes have the same file, and the same breakpoints. */
static const struct place *find(const struct search *search, const struct mapping *mapping, u64 offset, bool *ret_same)
{
	const struct place *other = NULL;

	*ret_same = false;
	for (u32 i = 0; i < search->count && !*ret_same; i++) {
		const struct place *place = &search->places[i];

		if (place->device != mapping->device || place->inode != mapping->inode)
			continue;
		other = place;
		*ret_same = place->offset == offset;
	}
	return other;
}

static int add(const struct mapping *mapping, int file, u64 offset, void *arg)
{
	struct search *search = arg;
	const struct place *other;
	int kept;
	bool same;

	search->found++;
	other = find(search, mapping, offset, &same);
	if (same || search->count == PLACES_MAX)
		return 0;
	if (array_grow(&search->places, search->count, 1))
		return -ENOMEM;
	kept = other ? other->file : fcntl(file, F_DUPFD_CLOEXEC, 0);
	if (kept < 0)
		return -errno;
	search->places[search->count++] = (struct place){mapping->device, mapping->inode, offset, kept, 0, MAP_FAILED};
	return 0;
}

/* Breakpoints of a debugger, or of the program itself, which means to handle them. */
static bool has_breakpoints_of_its_own(pid_t pid)
{
	return procfs_tracer(pid) || procfs_catches(pid, SIGTRAP);
}

/* Breakpoints in each of the processes. 0, -ENOMEM or -EMFILE. */
static int look(const struct pid_list *pids, struct search *search, u32 *counts, struct leftovers *ret)
{
	ret->looked = ret->unread = 0;
	for (unsigned int i = 0; i < pids->count; i++) {
		int err;

		counts[i] = 0;
		if (link_keeper_is_own(pids->pids[i]) || has_breakpoints_of_its_own(pids->pids[i]))
			continue;
		search->found = 0;
		err = breakpoints_for_each(pids->pids[i], add, search);
		if (err == -ENOMEM || err == -EMFILE)
			return err;
		counts[i] = search->found;
		ret->looked += !err;
		ret->unread += err == -EACCES || err == -EPERM;
	}
	return 0;
}

/*
 * A place that cannot be probed keeps what it has. The kernel reads the instruction that it will put back when it first places
 * the probe in a process; where it has placed none it would put back a zero. So this process maps the code.
 */
static void probe_and_remove(struct search *search)
{
	for (u32 i = 0; i < search->count; i++) {
		struct place *place = &search->places[i];
		struct link_leg leg = {.event_only = true, .count = 1, .pid = getpid(), .offsets = {place->offset}};

		place->page = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, place->file,
				   (off_t)(place->offset / PAGE * PAGE));
		if (place->page == MAP_FAILED || link_keeper_open(&leg, place->file, place->file, &place->leg))
			place->leg = 0;
	}
	for (u32 i = 0; i < search->count; i++)
		if (search->places[i].leg)
			link_keeper_close(search->places[i].leg);
	link_keeper_wait();
	for (u32 i = 0; i < search->count; i++)
		if (search->places[i].page != MAP_FAILED)
			munmap(search->places[i].page, PAGE);
}

static void compare(const struct pid_list *pids, const u32 *before, const u32 *after, struct leftovers *ret)
{
	for (unsigned int i = 0; i < pids->count; i++) {
		u32 removed = before[i] > after[i] ? before[i] - after[i] : 0;

		if (removed && !ret->processes++)
			ret->first = pids->pids[i];
		ret->removed += removed;
		ret->staying += after[i];
	}
}

static void release(struct search *search)
{
	for (u32 i = 0; i < search->count; i++) {
		bool first = true;

		/* Places in one file share its descriptor. */
		for (u32 j = 0; j < i && first; j++)
			first = search->places[j].file != search->places[i].file;
		if (first)
			close(search->places[i].file);
	}
	free(search->places);
	*search = (struct search){0};
}

int leftovers_remove(const struct pid_list *pids, struct leftovers *ret)
{
	u32 *before = calloc(pids->count + 1UL, sizeof(*before)), *after = calloc(pids->count + 1UL, sizeof(*after));
	struct search search = {0};
	int err = before && after ? 0 : -ENOMEM;

	*ret = (struct leftovers){0};
	if (!err)
		err = look(pids, &search, before, ret);
	if (!err && search.count) {
		probe_and_remove(&search);
		release(&search);
		err = look(pids, &search, after, ret);
		if (!err)
			compare(pids, before, after, ret);
	}
	release(&search);
	free(before);
	free(after);
	return err;
}
