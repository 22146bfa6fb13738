/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tracer: from a pid to events in the recorder. Owns the BPF object, the links, the ring, the side-band and the files;
 * used by record. The way back, from events to new links, goes through here: an exec or a mapping may bring an allocator.
 */
#include "tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "calibrate.h"
#include "elf.h"
#include "log.h"
#include "procfs.h"
#include "ring.h"
#include "rung.h"
#include "sideband.h"
#include "traced.h"

#define DRAIN_EVENTS 65536 /* between two looks at signals */

struct tracer {
	struct tracer_options options;
	struct calibration calibration;
	struct kernel *kernel;
	struct ring *ring;
	struct sideband *sideband;
	struct target *target;
	struct recorder *recorder;
	struct traced *traced;
	struct traced_links links;
	u32 scope_count; /* scope 0 is heaptap's own, for calibration */
	bool stopping;
};

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

static struct traced *find_traced(const struct tracer *tracer, pid_t pid)
{
	struct traced *traced;

	for (traced = tracer->traced; traced; traced = traced->next)
		if (traced->pid == pid && !traced->ended)
			return traced;
	return NULL;
}

static void widen(struct tracer *tracer, struct traced *traced, const char *why)
{
	bool wide = traced->wide;
	int err = traced_widen(&tracer->links, traced);

	if (wide)
		return;
	if (err)
		log_error("pid %d: %s, and it cannot be followed: %s; its profile ends here", traced->pid, why,
			  strerror(-err));
	else
		log_note("pid %d: %s; followed by unfiltered probes from here on: other processes that use the same allocator "
			 "file pay %.1f us for each malloc and free until heaptap stops; what was allocated meanwhile is missing",
			 traced->pid, why, (tracer->calibration.alloc_ns + tracer->calibration.free_ns) / 2000);
}

static void on_new_image(struct tracer *tracer, const struct event_process *event)
{
	struct process *before = recorder_find(tracer->recorder, event->header.process);
	struct process *process = recorder_find(tracer->recorder, event->next);
	struct traced *traced = find_traced(tracer, (pid_t)event->pid);

	if (before)
		account_end(tracer->kernel, tracer->recorder, before);
	if (process)
		account_facts(process);
	if (traced && event->tid != event->pid)
		widen(tracer, traced, "another thread than its main thread called exec");
}

static void on_last_exit(struct tracer *tracer, const struct event_process *event)
{
	struct process *process = recorder_find(tracer->recorder, event->header.process);
	struct traced *traced = find_traced(tracer, (pid_t)event->pid);

	if (process)
		account_end(tracer->kernel, tracer->recorder, process);
	if (!traced)
		return;
	traced->ended = true;
	traced_drop(&traced->files, true);
}

static int on_event(void *arg, const struct event *event, size_t size)
{
	struct tracer *tracer = arg;
	int err;

	/* The mappings of an image are told by the side-band: those before its end belong to it. */
	if (event->kind == EVENT_EXEC || event->kind == EVENT_EXIT)
		sideband_drain(tracer->sideband);
	err = recorder_event(tracer->recorder, event, size);
	if (err == -ENOMEM)
		return err;
	if (event->kind == EVENT_EXEC) {
		on_new_image(tracer, (const struct event_process *)event);
	} else if (event->kind == EVENT_EXIT) {
		on_last_exit(tracer, (const struct event_process *)event);
	} else if (event->kind == EVENT_LEADER_EXIT) {
		struct traced *traced = find_traced(tracer, (pid_t)((const struct event_process *)event)->pid);

		if (traced && !tracer->stopping)
			widen(tracer, traced, "its main thread has exited, others run on");
	}
	return 0;
}

static void on_comm(void *arg, u32 pid, const char *comm, bool exec, u64 time_ns)
{
	struct tracer *tracer = arg;

	if (find_traced(tracer, (pid_t)pid))
		recorder_comm(tracer->recorder, pid, comm, exec, time_ns);
}

static void on_map(void *arg, u32 pid, struct mapping *mapping)
{
	struct tracer *tracer = arg;
	struct traced *traced = find_traced(tracer, (pid_t)pid);
	struct target_file *file;
	int err;

	if (!traced || target_open_mapping(tracer->target, traced->pid, mapping, &file))
		return;
	recorder_map(tracer->recorder, pid, mapping);
	if (!file || !file->plan || tracer->stopping || traced_has(&tracer->links, traced, file))
		return;
	err = traced_probe(&tracer->links, traced, file);
	if (err)
		log_error("pid %u: cannot probe '%s': %s", pid, elf_path(file->elf), strerror(-err));
	else
		log_note("pid %u mapped '%s' %.1f ms ago; its allocations are seen from now on", pid, elf_path(file->elf),
			 (double)(now_ns() - mapping->from_ns) / 1e6);
}

