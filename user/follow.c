/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From events to the recorder, and the way back: an exec, a mapping or the end of a main thread may call for other
 * links. The sinks of ring and side-band; the state is the tracer's.
 */
#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include "follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "clock.h"
#include "elf.h"
#include "log.h"
#include "newlimit.h"
#include "procfs.h"
#include "sweep.h"

#define ANNOUNCED_NS	   5000000000ULL /* how long at most the side-band is ahead of the ring */
#define LOOK_POPULATION_NS 1000000000ULL /* between two looks at a population, which may be thousands */

struct traced *follow_find(const struct follow *follow, pid_t pid)
{
	struct traced *traced;

	HASH_FIND_INT(follow->traced, &pid, traced);
	return traced;
}

struct traced *follow_add(struct follow *follow, pid_t pid, u32 scope, bool wide)
{
	struct traced *traced = calloc(1, sizeof(*traced));
	bool out_of_memory = false;

	if (!traced)
		return NULL;
	traced->pid = pid;
	traced->scope = scope;
	traced->wide = wide;
	/* Of a population, most never have a sample. */
	traced->listed = follow->population == POPULATION_LISTED;
	HASH_ADD_INT(follow->traced, pid, traced);
	if (out_of_memory) {
		free(traced);
		return NULL;
	}
	return traced;
}

void follow_drop(struct follow *follow, struct traced *traced)
{
	struct scope *scope = kernel_scope(follow->kernel, traced->scope);

	HASH_DEL(follow->traced, traced);
	__atomic_store_n(&scope->process, 0, __ATOMIC_RELEASE);
	traced_drop(&traced->files, true);
	table_set_withdraw(follow->tables, scope, clock_now_ns());
	kernel_give_scope(follow->kernel, traced->scope);
	free(traced);
}

/*
 * operator new is followed to its return only where that costs no program its life: not by links whose return legs are
 * there for every call.
 */
void follow_set_new_max(struct follow *follow, const struct traced *traced, u64 limit, u64 used)
{
	u32 new_max = follow->links.kind == ATTACH_SESSION ? newlimit(limit, used) : 0;

	__atomic_store_n(&kernel_scope(follow->kernel, traced->scope)->new_max, new_max, __ATOMIC_RELEASE);
}

static void widen(struct follow *follow, struct traced *traced, const char *why)
{
	bool wide = traced->wide;
	int err = traced_widen(&follow->links, traced);

	if (wide)
		return;
	if (err)
		log_error("pid %d: %s, and it cannot be followed: %s; its profile ends here", traced->pid, why,
			  strerror(-err));
	else
		log_note("pid %d: %s; followed by unfiltered probes from here on: other processes that use the same "
			 "allocator "
			 "file pay %.1f us for each malloc and free until heaptap stops; what was allocated meanwhile "
			 "is missing",
			 traced->pid, why, (follow->calibration.alloc_ns + follow->calibration.free_ns) / 2000);
}

static void publish(struct follow *follow, struct traced *traced, const struct process *process, u64 now_ns)
{
	traced->remapped = false;
	/* Without room the programs do not know the mappings; its stacks are sent raw then. */
	table_set_publish(follow->tables, kernel_scope(follow->kernel, traced->scope), process->number,
			  process->mappings, now_ns);
}

void follow_sideband(struct follow *follow)
{
	follow->sideband_ns = sideband_drain(follow->sideband);
}

void follow_remapped(struct follow *follow, struct traced *traced)
{
	traced->remapped = true;
	follow->remapped |= traced->listed;
}

static void publish_remapped(struct follow *follow, u64 now_ns)
{
	follow->remapped = false;
	for (struct traced *traced = follow->traced; traced; traced = traced->hh.next) {
		struct process *process;

		if (!traced->remapped || !traced->listed)
			continue;
		process = recorder_current(follow->recorder, (u32)traced->pid);
		if (process && !process->ended)
			publish(follow, traced, process, now_ns);
	}
}

void follow_mappings(struct follow *follow, u64 now_ns)
{
	/* Called at each drain, and of thousands of processes nearly none map anything between two of them. */
	if (follow->remapped)
		publish_remapped(follow, now_ns);
	unwinder_settle(follow->unwinder, false);
}

static void probe(struct follow *follow, struct traced *traced, struct target_file *file, const struct mapping *mapping)
{
	int err;

	if (!file || !file->plan || follow->stopping || traced_has(&follow->links, traced, file))
		return;
	err = traced_probe(&follow->links, traced, file);
	if (err)
		log_error("pid %d: cannot probe '%s': %s", traced->pid, elf_path(file->elf), strerror(-err));
	else
		log_note("pid %d mapped '%s' %.1f ms ago; its allocations are seen from now on", traced->pid,
			 elf_path(file->elf), (double)(clock_now_ns() - mapping->from_ns) / 1e6);
}

static int add_scanned(struct mapping *mapping, void *arg)
{
	return mapping_table_add(arg, mapping);
}

