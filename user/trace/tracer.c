/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tracer: from a pid to events in the recorder. Owns the BPF object, the links, the ring, the side-band and the
 * files; used by record. What happens while it traces is in on_sideband.c.
 */
#include "trace/tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/settle.h"
#include "base/clock.h"
#include "trace/attach_process.h"
#include "trace/on_sideband.h"
#include "base/log.h"
#include "trace/ring.h"
#include "trace/attach_method.h"
#include "trace/close_unused.h"
#include "trace/bpf_maps.h"

#define DRAIN_EVENTS 65536 /* between two looks at signals */

struct tracer {
	struct tracer_options options;
	struct follow follow;
	struct ring *ring;
	struct close_unused sweep;
};

static int open_streams(struct tracer *tracer)
{
	struct sideband_sink sink = {
		.comm = follow_comm,
		.map = follow_map,
		.fork = tracer->follow.population == POPULATION_LISTED ? NULL : follow_fork,
		.lost = follow_lost,
		.arg = &tracer->follow,
	};
	struct unwind_memory memory = {
		.rows = kernel_unwind_rows(tracer->follow.kernel, &memory.row_count),
		.rules = kernel_unwind_rules(tracer->follow.kernel),
		.mappings = kernel_unwind_mappings(tracer->follow.kernel, &memory.mapping_count),
	};
	int err = ring_open(kernel_ring_fd(tracer->follow.kernel), follow_event, &tracer->follow, &tracer->ring);

	if (!err)
		err = sideband_open(&sink, &tracer->follow.sideband);
	if (!err)
		err = unwind_tables_new(&memory, &tracer->follow.tables);
	if (err)
		return err;
	tracer->follow.unwinder = raw_stacks_new(tracer->follow.tables, tracer->follow.recorder);
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
		.dynamic = options->population != POPULATION_LISTED,
		.comm = options->comm,
		.exe_device = options->exe_device,
		.exe_inode = options->exe_inode,
	};
	int status, err;

	if (!tracer) {
		binaries_free(options->binaries);
		log_error("out of memory");
		return STATUS_FAILED;
	}
	tracer->options = *options;
	tracer->follow.emptied = 1;
	tracer->follow.population = options->population;
	tracer->follow.wide = options->wide || options->population != POPULATION_LISTED;
	tracer->follow.sources = options->sources;
	status = attach_method_choose(&kernel, &tracer->follow.kernel, &tracer->follow.calibration);
	if (status) {
		binaries_free(options->binaries);
		free(tracer);
		return status;
	}
	tracer->follow.links.kernel = tracer->follow.kernel;
	tracer->follow.links.kind = kernel.kind;
	tracer->follow.links.leave_out =
		(options->alloc_only ? ATTACH_NO_FREE : 0) | (options->no_new ? ATTACH_NO_NEW : 0);
	tracer->follow.binaries = options->binaries ? options->binaries : binaries_new(options->pools);
	tracer->follow.recorder = recorder_new(&(struct recorder_options){
		.sample_bytes = options->sample_bytes,
		.alloc_only = options->alloc_only,
		.show_allocator = options->show_allocator,
		.alloc_hit_ns = tracer->follow.calibration.alloc_ns,
		.free_hit_ns = tracer->follow.calibration.free_ns,
		.gc = options->gc,
		.sites_max = TRACER_SITES_MAX,
	});
	err = tracer->follow.binaries && tracer->follow.recorder ? open_streams(tracer) : -ENOMEM;
	if (err) {
		status = attach_method_explain("open the event streams", err);
		tracer_close(tracer);
		return status;
	}
	*ret_tracer = tracer;
	return STATUS_DONE;
}

void tracer_close(struct tracer *tracer)
{
	struct tracee *tracee, *next;

	if (!tracer)
		return;
	HASH_ITER (hh, tracer->follow.traced, tracee, next) {
		HASH_DEL(tracer->follow.traced, tracee);
		tracee_drop(&tracee->files, false);
		free(tracee);
	}
	tracee_drop(&tracer->follow.links.wide, false);
	tracee_drop(&tracer->follow.links.throwing, false);
	/* The worker reads files and writes maps: it goes before both. */
	raw_stacks_free(tracer->follow.unwinder);
	unwind_tables_free(tracer->follow.tables);
	sideband_close(tracer->follow.sideband);
	ring_close(tracer->ring);
	kernel_close(tracer->follow.kernel);
	recorder_free(tracer->follow.recorder);
	binaries_free(tracer->follow.binaries);
	free(tracer);
}

int tracer_attach(struct tracer *tracer, pid_t pid)
{
	return attach_process(&tracer->follow, pid);
}

int tracer_attach_program(struct tracer *tracer, pid_t pid, const char *path)
{
	return attach_program(&tracer->follow, pid, tracer->options.binaries ? NULL : path);
}

int tracer_attach_all(struct tracer *tracer, const pid_t *pids, unsigned int count, unsigned int *ret_attached)
{
	return attach_population(&tracer->follow, pids, count, ret_attached);
}

