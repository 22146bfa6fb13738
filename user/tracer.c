/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tracer: from a pid to events in the recorder. Owns the BPF object, the links, the ring, the side-band and the
 * files; used by record. What happens while it traces is in follow.c.
 */
#include "tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "cgroup.h"
#include "clock.h"
#include "follow.h"
#include "log.h"
#include "newlimit.h"
#include "procfs.h"
#include "ring.h"
#include "rung.h"

#define DRAIN_EVENTS   65536 /* between two looks at signals */
#define TABLES_WAIT_MS 300   /* for unwind tables, before tracing starts without those that take longer */

struct tracer {
	struct tracer_options options;
	struct follow follow;
	struct ring *ring;
	u32 scope_count; /* scope 0 is heaptap's own, for calibration */
};

static int open_streams(struct tracer *tracer)
{
	struct sideband_sink sink = {
		.comm = follow_comm, .map = follow_map, .lost = follow_lost, .arg = &tracer->follow};
	struct table_memory memory = {
		.rows = kernel_unwind_rows(tracer->follow.kernel, &memory.row_count),
		.rules = kernel_unwind_rules(tracer->follow.kernel),
		.mappings = kernel_unwind_mappings(tracer->follow.kernel, &memory.mapping_count),
	};
	int err = ring_open(kernel_ring_fd(tracer->follow.kernel), follow_event, &tracer->follow, &tracer->ring);

	if (!err)
		err = sideband_open(&sink, &tracer->follow.sideband);
	if (!err)
		err = table_set_new(&memory, &tracer->follow.tables);
	if (err)
		return err;
	tracer->follow.unwinder = unwinder_new(tracer->follow.tables, tracer->follow.recorder);
	return tracer->follow.unwinder ? 0 : -ENOMEM;
}

int tracer_open(const struct tracer_options *options, struct tracer **ret_tracer)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	struct kernel_options kernel = {
		.sample_bytes = options->sample_bytes,
		.alloc_only = options->alloc_only,
		.show_allocator = options->show_allocator,
		.processes = options->processes,
	};
	int status, err;

	if (!tracer) {
		target_free(options->target);
		log_error("out of memory");
		return STATUS_FAILED;
	}
	tracer->options = *options;
	status = rung_choose(&kernel, &tracer->follow.kernel, &tracer->follow.calibration);
	if (status) {
		target_free(options->target);
		free(tracer);
		return status;
	}
	tracer->follow.links.kernel = tracer->follow.kernel;
	tracer->follow.links.kind = kernel.kind;
	tracer->follow.links.leave_out =
		(options->alloc_only ? ATTACH_NO_FREE : 0) | (options->no_new ? ATTACH_NO_NEW : 0);
	tracer->scope_count = 1;
	tracer->follow.target = options->target ? options->target : target_new(options->pools);
	tracer->follow.recorder = recorder_new(&(struct recorder_options){
		.sample_bytes = options->sample_bytes,
		.alloc_only = options->alloc_only,
		.show_allocator = options->show_allocator,
		.alloc_hit_ns = tracer->follow.calibration.alloc_ns,
		.free_hit_ns = tracer->follow.calibration.free_ns,
		.collector = options->collector,
	});
	err = tracer->follow.target && tracer->follow.recorder ? open_streams(tracer) : -ENOMEM;
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
	for (traced = tracer->follow.traced; traced; traced = next) {
		next = traced->next;
		traced_drop(&traced->files, false);
		free(traced);
	}
	traced_drop(&tracer->follow.links.wide, false);
	/* The worker reads files and writes maps: it goes before both. */
	unwinder_free(tracer->follow.unwinder);
	table_set_free(tracer->follow.tables);
	sideband_close(tracer->follow.sideband);
	ring_close(tracer->ring);
	kernel_close(tracer->follow.kernel);
	recorder_free(tracer->follow.recorder);
	target_free(tracer->follow.target);
	free(tracer);
}

/*
 * operator new is followed to its return only where that costs no program its life: not by links whose return legs are
 * there for every call.
 */