static void on_lost(void *arg, u64 count)
{
	struct tracer *tracer = arg;

	for (struct traced *traced = tracer->traced; traced; traced = traced->next) {
		struct process *process = recorder_current(tracer->recorder, (u32)traced->pid);

		if (process)
			process->ledger[COUNTER_MAP_LOST] += count;
	}
}

static int open_streams(struct tracer *tracer)
{
	struct sideband_sink sink = { .comm = on_comm, .map = on_map, .lost = on_lost, .arg = tracer };
	int err = ring_open(kernel_ring_fd(tracer->kernel), on_event, tracer, &tracer->ring);

	return err ? err : sideband_open(&sink, &tracer->sideband);
}

int tracer_open(const struct tracer_options *options, struct tracer **ret_tracer)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	struct kernel_options kernel = {
		.sample_bytes = options->sample_bytes,
		.alloc_only = options->alloc_only,
		.processes = options->processes,
	};
	int status, err;

	if (!tracer) {
		log_error("out of memory");
		return STATUS_FAILED;
	}
	tracer->options = *options;
	status = rung_choose(&kernel, &tracer->kernel, &tracer->calibration);
	if (status) {
		free(tracer);
		return status;
	}
	tracer->links.kernel = tracer->kernel;
	tracer->links.kind = kernel.kind;
	tracer->links.frees = !options->alloc_only;
	tracer->scope_count = 1;
	tracer->target = target_new();
	tracer->recorder = recorder_new(&(struct recorder_options){
		.sample_bytes = options->sample_bytes,
		.alloc_only = options->alloc_only,
		.alloc_hit_ns = tracer->calibration.alloc_ns,
		.free_hit_ns = tracer->calibration.free_ns,
	});
	err = tracer->target && tracer->recorder ? open_streams(tracer) : -ENOMEM;
	if (err) {
		status = rung_explain("open the event streams", err);
		tracer_close(tracer);
		return status;
	}
	*ret_tracer = tracer;
	return STATUS_DONE;
}

void tracer_close(struct tracer *tracer)
{
	struct traced *traced, *next;

	if (!tracer)
		return;
	for (traced = tracer->traced; traced; traced = next) {
		next = traced->next;
		traced_drop(&traced->files, false);
		free(traced);
	}
	traced_drop(&tracer->links.wide, false);
	sideband_close(tracer->sideband);
	ring_close(tracer->ring);
	kernel_close(tracer->kernel);
	recorder_free(tracer->recorder);
	target_free(tracer->target);
	free(tracer);
}

/* A scope for the process; its first image is `process`, 0 when it begins with an exec. */
static struct traced *begin(struct tracer *tracer, pid_t pid, u32 process)
{
	struct traced *traced = calloc(1, sizeof(*traced));
	struct scope *scope;

	if (!traced || tracer->scope_count == SCOPES_MAX) {
		free(traced);
		return NULL;
	}
	traced->pid = pid;
	traced->scope = tracer->scope_count++;
	traced->wide = tracer->options.wide || !tracer->calibration.filter_is_right || (process && procfs_live_thread(pid) != pid);
	scope = kernel_scope(tracer->kernel, traced->scope);
	scope->pid = (u32)pid;
	scope->wide = traced->wide;
	__atomic_store_n(&scope->process, process, __ATOMIC_RELEASE);
	if (kernel_add_pid(tracer->kernel, (u32)pid, traced->scope)) {
		free(traced);
		return NULL;
	}
	traced->next = tracer->traced;
	tracer->traced = traced;
	return traced;
}

struct scan {
	struct tracer *tracer;
	struct traced *traced;
	struct process *process;
	unsigned int searched;
};

static int scan_mapping(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;
	struct target_file *file;
	int err = target_open_mapping(scan->tracer->target, scan->traced->pid, mapping, &file);

	if (err)
		return err;
	scan->searched += file != NULL;
	err = mapping_table_add(scan->process->mappings, mapping);
	if (!err && file && file->plan)
		err = traced_probe(&scan->tracer->links, scan->traced, file);
	return err;
}

static int attach_failed(struct tracer *tracer, struct traced *traced, int err)
{
	traced->ended = true;
	__atomic_store_n(&kernel_scope(tracer->kernel, traced->scope)->process, 0, __ATOMIC_RELEASE);
	if (!procfs_live_thread(traced->pid)) {
		log_note("pid %d exited while heaptap was attaching; its profile is what was seen until then", traced->pid);
		return STATUS_DONE;
	}
	return rung_explain("attach to the process", err);
}