int follow_open(struct follow *follow, struct traced *traced, struct process *process)
{
	struct mapping_table *known = process->mappings, *opened = mapping_table_new();
	int err = opened ? 0 : -ENOMEM;

	/* It was not announced: it has come from somewhere else. */
	if (!err && !mapping_table_count(known))
		procfs_for_each_mapping(traced->pid, add_scanned, known);
	for (u32 i = 0; i < mapping_table_count(known) && !err; i++) {
		struct mapping mapping = *mapping_table_get(known, i);
		struct target_file *file = NULL;

		if (!mapping.elf)
			err = target_open_mapping(follow->target, traced->pid, &mapping, &file);
		if (!err)
			err = mapping_table_add(opened, &mapping);
		probe(follow, traced, file, &mapping);
	}
	if (err) {
		mapping_table_free(opened);
		return err;
	}
	process->mappings = opened;
	mapping_table_free(known);
	follow_remapped(follow, traced);
	return 0;
}

/* The process that an event is the first of, or of which it is the next; NULL: no memory. */
static struct traced *traced_of(struct follow *follow, const struct event_process *event)
{
	struct traced *traced = follow_find(follow, (pid_t)event->pid);

	if (traced && traced->scope == event->scope)
		return traced;
	/* Its end was not heard of, and somebody else has its number by now. */
	if (traced)
		follow_drop(follow, traced);
	return follow_add(follow, (pid_t)event->pid, event->scope, true);
}

static void on_new_image(struct follow *follow, const struct event_process *event)
{
	struct process *before = recorder_find(follow->recorder, event->header.process);
	struct process *process = recorder_find(follow->recorder, event->next);
	struct traced *traced = traced_of(follow, event);

	if (before)
		account_end(follow->kernel, before);
	if (!process || !traced)
		return;
	account_facts(&follow->sources, process, before ? before : recorder_current(follow->recorder, event->parent),
		      event->header.kind == EVENT_FORK);
	follow_set_new_max(follow, traced, process->memory_limit, process->memory_used);
	follow_open(follow, traced, process);
	if (traced->listed)
		publish(follow, traced, process, clock_now_ns());
	if (!traced->wide && event->header.kind == EVENT_EXEC && event->tid != event->pid)
		widen(follow, traced, "another thread than its main thread called exec");
}

static void on_last_exit(struct follow *follow, const struct event_process *event)
{
	struct process *process = recorder_find(follow->recorder, event->header.process);
	struct traced *traced = follow_find(follow, (pid_t)event->pid);

	if (process)
		account_end(follow->kernel, process);
	if (traced && traced->scope == event->scope)
		follow_drop(follow, traced);
}

/* The image goes on no longer, although no event said so. */
static void end_unheard(struct follow *follow, struct process *process, u64 now_ns)
{
	if (!process || process->ended)
		return;
	recorder_end(follow->recorder, process, now_ns);
	account_end(follow->kernel, process);
}

static bool ends_image(const struct event *event)
{
	return event->kind == EVENT_EXIT || event->kind == EVENT_LEAVE || event->kind == EVENT_EXEC;
}

/* Which process an image of that number is of, by an event of it. False: it runs it no longer. */
static bool find_owner(const struct follow *follow, const struct event *event, size_t size, u32 *ret_pid,
		       u32 *ret_scope)
{
	if (ends_image(event) && size >= sizeof(struct event_process)) {
		*ret_pid = ((const struct event_process *)event)->pid;
		*ret_scope = ((const struct event_process *)event)->scope;
		return true;
	}
	*ret_scope = kernel_find_scope(follow->kernel, event->process);
	*ret_pid = *ret_scope ? __atomic_load_n(&kernel_scope(follow->kernel, *ret_scope)->pid, __ATOMIC_RELAXED) : 0;
	return *ret_pid != 0;
}

/*
 * An event of an image whose begin found the ring full: begin it now. That its end is told of suffices: its scope, its
 * number and its losses are accounted for then.
 */
static int begin_unheard(struct follow *follow, const struct event *event, size_t size)
{
	struct event_process begin = {.header = {.kind = EVENT_EXEC, .time_ns = event->time_ns},
				      .next = event->process};
	struct process *before;
	int err;

	if (!find_owner(follow, event, size, &begin.pid, &begin.scope))
		return -ENOENT;
	begin.tid = begin.pid;
	kernel_scope(follow->kernel, begin.scope)->told = 1;
	before = recorder_current(follow->recorder, begin.pid);
	end_unheard(follow, before, event->time_ns);
	err = recorder_begin(follow->recorder, event->process, begin.pid, begin.scope, event->time_ns, NULL);
	if (!err)
		on_new_image(follow, &begin);
	return err;
}

/* Its exit has been heard of once the ring has been empty: unless that found it full. */
static bool is_gone(struct follow *follow, struct traced *traced)
{
	if (__atomic_load_n(&kernel_scope(follow->kernel, traced->scope)->pid, __ATOMIC_ACQUIRE))
		return false;
	if (!traced->gone)
		traced->gone = follow->emptied;
	return follow->emptied > traced->gone;
}

