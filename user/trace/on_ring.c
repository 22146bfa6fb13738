/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring's events, on their way to the recorder: what they call for here. The state is the tracer's. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "trace/on_sideband.h"
#include "base/log.h"

static void widen(struct follow *follow, struct tracee *tracee, const char *why)
{
	bool wide = tracee->wide;
	int err = tracee_widen(&follow->links, tracee);

	if (wide)
		return;
	if (err)
		log_error("pid %d: %s, and it cannot be followed: %s; its profile ends here", tracee->pid, why,
			  strerror(-err));
	else
		log_note("pid %d: %s; followed by unfiltered probes from here on: other processes that use the same "
			 "allocator file pay %.1f us for each malloc and free until heaptap stops; what was allocated "
			 "meanwhile is missing",
			 tracee->pid, why, (follow->calibration.alloc_ns + follow->calibration.free_ns) / 2000);
}

/* The process that an event is the first of, or of which it is the next; NULL: no memory. */
static struct tracee *traced_of(struct follow *follow, const struct event_process *event)
{
	struct tracee *tracee = follow_find(follow, (pid_t)event->pid);

	if (tracee && tracee->scope == event->scope)
		return tracee;
	/* Its end was not heard of, and somebody else has its number by now. */
	if (tracee)
		follow_drop(follow, tracee);
	return follow_add(follow, (pid_t)event->pid, event->scope, true);
}

static void on_new_image(struct follow *follow, const struct event_process *event)
{
	struct image *before = recorder_find(follow->recorder, event->header.process);
	struct image *image = recorder_find(follow->recorder, event->next);
	struct tracee *tracee = traced_of(follow, event);

	if (before)
		settle_end(follow->kernel, before);
	if (!image || !tracee)
		return;
	settle_facts(&follow->sources, image, before ? before : recorder_current(follow->recorder, event->parent),
		     event->header.kind == EVENT_FORK);
	follow_set_new_max(follow, tracee, image->memory_limit, image->memory_used);
	follow_open(follow, tracee, image);
	if (tracee->listed)
		follow_publish(follow, tracee, image, clock_now_ns());
	if (!tracee->wide && event->header.kind == EVENT_EXEC && event->tid != event->pid)
		widen(follow, tracee, "another thread than its main thread called exec");
}

static void on_last_exit(struct follow *follow, const struct event_process *event)
{
	struct image *image = recorder_find(follow->recorder, event->header.process);
	struct tracee *tracee = follow_find(follow, (pid_t)event->pid);

	if (image)
		settle_end(follow->kernel, image);
	if (tracee && tracee->scope == event->scope)
		follow_drop(follow, tracee);
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
	struct image *before;
	int err;

	if (!find_owner(follow, event, size, &begin.pid, &begin.scope))
		return -ENOENT;
	begin.tid = begin.pid;
	kernel_scope(follow->kernel, begin.scope)->told = 1;
	before = recorder_current(follow->recorder, begin.pid);
	follow_end_unheard(follow, before, event->time_ns);
	err = recorder_begin(follow->recorder, event->process, begin.pid, begin.scope, event->time_ns, NULL);
	if (!err)
		on_new_image(follow, &begin);
	return err;
}

/* Its stacks come raw until the programs know its mappings: that is when a population's are worth their room. */
static void list(struct follow *follow, const struct event *event)
{
	struct image *image = recorder_find(follow->recorder, event->process);
	struct tracee *tracee = image ? follow_find(follow, (pid_t)image->pid) : NULL;

	if (!tracee || tracee->listed || image->ended)
		return;
	tracee->listed = true;
	follow_publish(follow, tracee, image, clock_now_ns());
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
		return raw_stacks_add(follow->unwinder, (const struct event_raw *)event, size) == -ENOMEM ? -ENOMEM : 0;
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
		struct tracee *tracee = follow_find(follow, (pid_t)((const struct event_process *)event)->pid);

		if (tracee && !follow->stopping)
			widen(follow, tracee, "its main thread has exited, others run on");
	}
	return 0;
}