int tracer_attach(struct tracer *tracer, pid_t pid)
{
	u32 number = kernel_draw_process(tracer->kernel);
	struct traced *traced = begin(tracer, pid, number);
	struct scan scan = { .tracer = tracer, .traced = traced };
	int err;

	if (!traced)
		return rung_explain("begin tracing", -ENOMEM);
	err = recorder_begin(tracer->recorder, number, (u32)pid, traced->scope, now_ns(), &scan.process);
	if (err)
		return attach_failed(tracer, traced, err);
	account_facts(scan.process);
	err = procfs_for_each_mapping(pid, scan_mapping, &scan);
	if (err)
		return attach_failed(tracer, traced, err);
	if (!traced_any(&tracer->links, traced) && target_denied(tracer->target)) {
		log_error("pid %d: cannot open '%s' as it maps it (replaced or deleted since it started?); restart the service, or "
			  "run heaptap with CAP_CHECKPOINT_RESTORE",
			  pid, target_denied(tracer->target));
		traced->ended = true;
		return STATUS_NO_TARGET;
	}
	if (!traced_any(&tracer->links, traced)) {
		log_error("pid %d: no allocator heaptap knows in the %u files it maps (%s); looked for glibc's malloc, see "
			  "'heaptap doctor -p %d'",
			  pid, scan.searched, target_names(tracer->target), pid);
		traced->ended = true;
		return STATUS_NO_TARGET;
	}
	return STATUS_DONE;
}

int tracer_attach_program(struct tracer *tracer, pid_t pid, const char *path)
{
	struct traced *traced = begin(tracer, pid, 0);
	struct target_file *file;
	int err;

	if (!traced)
		return rung_explain("begin tracing", -ENOMEM);
	err = target_open_program(tracer->target, path);
	for (file = target_files(tracer->target); file && !err; file = file->next)
		if (file->plan)
			err = traced_probe(&tracer->links, traced, file);
	if (err)
		return attach_failed(tracer, traced, err);
	if (!traced_any(&tracer->links, traced)) {
		log_error("'%s': no allocator heaptap knows in the files it will map (%s); looked for glibc's malloc", path,
			  target_names(tracer->target));
		return STATUS_NO_TARGET;
	}
	return STATUS_DONE;
}

int tracer_fd(const struct tracer *tracer)
{
	return ring_fd(tracer->ring);
}

bool tracer_drain(struct tracer *tracer)
{
	int taken;

	sideband_drain(tracer->sideband);
	taken = ring_drain(tracer->ring, DRAIN_EVENTS);
	if (taken < 0)
		log_error("events are lost: %s", strerror(-taken));
	return taken < DRAIN_EVENTS;
}

void tracer_look(struct tracer *tracer)
{
	for (struct traced *traced = tracer->traced; traced; traced = traced->next) {
		struct process *process = recorder_current(tracer->recorder, (u32)traced->pid);

		if (process && !process->ended)
			account_look(process);
	}
}

unsigned int tracer_alive(const struct tracer *tracer)
{
	unsigned int alive = 0;

	for (const struct traced *traced = tracer->traced; traced; traced = traced->next)
		alive += !traced->ended;
	return alive;
}

void tracer_warn_silent(struct tracer *tracer)
{
	for (struct traced *traced = tracer->traced; traced; traced = traced->next) {
		struct process *process = recorder_current(tracer->recorder, (u32)traced->pid);

		if (!process || traced->ended || traced->warned)
			continue;
		traced->warned = true;
		if (!kernel_count_hits(tracer->kernel, process->number))
			log_note("pid %d has not called its allocator in the first second; probed: %s", traced->pid,
				 traced_names(&tracer->links, traced));
	}
}

/* New hits are ignored from here on; calls under way may still return. */
static void close_scopes(struct tracer *tracer)
{
	for (struct traced *traced = tracer->traced; traced; traced = traced->next) {
		kernel_remove_pid(tracer->kernel, (u32)traced->pid);
		__atomic_store_n(&kernel_scope(tracer->kernel, traced->scope)->process, 0, __ATOMIC_RELEASE);
	}
}

static int finish_image(struct process *process, void *arg)
{
	struct tracer *tracer = arg;

	if (!process->ended)
		account_stop(tracer->kernel, tracer->recorder, process, now_ns());
	return 0;
}

void tracer_stop(struct tracer *tracer)
{
	tracer->stopping = true;
	close_scopes(tracer);
	for (struct traced *traced = tracer->traced; traced; traced = traced->next)
		traced_drop(&traced->files, false);
	traced_drop(&tracer->links.wide, false);
	while (!tracer_drain(tracer))
		;
	recorder_for_each(tracer->recorder, finish_image, tracer);
	account_pending(tracer->kernel, tracer->recorder);
}

struct recorder *tracer_recorder(const struct tracer *tracer)
{
	return tracer->recorder;
}

const char *tracer_attach_name(const struct tracer *tracer)
{
	return attach_kind_name(tracer->links.kind);
}