void follow_look(struct follow *follow, u64 now_ns)
{
	bool all = follow->population == POPULATION_LISTED;
	struct traced *traced, *next;

	if (!all && now_ns - follow->looked_ns < LOOK_POPULATION_NS)
		return;
	follow->looked_ns = now_ns;
	recorder_expire(follow->recorder, now_ns > ANNOUNCED_NS ? now_ns - ANNOUNCED_NS : 0);
	HASH_ITER (hh, follow->traced, traced, next) {
		struct process *process = recorder_current(follow->recorder, (u32)traced->pid);

		if (process && !process->ended && (all || process->heap.alloc_count))
			account_look(process);
		if (is_gone(follow, traced)) {
			end_unheard(follow, process, now_ns);
			follow_drop(follow, traced);
		}
	}
	sweep_links(follow);
}

/* Its stacks come raw until the programs know its mappings: that is when a population's are worth their room. */
static void list(struct follow *follow, const struct event *event)
{
	struct process *process = recorder_find(follow->recorder, event->process);
	struct traced *traced = process ? follow_find(follow, (pid_t)process->pid) : NULL;

	if (!traced || traced->listed || process->ended)
		return;
	traced->listed = true;
	publish(follow, traced, process, clock_now_ns());
}

static bool begins_image(const struct event *event)
{
	return event->kind == EVENT_EXEC || event->kind == EVENT_FORK || event->kind == EVENT_ENTER;
}

int follow_event(void *arg, const struct event *event, size_t size)
{
	struct follow *follow = arg;
	int err;

	/* What an address means, and whose a mapping is, is a matter of time: what precedes the event comes first. */
	if (event->time_ns > follow->sideband_ns)
		follow_sideband(follow);
	if (event->kind == EVENT_RAW)
		list(follow, event);
	if (event->kind == EVENT_RAW)
		return unwinder_add(follow->unwinder, (const struct event_raw *)event, size) == -ENOMEM ? -ENOMEM : 0;
	if (ends_image(event) && event->process && !recorder_find(follow->recorder, event->process))
		begin_unheard(follow, event, size);
	err = recorder_event(follow->recorder, event, size);
	if (err == -ENOENT && event->process && !begin_unheard(follow, event, size))
		err = recorder_event(follow->recorder, event, size);
	if (err == -ENOMEM)
		return err;
	if (begins_image(event)) {
		on_new_image(follow, (const struct event_process *)event);
	} else if (event->kind == EVENT_EXIT || event->kind == EVENT_LEAVE) {
		on_last_exit(follow, (const struct event_process *)event);
	} else if (event->kind == EVENT_LEADER_EXIT) {
		struct traced *traced = follow_find(follow, (pid_t)((const struct event_process *)event)->pid);

		if (traced && !follow->stopping)
			widen(follow, traced, "its main thread has exited, others run on");
	}
	return 0;
}

/* Is the process traced, or may it turn out to be? */
static bool concerns(const struct follow *follow, u32 pid)
{
	return follow->population == POPULATION_CGROUP || follow->population == POPULATION_ALL ||
	       follow_find(follow, (pid_t)pid) || recorder_announced(follow->recorder, pid);
}

void follow_comm(void *arg, u32 pid, const char *comm, bool exec, u64 time_ns)
{
	struct follow *follow = arg;

	if (concerns(follow, pid))
		recorder_comm(follow->recorder, pid, comm, exec, time_ns);
}

void follow_fork(void *arg, u32 pid, u32 parent, u64 time_ns)
{
	struct follow *follow = arg;

	recorder_fork(follow->recorder, pid, parent, time_ns);
}

static void count_lost(struct follow *follow, const struct traced *traced, u64 count)
{
	struct process *process = recorder_current(follow->recorder, (u32)traced->pid);

	if (process)
		process->ledger[COUNTER_MAP_LOST] += count;
}

void follow_map(void *arg, u32 pid, struct mapping *mapping)
{
	struct follow *follow = arg;
	struct traced *traced = follow_find(follow, (pid_t)pid);
	struct target_file *file;
	int err;

	/* What it maps is opened when it turns out to be traced. */
	if (!traced) {
		if (concerns(follow, pid))
			recorder_map(follow->recorder, pid, mapping);
		return;
	}
	err = target_open_mapping(follow->target, traced->pid, mapping, &file);
	if (!err)
		err = recorder_map(follow->recorder, pid, mapping);
	if (err) {
		count_lost(follow, traced, 1);
		return;
	}
	follow_remapped(follow, traced);
	probe(follow, traced, file, mapping);
}

void follow_lost(void *arg, u64 count)
{
	struct follow *follow = arg;

	for (struct traced *traced = follow->traced; traced; traced = traced->hh.next)
		count_lost(follow, traced, count);
}
