/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sink of all events: applies them to images. The two streams, ring and side-band, meet at exec, see succession.h.
 */
#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include "recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imagecount.h"
#include "mapping.h"
#include "snapshot.h"
#include "succession.h"
#include "variant.h"

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

static void each_file(const struct mapping_table *mappings, void (*each)(const struct elf *elf, void *arg), void *arg)
{
	for (u32 i = 0; i < mapping_table_count(mappings); i++)
		if (mapping_table_get(mappings, i)->elf)
			each(mapping_table_get(mappings, i)->elf, arg);
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
	struct mapping_table *announced;

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
		mapping_table_free(process->mappings);
		process->mappings = announced;
	}
	if (ret_process)
		*ret_process = process;
	return 0;
}

static void tick(struct process *process, u64 now_ns)
{
	if (!process->ended)
		collector_tick(&process->heap.collector, now_ns);
}

void recorder_tick(struct recorder *recorder, u64 now_ns)
{
	for (struct process *process = recorder->processes; process; process = process->hh.next)
		tick(process, now_ns);
}

void recorder_request(struct recorder *recorder)
{
	for (struct process *process = recorder->processes; process; process = process->hh.next)
		collector_request(&process->heap.collector);
}

/* A stack that was told of, and not kept? The frames of a raw one may come later. */
static bool is_refused(const struct process *process, u64 hash)
{
	return hash && !(hash & RAW_STACK_ID) && process->heap.share.refused;
}

static int apply_alloc(struct process *process, const struct event_alloc *event)
{
	bool followed = !(event->header.flags & (EVENT_REFUSED | EVENT_UNFOLLOWED));
	u64 hash = event->stack;
	struct stack *stack;
	int err = variant_find(&process->stacks, process->mappings, hash, event->header.time_ns, &stack);

	if (err)
		return err;
	process->ledger[COUNTER_STACK_STALE] += stack && stack->stale;
	if (stack) {
		hash = stack->hash;
	} else if (is_refused(process, hash)) {
		process->heap.no_room_count++;
		hash = 0;
	}
	return heap_alloc(&process->heap, event->object, event->addr, event->size, hash, followed,
			  event->header.time_ns);
}