static u32 new_limit(const struct tracer *tracer, pid_t pid)
{
	u64 limit, used;
	char *cgroup;

	if (tracer->follow.links.kind != ATTACH_SESSION)
		return 0;
	cgroup = procfs_cgroup(pid);
	cgroup_memory(CGROUP_ROOT, cgroup, &limit, &used);
	free(cgroup);
	return newlimit(limit, used);
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
	traced->wide = tracer->options.wide || !tracer->follow.calibration.filter_is_right ||
		       (process && procfs_live_thread(pid) != pid);
	scope = kernel_scope(tracer->follow.kernel, traced->scope);
	scope->pid = (u32)pid;
	scope->wide = traced->wide;
	scope->new_max = new_limit(tracer, pid);
	__atomic_store_n(&scope->process, process, __ATOMIC_RELEASE);
	if (kernel_add_pid(tracer->follow.kernel, (u32)pid, traced->scope)) {
		free(traced);
		return NULL;
	}
	traced->next = tracer->follow.traced;
	tracer->follow.traced = traced;
	return traced;
}

struct scan {
	struct tracer *tracer;
	struct process *process;
	pid_t pid;
	unsigned int searched;
};

static int scan_mapping(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;
	struct target_file *file;
	int err = target_open_mapping(scan->tracer->follow.target, scan->pid, mapping, &file);

	if (err)
		return err;
	scan->searched += file != NULL;
	/* Its table is made while the other files are looked at. */
	if (file)
		err = table_set_request(scan->tracer->follow.tables, file->elf);
	return err ? err : mapping_table_add(scan->process->mappings, mapping);
}

/* Probe every allocator among the files the process maps. */
static int probe_mapped(struct tracer *tracer, struct traced *traced, const struct process *process)
{
	int err = 0;

	for (struct target_file *file = target_files(tracer->follow.target); file && !err; file = file->next) {
		bool mapped = false;

		for (u32 i = 0; i < mapping_table_count(process->mappings) && !mapped; i++)
			mapped = mapping_table_get(process->mappings, i)->elf == file->elf;
		if (mapped && file->plan)
			err = traced_probe(&tracer->follow.links, traced, file);
	}
	return err;
}

static int attach_failed(struct tracer *tracer, struct traced *traced, int err)
{
	traced->ended = true;
	__atomic_store_n(&kernel_scope(tracer->follow.kernel, traced->scope)->process, 0, __ATOMIC_RELEASE);
	table_set_withdraw(tracer->follow.tables, kernel_scope(tracer->follow.kernel, traced->scope), clock_now_ns());
	if (!procfs_live_thread(traced->pid)) {
		log_note("pid %d exited while heaptap was attaching; its profile is what was seen until then",
			 traced->pid);
		return STATUS_DONE;
	}
	return rung_explain("attach to the process", err);
}

int tracer_attach(struct tracer *tracer, pid_t pid)
{
	u32 number = kernel_draw_process(tracer->follow.kernel);
	struct traced *traced = begin(tracer, pid, number);
	struct scan scan = {.tracer = tracer, .pid = pid};
	u64 start = clock_now_ns();
	int err, waited;

	if (!traced)
		return rung_explain("begin tracing", -ENOMEM);
	err = recorder_begin(tracer->follow.recorder, number, (u32)pid, traced->scope, clock_now_ns(), &scan.process);
	if (err)
		return attach_failed(tracer, traced, err);
	account_facts(scan.process);
	err = procfs_for_each_mapping(pid, scan_mapping, &scan);
	if (!err) {
		/* The tables first, as far as they are quick: a stack without them costs up to 16 KiB of ring. */
		traced->remapped = true;
		follow_mappings(&tracer->follow, clock_now_ns());
		waited = (int)((clock_now_ns() - start) / 1000000);
		if (waited < TABLES_WAIT_MS)
			table_set_wait(tracer->follow.tables, TABLES_WAIT_MS - waited);
		/* What the profile tells of begins here, not where the preparations did. */
		scan.process->start_ns = clock_now_ns();
		err = probe_mapped(tracer, traced, scan.process);
	}
	if (err)
		return attach_failed(tracer, traced, err);
	if (!traced_any(&tracer->follow.links, traced) && target_denied(tracer->follow.target)) {
		log_error("pid %d: cannot open '%s' as it maps it (replaced or deleted since it started?); restart the "
			  "service, or "
			  "run heaptap with CAP_CHECKPOINT_RESTORE",
			  pid, target_denied(tracer->follow.target));
		traced->ended = true;
		return STATUS_NO_TARGET;
	}
	if (!traced_any(&tracer->follow.links, traced)) {
		log_error("pid %d: no allocator heaptap knows in the %u files it maps (%s); looked for glibc, musl, "
			  "jemalloc, tcmalloc and mimalloc, "
			  "see "
			  "'heaptap doctor -p %d'",
			  pid, scan.searched, target_names(tracer->follow.target), pid);
		traced->ended = true;
		return STATUS_NO_TARGET;
	}
	return STATUS_DONE;
}

