/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/on_ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "heap/apply_event.h"
#include "base/log.h"
#include "system/translator.h"
#include "system/shortage.h"
#include "trace/go_due.h"
#include "trace/go_reader.h"
#include "trace/injected.h"
#include "trace/sideband.h"
#include "trace/raw_stacks.h"
#include "trace/tracee.h"
#include "trace/tracee_mappings.h"
#include "trace/tracer_internal.h"
#include "trace/unprobed.h"
#include "trace/unread.h"

/* Why filtered links will not do for the process any longer. */
static void widen(struct tracer *tracer, struct tracee *tracee, const char *why)
{
	int err;

	/* The sampler in its memory needs no filter. */
	if (tracee->wide || (tracee->injected && !tracee->files))
		return;
	err = tracee_widen(tracer, tracee);
	if (err) {
		tracer->blind = true;
		log_error("pid %d: %s, and it cannot be followed: %s; its profile ends here", tracee->pid, why,
			  shortage_explain(err).text);
	} else {
		log_note("pid %d: %s; followed by unfiltered probes from here on: other processes that use the same "
			 "allocator file pay %.1f us for each malloc and free until heaptap stops; what was allocated "
			 "meanwhile is missing",
			 tracee->pid, why, (tracer->calibration.alloc_ns + tracer->calibration.free_ns) / 2000);
	}
}

/* The process of an event that begins an image; NULL: no memory. */
static struct tracee *tracee_of(struct tracer *tracer, const struct event_process *event)
{
	struct tracee *tracee = tracee_find(tracer, (pid_t)event->pid);

	if (tracee && tracee->scope == event->scope)
		return tracee;
	/* Its end found the ring full, and another process has its number by now. */
	if (tracee)
		tracee_drop(tracer, tracee);
	return tracee_add(tracer, (pid_t)event->pid, event->scope, true);
}

static void leave_to(struct tracer *tracer, struct tracee *tracee, const char *translator)
{
	if (!tracee->wide) {
		tracee_close_links(&tracee->files);
		tracer->blind = true;
		log_note(
			"pid %d has come under %s, which would translate heaptap's breakpoints like its code: its probes "
			"are taken out, and its allocations are not seen",
			tracee->pid, translator);
	} else if (!tracer->translators_told) {
		tracer->translators_told = true;
		log_note(
			"pid %d has come under %s, which translates heaptap's breakpoints like its code: the program may "
			"end by them, and so may others like it",
			tracee->pid, translator);
	}
}

/* It may have become any program. Probes for all processes stay: one that cannot be looked at is no reason to end them. */
static void leave_unknown(struct tracer *tracer, struct tracee *tracee, int err)
{
	bool told = tracee->wide && tracer->unknown_told;

	tracee->translated = true;
	if (!tracee->wide) {
		tracee_close_links(&tracee->files);
		tracer->blind = true;
	}
	tracer->unknown_told |= tracee->wide;
	if (!told)
		log_error(
			"pid %d has executed another program, and whether that translates heaptap's breakpoints cannot be told: %s; %s",
			tracee->pid, shortage_explain(err).text,
			tracee->wide ? "if it does, it may end by them, and so may others like it"
				     : "its probes are taken out, and its allocations are not seen");
}

/*
 * It has executed `exe` (NULL: unknown). If that is a translator (system/translator.h), its own links go before they end the
 * program, which takes a translator some tenths of a second to load.
 */
static void check_translator(struct tracer *tracer, struct tracee *tracee, const char *exe)
{
	const char *translator = NULL;
	bool known = tracee->translated;
	int err = tracer->harm_translators ? 0 : translator_executed(tracee->pid, exe, &translator);

	if (err) {
		leave_unknown(tracer, tracee, err);
		return;
	}
	tracee->translated = translator;
	/* Its launcher and its tool are two programs. */
	if (translator && !known)
		leave_to(tracer, tracee, translator);
}

/* An exec leaves the sampler behind, a fork does not. */
static void open_mappings(struct tracer *tracer, struct tracee *tracee, struct image *image,
			  const struct event_process *event)
{
	struct injected *left = event->header.kind == EVENT_EXEC ? tracee->injected : NULL;
	bool probe = left;
	int err;

	go_reader_due(tracer, tracee);
	if (event->header.kind == EVENT_EXEC) {
		injected_executed(tracer, tracee);
		python_tables_executed(tracee, event->header.time_ns);
	}
	if (left)
		tracee->injected = NULL;
	if (event->header.kind == EVENT_FORK)
		probe = !injected_inherit(tracer, tracee, tracee_find(tracer, (pid_t)event->tid),
					  event->header.time_ns);
	err = tracee_mappings_open(tracer, tracee, image);
	if (err)
		unread_add(tracer, tracee->pid, err);
	if (probe)
		tracee_mappings_probe(tracer, tracee, image);
	injected_close(&left);
}