static int apply_stack(struct process *process, const struct event_stack *event, size_t size)
{
	struct stack *stack = stack_table_find(&process->stacks, event->stack);
	int err;

	if (!event->depth || event->depth > STACK_DEPTH_MAX ||
	    size < offsetof(struct event_stack, ip) + event->depth * sizeof(u64))
		return -EBADMSG;
	if (!stack && !(event->stack & RAW_STACK_ID) && !quota_take(&process->heap.share))
		return 0;
	err = stack_table_add(&process->stacks, event->stack, event->header.time_ns, event->ip, event->depth,
			      event->header.flags & EVENT_TRUNCATED);
	if (err || event->stack & RAW_STACK_ID)
		return err;
	stack = stack_table_find(&process->stacks, event->stack);
	if (!stack->generation)
		stack->generation =
			stack_generation(stack, process->number, mapping_table_generation(process->mappings));
	return 0;
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

static void image_end(struct recorder *recorder, struct process *process, const struct event_process *event)
{
	recorder_end(recorder, process, event->header.time_ns);
	process->cpu_end_ns = event->cpu_ns;
	if (event->max_rss_bytes)
		process->rss_peak_bytes = event->max_rss_bytes;
}

/* A new image, behind an old one or not. */
static int apply_begin(struct recorder *recorder, struct process *before, const struct event_process *event)
{
	struct process *process;
	int err;

	if (before)
		image_end(recorder, before, event);
	if (!event->next)
		return 0;
	err = recorder_begin(recorder, event->next, event->pid, event->scope, event->header.time_ns, &process);
	if (err)
		return err;
	process_set_comm(process, event->comm);
	process->cpu_start_ns = event->cpu_ns;
	return 0;
}

static void apply_exit(struct recorder *recorder, struct process *process, const struct event_process *event)
{
	if (process->ended)
		return;
	image_end(recorder, process, event);
	process_set_comm(process, event->comm);
}

/* The least size of each kind. */
static size_t event_size(u16 kind)
{
	switch (kind) {
	case EVENT_ALLOC:
		return sizeof(struct event_alloc);
	case EVENT_FREE:
	case EVENT_OVERWRITE:
		return sizeof(struct event_object);
	case EVENT_MOVED:
	case EVENT_REVIVED:
		return sizeof(struct event_moved);
	case EVENT_STACK:
		return offsetof(struct event_stack, ip);
	case EVENT_EXEC:
	case EVENT_EXIT:
	case EVENT_LEADER_EXIT:
	case EVENT_FORK:
	case EVENT_ENTER:
	case EVENT_LEAVE:
		return sizeof(struct event_process);
	default:
		return 0;
	}
}

/* A death may be told twice, a revival may come too late: neither is an error of the stream. */
static int tolerate_unknown(int err)
{
	return err == -ENOENT ? 0 : err;
}

static int apply_moved(struct process *process, const struct event_moved *event)
{
	if (event->header.kind == EVENT_MOVED)
		return tolerate_unknown(heap_move(&process->heap, event->object, event->tid));
	return tolerate_unknown(heap_revive(&process->heap, event->object, event->tid, event->header.time_ns));
}

int recorder_event(struct recorder *recorder, const struct event *event, size_t size)
{
	size_t least = size < sizeof(*event) ? 0 : event_size(event->kind);
	struct process *process;

	if (!least || size < least)
		return -EBADMSG;
	process = recorder_find(recorder, event->process);
	if (process)
		tick(process, event->time_ns);
	if (event->kind == EVENT_EXEC || event->kind == EVENT_FORK || event->kind == EVENT_ENTER)
		return apply_begin(recorder, process, (const struct event_process *)event);
	if (!process)
		return -ENOENT;
	switch (event->kind) {
	case EVENT_STACK:
		return apply_stack(process, (const struct event_stack *)event, size);
	case EVENT_ALLOC:
		return apply_alloc(process, (const struct event_alloc *)event);
	case EVENT_FREE:
	case EVENT_OVERWRITE:
		return tolerate_unknown(heap_free(&process->heap, ((const struct event_object *)event)->object));
	case EVENT_MOVED:
	case EVENT_REVIVED:
		return apply_moved(process, (const struct event_moved *)event);
	case EVENT_EXIT:
	case EVENT_LEAVE:
		apply_exit(recorder, process, (const struct event_process *)event);
		return 0;
	default:
		return 0;
	}
}

bool recorder_announced(const struct recorder *recorder, u32 pid)
{
	return succession_find(&recorder->successions, pid);
}

int recorder_fork(struct recorder *recorder, u32 pid, u32 parent, u64 now_ns)
{
	const struct succession *announced = succession_find(&recorder->successions, parent);
	const struct process *process = recorder_current(recorder, parent);
	struct mapping_table *mappings = NULL;

	if (!announced && (!process || process->ended))
		return 0;
	mapping_table_copy(announced ? announced->mappings : process->mappings, now_ns, &mappings);
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
		return succession_announce(&recorder->successions, pid, now_ns, mapping_table_new());
	if (process && !process->ended)
		process_set_comm(process, comm);
	return 0;
}

int recorder_map(struct recorder *recorder, u32 pid, const struct mapping *mapping)
{
	struct succession *succession = succession_at(&recorder->successions, pid, mapping->from_ns);
	struct process *process = recorder_current(recorder, pid);

	if (succession)
		return mapping_table_add(succession->mappings, mapping);
	return process && !process->ended ? mapping_table_add(process->mappings, mapping) : 0;
}

int recorder_snapshot(const struct recorder *recorder, struct process *process, u64 now_ns, u64 start_unix_ns,
		      struct profile **ret_profile)
{
	return snapshot_take(&recorder->options, process, now_ns, start_unix_ns, ret_profile);
}