int tracer_attach_program(struct tracer *tracer, pid_t pid, const char *path)
{
	struct traced *traced = begin(tracer, pid, 0);
	struct target_file *file;
	int err = 0;

	if (!traced)
		return rung_explain("begin tracing", -ENOMEM);
	/* Looked up once more here, where COMMAND's copies are not, the originals would come along. */
	if (!tracer->options.target)
		err = target_open_program(tracer->follow.target, path);
	for (file = target_files(tracer->follow.target); file && !err; file = file->next) {
		err = table_set_request(tracer->follow.tables, file->elf);
		if (!err && file->plan)
			err = traced_probe(&tracer->follow.links, traced, file);
	}
	table_set_wait(tracer->follow.tables, TABLES_WAIT_MS);
	if (err)
		return attach_failed(tracer, traced, err);
	if (!traced_any(&tracer->follow.links, traced)) {
		log_error("'%s': no allocator heaptap knows in the files it will map (%s); looked for glibc, musl, "
			  "jemalloc, tcmalloc and mimalloc",
			  path, target_names(tracer->follow.target));
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

	follow_sideband(&tracer->follow);
	taken = ring_drain(tracer->ring, DRAIN_EVENTS);
	follow_mappings(&tracer->follow, clock_now_ns());
	if (taken < 0)
		log_error("events are lost: %s", strerror(-taken));
	return taken < DRAIN_EVENTS;
}

void tracer_look(struct tracer *tracer)
{
	follow_look(&tracer->follow, clock_now_ns());
}

unsigned int tracer_alive(const struct tracer *tracer)
{
	unsigned int alive = 0;

	for (const struct traced *traced = tracer->follow.traced; traced; traced = traced->next)
		alive += !traced->ended;
	return alive;
}

void tracer_warn_silent(struct tracer *tracer)
{
	for (struct traced *traced = tracer->follow.traced; traced; traced = traced->next) {
		struct process *process = recorder_current(tracer->follow.recorder, (u32)traced->pid);

		if (!process || traced->ended || traced->warned)
			continue;
		traced->warned = true;
		if (!kernel_count_hits(tracer->follow.kernel, process->number))
			log_note("pid %d has not called its allocator in the first second; probed: %s", traced->pid,
				 traced_names(&tracer->follow.links, traced));
	}
}

/* New hits are ignored from here on; calls under way may still return. */
static void close_scopes(struct tracer *tracer)
{
	for (struct traced *traced = tracer->follow.traced; traced; traced = traced->next) {
		kernel_remove_pid(tracer->follow.kernel, (u32)traced->pid);
		__atomic_store_n(&kernel_scope(tracer->follow.kernel, traced->scope)->process, 0, __ATOMIC_RELEASE);
	}
}

static int finish_image(struct process *process, void *arg)
{
	struct tracer *tracer = arg;

	if (!process->ended)
		account_stop(tracer->follow.kernel, process, clock_now_ns());
	return 0;
}

void tracer_stop(struct tracer *tracer)
{
	tracer->follow.stopping = true;
	close_scopes(tracer);
	for (struct traced *traced = tracer->follow.traced; traced; traced = traced->next)
		traced_drop(&traced->files, false);
	traced_drop(&tracer->follow.links.wide, false);
	while (!tracer_drain(tracer))
		;
	unwinder_settle(tracer->follow.unwinder, false);
	table_set_wait(tracer->follow.tables, -1);
	unwinder_settle(tracer->follow.unwinder, true);
	recorder_for_each(tracer->follow.recorder, finish_image, tracer);
	account_pending(tracer->follow.kernel, tracer->follow.recorder);
}

struct recorder *tracer_recorder(const struct tracer *tracer)
{
	return tracer->follow.recorder;
}

const char *tracer_attach_name(const struct tracer *tracer)
{
	return attach_kind_name(tracer->follow.links.kind);
}