static void on_new_image(struct tracer *tracer, const struct event_process *event)
{
	struct image *before = recorder_find(tracer->recorder, event->header.process);
	struct image *image = recorder_find(tracer->recorder, event->next);
	struct tracee *tracee = tracee_of(tracer, event);

	if (before) {
		unprobed_look(tracer, tracee, before, true);
		settle_end(tracer->kernel, before);
		budget_settled(tracer, before);
	}
	if (!image || !tracee)
		return;
	settle_facts(&tracer->sources, &tracer->cgroup_limit, image,
		     before ? before : recorder_current(tracer->recorder, event->parent),
		     event->header.kind == EVENT_FORK);
	tracee_set_new_max(tracer, tracee, image->memory_limit, image->memory_used);
	if (event->header.kind == EVENT_EXEC)
		check_translator(tracer, tracee, image->exe);
	open_mappings(tracer, tracee, image, event);
	if (tracee->listed)
		tracee_mappings_publish(tracer, tracee, image);
	if (event->header.kind == EVENT_EXEC && event->tid != event->pid)
		widen(tracer, tracee, "another thread than its main thread called exec");
}

static void on_last_exit(struct tracer *tracer, const struct event_process *event)
{
	struct image *image = recorder_find(tracer->recorder, event->header.process);
	struct tracee *tracee = tracee_find(tracer, (pid_t)event->pid);

	if (image) {
		unprobed_look(tracer, tracee, image, true);
		settle_end(tracer->kernel, image);
		budget_settled(tracer, image);
	}
	if (tracee && tracee->scope == event->scope)
		tracee_drop(tracer, tracee);
}

static bool ends_image(const struct event *event)
{
	return event->kind == EVENT_EXIT || event->kind == EVENT_LEAVE || event->kind == EVENT_EXEC;
}

/* The process that runs the image that the event is about. False: none does any longer. */
static bool find_owner(const struct tracer *tracer, const struct event *event, size_t size, u32 *ret_pid,
		       u32 *ret_scope)
{
	if (ends_image(event) && size >= sizeof(struct event_process)) {
		*ret_pid = ((const struct event_process *)event)->pid;
		*ret_scope = ((const struct event_process *)event)->scope;
		return true;
	}
	*ret_scope = kernel_find_scope(tracer->kernel, event->process);
	*ret_pid = *ret_scope ? __atomic_load_n(&kernel_scope(tracer->kernel, *ret_scope)->pid, __ATOMIC_RELAXED) : 0;
	return *ret_pid != 0;
}

/*
 * Begin an image now whose begin found the ring full. Its end alone is reason enough: then its scope, its number and its
 * losses are accounted for.
 */
static int begin_without_event(struct tracer *tracer, const struct event *event, size_t size)
{
	struct event_process begin = {.header = {.kind = EVENT_EXEC, .time_ns = event->time_ns},
				      .next = event->process};
	struct image *before;
	int err;

	if (!find_owner(tracer, event, size, &begin.pid, &begin.scope))
		return -ENOENT;
	begin.tid = begin.pid;
	kernel_scope(tracer->kernel, begin.scope)->told = 1;
	before = recorder_current(tracer->recorder, begin.pid);
	settle_end_without_event(tracer->kernel, tracer->recorder, before, event->time_ns);
	err = recorder_begin(tracer->recorder, event->process, begin.pid, begin.scope, event->time_ns, NULL);
	if (!err)
		on_new_image(tracer, &begin);
	return err;
}

/* Its stacks come raw until the programs know its mappings: only now are those of a population's process worth their room. */
static void list(struct tracer *tracer, const struct event *event)
{
	struct image *image = recorder_find(tracer->recorder, event->process);
	struct tracee *tracee = image ? tracee_find(tracer, (pid_t)image->pid) : NULL;

	if (!tracee || tracee->listed || image->ended)
		return;
	tracee->listed = true;
	tracee_mappings_publish(tracer, tracee, image);
}