void tracer_populate(struct tracer *tracer, const struct group *group)
{
	kernel_populate(tracer->follow.kernel, tracer->follow.population, group);
}

u32 tracer_group_made(const struct tracer *tracer)
{
	return kernel_group_made(tracer->follow.kernel);
}

int tracer_fd(const struct tracer *tracer)
{
	return ring_fd(tracer->ring);
}

bool tracer_drain(struct tracer *tracer)
{
	int taken;

	follow_sideband(&tracer->follow);
	kernel_begin_drain(tracer->follow.kernel);
	taken = ring_drain(tracer->ring, DRAIN_EVENTS);
	follow_mappings(&tracer->follow, clock_now_ns());
	if (taken < 0)
		log_error("events are lost: %s", strerror(-taken));
	tracer->follow.emptied += taken < DRAIN_EVENTS;
	return taken < DRAIN_EVENTS;
}

void tracer_look(struct tracer *tracer)
{
	follow_look(&tracer->follow, clock_now_ns());
}

void tracer_sweep(struct tracer *tracer, struct symbolizer *symbolizer)
{
	if (tracer->follow.population != POPULATION_LISTED)
		close_unused_files(&tracer->sweep, &tracer->follow, symbolizer);
}

unsigned int tracer_alive(const struct tracer *tracer)
{
	return HASH_COUNT(tracer->follow.traced);
}

u64 tracer_refused(const struct tracer *tracer)
{
	return kernel_refused(tracer->follow.kernel);
}

u64 tracer_unheard(const struct tracer *tracer)
{
	return kernel_unheard(tracer->follow.kernel);
}

unsigned int tracer_processes_max(const struct tracer *tracer)
{
	return kernel_processes_max(tracer->follow.kernel);
}

bool tracer_traces(const struct tracer *tracer, pid_t pid)
{
	return follow_find(&tracer->follow, pid);
}

const struct tracee_file *tracer_wide_files(const struct tracer *tracer)
{
	return tracer->follow.links.wide;
}

const struct tracee_file *tracer_throwing_files(const struct tracer *tracer)
{
	return tracer->follow.links.throwing;
}

double tracer_pair_ns(const struct tracer *tracer)
{
	return tracer->follow.calibration.alloc_ns + tracer->follow.calibration.free_ns;
}

void tracer_warn_silent(struct tracer *tracer)
{
	/* Of many, most are silent. */
	if (tracer->follow.population != POPULATION_LISTED)
		return;
	for (struct tracee *tracee = tracer->follow.traced; tracee; tracee = tracee->hh.next) {
		struct image *image = recorder_current(tracer->follow.recorder, (u32)tracee->pid);

		if (!image || image->ended || tracee->warned)
			continue;
		tracee->warned = true;
		if (!kernel_count_hits(tracer->follow.kernel, image->number))
			log_note("pid %d has not called its allocator in the first second; probed: %s", tracee->pid,
				 tracee_names(&tracer->follow.links, tracee));
	}
}

/*
 * New hits are ignored from here on; calls under way may still return. The probes go one by one, after that: nobody is to
 * be heard to allocate who is no longer heard to free.
 */
static void close_scopes(struct tracer *tracer)
{
	kernel_populate(tracer->follow.kernel, POPULATION_LISTED, NULL);
	kernel_remove_pids(tracer->follow.kernel);
	for (struct tracee *tracee = tracer->follow.traced; tracee; tracee = tracee->hh.next)
		__atomic_store_n(&kernel_scope(tracer->follow.kernel, tracee->scope)->process, 0, __ATOMIC_RELEASE);
}

static int finish_image(struct image *image, void *arg)
{
	struct tracer *tracer = arg;

	if (!image->ended)
		settle_stop(tracer->follow.kernel, image, clock_now_ns());
	return 0;
}

void tracer_stop(struct tracer *tracer)
{
	tracer->follow.stopping = true;
	close_scopes(tracer);
	for (struct tracee *tracee = tracer->follow.traced; tracee; tracee = tracee->hh.next)
		tracee_drop(&tracee->files, false);
	tracee_drop(&tracer->follow.links.wide, false);
	tracee_drop(&tracer->follow.links.throwing, false);
	while (!tracer_drain(tracer))
		;
	raw_stacks_settle(tracer->follow.unwinder, false);
	unwind_tables_wait(tracer->follow.tables, -1);
	raw_stacks_settle(tracer->follow.unwinder, true);
	recorder_for_each(tracer->follow.recorder, finish_image, tracer);
	settle_pending(tracer->follow.kernel, tracer->follow.recorder);
}

int tracer_peek_tally(const struct tracer *tracer, u32 process, u64 ledger[COUNTER_MAX])
{
	return kernel_peek_tally(tracer->follow.kernel, process, ledger);
}

struct recorder *tracer_recorder(const struct tracer *tracer)
{
	return tracer->follow.recorder;
}

const char *tracer_attach_name(const struct tracer *tracer)
{
	return attach_kind_name(tracer->follow.links.kind);
}
