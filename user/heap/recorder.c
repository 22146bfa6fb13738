/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The images, and who is the newest of each pid. The two streams, ring and side-band, meet at exec, see succession.h;
 * what the ring's events do is in recorder_event.c.
 */
#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include "heap/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap/imagecount.h"
#include "system/address_map.h"
#include "heap/snapshot.h"
#include "heap/succession.h"

struct recorder {
	struct recorder_options options;
	struct process *processes;
	struct process *newest; /* of each pid, by pid */
	struct imagecount images;
	struct process *ended, **ended_last; /* not taken yet, in the order they ended */
	struct succession_list successions;
	struct quota quota;
};

struct recorder *recorder_new(const struct recorder_options *options)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return NULL;
	recorder->options = *options;
	recorder->ended_last = &recorder->ended;
	recorder->quota.max = options->sites_max;
	return recorder;
}

void recorder_free(struct recorder *recorder)
{
	struct process *process, *next;

	if (!recorder)
		return;
	succession_list_release(&recorder->successions);
	HASH_CLEAR(hh_by_pid, recorder->newest);
	HASH_ITER (hh, recorder->processes, process, next) {
		HASH_DEL(recorder->processes, process);
		process_free(process);
	}
	imagecount_release(&recorder->images);
	free(recorder);
}

struct process *recorder_find(struct recorder *recorder, u32 number)
{
	struct process *process;

	HASH_FIND(hh, recorder->processes, &number, sizeof(number), process);
	return process;
}

struct process *recorder_current(struct recorder *recorder, u32 pid)
{
	struct process *process;

	HASH_FIND(hh_by_pid, recorder->newest, &pid, sizeof(pid), process);
	return process;
}

const struct recorder_options *recorder_options(const struct recorder *recorder)
{
	return &recorder->options;
}

int recorder_for_each(struct recorder *recorder, int (*each)(struct process *process, void *arg), void *arg)
{
	struct process *process, *next;
	int ret;

	HASH_ITER (hh, recorder->processes, process, next) {
		ret = each(process, arg);
		if (ret)
			return ret;
	}
	return 0;
}

static void each_file(const struct address_map *mappings, void (*each)(const struct elf *elf, void *arg), void *arg)
{
	for (u32 i = 0; i < address_map_count(mappings); i++)
		if (address_map_get(mappings, i)->elf)
			each(address_map_get(mappings, i)->elf, arg);
}

void recorder_for_each_file(const struct recorder *recorder, void (*each)(const struct elf *elf, void *arg), void *arg)
{
	for (const struct process *process = recorder->processes; process; process = process->hh.next)
		each_file(process->mappings, each, arg);
	for (const struct succession *succession = recorder->successions.newest; succession;
	     succession = succession->next)
		each_file(succession->mappings, each, arg);
}

/* Into both tables, or none: 0 or -ENOMEM. */
static int enter(struct recorder *recorder, struct process *process)
{
	struct process *before = recorder_current(recorder, process->pid);
	bool out_of_memory = false;

	HASH_ADD(hh, recorder->processes, number, sizeof(process->number), process);
	if (out_of_memory)
		return -ENOMEM;
	HASH_ADD(hh_by_pid, recorder->newest, pid, sizeof(process->pid), process);
	if (out_of_memory) {
		HASH_DEL(recorder->processes, process);
		return -ENOMEM;
	}
	if (before)
		HASH_DELETE(hh_by_pid, recorder->newest, before);
	return 0;
}

int recorder_begin(struct recorder *recorder, u32 number, u32 pid, u32 scope, u64 now_ns, struct process **ret_process)
{
	u32 image = imagecount_next(&recorder->images, pid);
	struct process *process = NULL;
	struct address_map *announced;

	if (!image)
		return -ENOMEM;
	process = process_new(number, pid, image, recorder->options.sample_bytes, now_ns);
	if (!process || enter(recorder, process)) {
		imagecount_undo(&recorder->images, pid);
		process_free(process);
		return -ENOMEM;
	}
	process->scope = scope;
	process->heap.share.quota = recorder->quota.max ? &recorder->quota : NULL;
	collector_init(&process->heap.collector, &recorder->options.collector, now_ns);
	announced = succession_take(&recorder->successions, pid, now_ns);
	if (announced) {
		address_map_free(process->mappings);
		process->mappings = announced;
	}
	if (ret_process)
		*ret_process = process;
	return 0;
}

void recorder_tick(struct recorder *recorder, u64 now_ns)
{
	for (struct process *process = recorder->processes; process; process = process->hh.next)
		if (!process->ended)
			collector_tick(&process->heap.collector, now_ns);
}

void recorder_request(struct recorder *recorder)
{
	for (struct process *process = recorder->processes; process; process = process->hh.next)
		collector_request(&process->heap.collector);
}

void recorder_end(struct recorder *recorder, struct process *process, u64 now_ns)
{
	if (process->ended)
		return;
	process->ended = true;
	process->end_ns = now_ns;
	*recorder->ended_last = process;
	recorder->ended_last = &process->ended_next;
}

static struct process *ended_unlink(struct recorder *recorder, struct process **link)
{
	struct process *process = *link;

	*link = process->ended_next;
	if (!process->ended_next)
		recorder->ended_last = link;
	process->ended_next = NULL;
	return process;
}

struct process *recorder_take_ended(struct recorder *recorder)
{
	struct process **link = &recorder->ended, *process;

	while (*link && (*link)->raw_waiting)
		link = &(*link)->ended_next;
	if (!*link)
		return NULL;
	process = ended_unlink(recorder, link);
	if (recorder_current(recorder, process->pid) == process)
		HASH_DELETE(hh_by_pid, recorder->newest, process);
	HASH_DEL(recorder->processes, process);
	return process;
}

bool recorder_announced(const struct recorder *recorder, u32 pid)
{
	return succession_find(&recorder->successions, pid);
}

int recorder_fork(struct recorder *recorder, u32 pid, u32 parent, u64 now_ns)
{
	const struct succession *announced = succession_find(&recorder->successions, parent);
	const struct process *process = recorder_current(recorder, parent);
	struct address_map *mappings = NULL;

	if (!announced && (!process || process->ended))
		return 0;
	address_map_copy(announced ? announced->mappings : process->mappings, now_ns, &mappings);
	return succession_announce(&recorder->successions, pid, now_ns, mappings);
}

void recorder_expire(struct recorder *recorder, u64 before_ns)
{
	succession_expire(&recorder->successions, before_ns);
}

int recorder_comm(struct recorder *recorder, u32 pid, const char *comm, bool exec, u64 now_ns)
{
	struct process *process = recorder_current(recorder, pid);

	if (exec)
		return succession_announce(&recorder->successions, pid, now_ns, address_map_new());
	if (process && !process->ended)
		process_set_comm(process, comm);
	return 0;
}

int recorder_map(struct recorder *recorder, u32 pid, const struct mapping *mapping)
{
	struct succession *succession = succession_at(&recorder->successions, pid, mapping->from_ns);
	struct process *process = recorder_current(recorder, pid);

	if (succession)
		return address_map_add(succession->mappings, mapping);
	return process && !process->ended ? address_map_add(process->mappings, mapping) : 0;
}

int recorder_snapshot(const struct recorder *recorder, struct process *process, u64 now_ns, u64 start_unix_ns,
		      struct profile **ret_profile)
{
	return snapshot_take(&recorder->options, process, now_ns, start_unix_ns, ret_profile);
}