/* What the event calls for, once the recorder has it. */
static void react(struct tracer *tracer, const struct event_process *event)
{
	struct tracee *tracee;

	switch (event->header.kind) {
	case EVENT_EXEC:
	case EVENT_FORK:
	case EVENT_ENTER:
		on_new_image(tracer, event);
		break;
	case EVENT_EXIT:
	case EVENT_LEAVE:
		on_last_exit(tracer, event);
		break;
	case EVENT_LEADER_EXIT:
		tracee = tracee_find(tracer, (pid_t)event->pid);
		if (tracee && !tracer->stopping)
			widen(tracer, tracee, "its main thread has exited, others run on");
		break;
	default:
		break;
	}
}

static int on_event(struct tracer *tracer, const struct event *event, size_t size)
{
	int err;

	/* What an address means, and whose a mapping is, is a matter of time: what precedes the event comes first. */
	if (event->time_ns > tracer->sideband_ns)
		sideband_drain(tracer);
	if (event->kind == EVENT_RAW) {
		list(tracer, event);
		return raw_stacks_add(tracer->raw_stacks, (const struct event_raw *)event, size) == -ENOMEM ? -ENOMEM
													    : 0;
	}
	if (ends_image(event) && event->process && !recorder_find(tracer->recorder, event->process))
		begin_without_event(tracer, event, size);
	err = apply_event(tracer->recorder, event, size);
	if (err == -ENOENT && event->process && !begin_without_event(tracer, event, size))
		err = apply_event(tracer->recorder, event, size);
	if (err == -ENOMEM)
		return err;
	react(tracer, (const struct event_process *)event);
	return 0;
}

/* libbpf advances past a record before it hands it over, so stopping here loses nothing. */
static int take(void *arg, void *event, size_t size)
{
	struct tracer *tracer = arg;

	if (tracer->holding) {
		tracer->ring_error = held_events_add(&tracer->held, event, size);
		return tracer->ring_error;
	}
	tracer->ring_error = on_event(tracer, event, size);
	if (tracer->ring_error)
		return tracer->ring_error;
	return --tracer->ring_left > 0 ? 0 : -EAGAIN;
}

/* The layout of a ring's pages is part of the kernel's interface: Documentation/bpf/ringbuf.rst, kernel/bpf/ringbuf.c. */
static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int on_ring_open(struct tracer *tracer)
{
	int fd = kernel_ring_fd(tracer->kernel);
	void *pages = mmap(NULL, 2 * page_bytes(), PROT_READ, MAP_SHARED, fd, 0);

	if (pages == MAP_FAILED)
		return -errno;
	tracer->ring_pages = pages;
	tracer->ring_bytes = kernel_ring_bytes(tracer->kernel);
	tracer->ring = ring_buffer__new(fd, take, tracer, NULL);
	return tracer->ring ? 0 : -errno;
}

void on_ring_close(struct tracer *tracer)
{
	ring_buffer__free(tracer->ring);
	if (tracer->ring_pages)
		munmap((void *)tracer->ring_pages, 2 * page_bytes());
}

static u64 position(const struct tracer *tracer, u32 page)
{
	const unsigned long *at = (const void *)(tracer->ring_pages + page * page_bytes());

	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

u64 on_ring_read(const struct tracer *tracer)
{
	return position(tracer, 0);
}

u64 on_ring_written(const struct tracer *tracer)
{
	return position(tracer, 1);
}

int on_ring_hold(struct tracer *tracer)
{
	int taken;

	tracer->holding = true;
	tracer->ring_error = 0;
	taken = ring_buffer__consume(tracer->ring);
	tracer->holding = false;
	tracer->blind |= tracer->ring_error != 0;
	return taken < 0 ? taken : tracer->ring_error;
}

/* Those that were held, as they precede what is in the ring. One that is lost takes no other with it. */
static int deal_with_held(struct tracer *tracer)
{
	struct held_events held = tracer->held;
	const struct event *event;
	size_t at = 0, size;
	int err = 0;

	tracer->held = (struct held_events){0};
	while ((event = held_events_next(&held, &at, &size))) {
		int failed = on_event(tracer, event, size);

		err = err ? err : failed;
	}
	held_events_release(&held);
	return err;
}

int on_ring_drain(struct tracer *tracer, int most)
{
	int taken, err = deal_with_held(tracer);

	tracer->ring_left = most;
	tracer->ring_error = 0;
	taken = err ? err : ring_buffer__consume(tracer->ring);
	if (!err)
		err = tracer->ring_error ? tracer->ring_error : taken < 0 && taken != -EAGAIN ? taken : 0;
	tracer->blind |= err != 0;
	return err ? err : most - tracer->ring_left;
}
