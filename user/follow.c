/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From events to the recorder, and the way back: an exec, a mapping or the end of a main thread may call for other
 * links. The sinks of ring and side-band; the state is the tracer's.
 */
#include "follow.h"

#include <errno.h>
#include <string.h>

#include "account.h"
#include "clock.h"
#include "elf.h"
#include "log.h"

struct traced *follow_find(const struct follow *follow, pid_t pid)
{
	struct traced *traced;

	for (traced = follow->traced; traced; traced = traced->next)
		if (traced->pid == pid && !traced->ended)
			return traced;
	return NULL;
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

void follow_mappings(struct follow *follow, u64 now_ns)
{
	for (struct traced *traced = follow->traced; traced; traced = traced->next) {
		struct process *process = recorder_current(follow->recorder, (u32)traced->pid);

		if (traced->remapped && process && !process->ended)
			publish(follow, traced, process, now_ns);
	}
	unwinder_settle(follow->unwinder, false);
}

static void on_new_image(struct follow *follow, const struct event_process *event)
{
	struct process *before = recorder_find(follow->recorder, event->header.process);
	struct process *process = recorder_find(follow->recorder, event->next);
	struct traced *traced = follow_find(follow, (pid_t)event->pid);

	if (before)
		account_end(follow->kernel, before);
	if (process)
		account_facts(process);
	if (process && traced)
		publish(follow, traced, process, clock_now_ns());
	if (traced && event->tid != event->pid)
		widen(follow, traced, "another thread than its main thread called exec");
}

static void withdraw(struct follow *follow, struct traced *traced)
{
	table_set_withdraw(follow->tables, kernel_scope(follow->kernel, traced->scope), clock_now_ns());
}

static void on_last_exit(struct follow *follow, const struct event_process *event)
{
	struct process *process = recorder_find(follow->recorder, event->header.process);
	struct traced *traced = follow_find(follow, (pid_t)event->pid);

	if (process)
		account_end(follow->kernel, process);
	if (!traced)
		return;
	traced->ended = true;
	traced_drop(&traced->files, true);
	withdraw(follow, traced);
}

/* The image goes on no longer, although no event said so. */
static void end_unheard(struct follow *follow, struct process *process, u64 now_ns)
{
	if (!process || process->ended)
		return;
	recorder_end(follow->recorder, process, now_ns);
	account_end(follow->kernel, process);
}

/* An event of an image whose exec found the ring full: begin it now, if it is still the one that its process runs. */
static int begin_unheard(struct follow *follow, const struct event *event)
{
	struct process *process;
	struct traced *traced = follow->traced;
	int err;

	while (traced && kernel_scope(follow->kernel, traced->scope)->process != event->process)
		traced = traced->next;
	if (!traced)
		return -ENOENT;
	end_unheard(follow, recorder_current(follow->recorder, (u32)traced->pid), event->time_ns);
	err = recorder_begin(follow->recorder, event->process, (u32)traced->pid, traced->scope, event->time_ns,
			     &process);
	if (err)
		return err;
	account_facts(process);
	publish(follow, traced, process, clock_now_ns());
	return 0;
}

void follow_look(struct follow *follow, u64 now_ns)
{
	for (struct traced *traced = follow->traced; traced; traced = traced->next) {
		struct process *process = recorder_current(follow->recorder, (u32)traced->pid);

		if (!process || process->ended)
			continue;
		account_look(process);
		/* Its exit should have been heard of by the next look: unless that found the ring full. */
		if (!traced->ended && !kernel_scope(follow->kernel, traced->scope)->process && traced->gone++) {
			end_unheard(follow, process, now_ns);
			traced->ended = true;
			traced_drop(&traced->files, true);
			withdraw(follow, traced);
		}
	}
}

int follow_event(void *arg, const struct event *event, size_t size)
{
	struct follow *follow = arg;
	int err;

	/* What an address means, and whose a mapping is, is a matter of time: what precedes the event comes first. */
	if (event->time_ns > follow->sideband_ns)
		follow_sideband(follow);
	if (event->kind == EVENT_RAW)
		return unwinder_add(follow->unwinder, (const struct event_raw *)event, size) == -ENOMEM ? -ENOMEM : 0;
	err = recorder_event(follow->recorder, event, size);
	if (err == -ENOENT && !begin_unheard(follow, event))
		err = recorder_event(follow->recorder, event, size);
	if (err == -ENOMEM)
		return err;
	if (event->kind == EVENT_EXEC) {
		on_new_image(follow, (const struct event_process *)event);
	} else if (event->kind == EVENT_EXIT) {
		on_last_exit(follow, (const struct event_process *)event);
	} else if (event->kind == EVENT_LEADER_EXIT) {
		struct traced *traced = follow_find(follow, (pid_t)((const struct event_process *)event)->pid);

		if (traced && !follow->stopping)
			widen(follow, traced, "its main thread has exited, others run on");
	}
	return 0;
}

void follow_comm(void *arg, u32 pid, const char *comm, bool exec, u64 time_ns)
{
	struct follow *follow = arg;

	if (follow_find(follow, (pid_t)pid))
		recorder_comm(follow->recorder, pid, comm, exec, time_ns);
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

	if (!traced)
		return;
	err = target_open_mapping(follow->target, traced->pid, mapping, &file);
	if (!err)
		err = recorder_map(follow->recorder, pid, mapping);
	if (err) {
		count_lost(follow, traced, 1);
		return;
	}
	traced->remapped = true;
	if (!file || !file->plan || follow->stopping || traced_has(&follow->links, traced, file))
		return;
	err = traced_probe(&follow->links, traced, file);
	if (err)
		log_error("pid %u: cannot probe '%s': %s", pid, elf_path(file->elf), strerror(-err));
	else
		log_note("pid %u mapped '%s' %.1f ms ago; its allocations are seen from now on", pid,
			 elf_path(file->elf), (double)(clock_now_ns() - mapping->from_ns) / 1e6);
}

void follow_lost(void *arg, u64 count)
{
	struct follow *follow = arg;

	for (struct traced *traced = follow->traced; traced; traced = traced->next)
		count_lost(follow, traced, count);
}
