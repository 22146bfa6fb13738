/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/tracer.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "heap/go_profile.h"
#include "system/shortage.h"
#include "trace/bpf_maps.h"
#include "trace/denial.h"
#include "trace/go_due.h"
#include "trace/handover.h"
#include "trace/injected.h"
#include "trace/link_keeper.h"
#include "trace/on_ring.h"
#include "trace/raw_stacks.h"
#include "trace/sideband.h"
#include "trace/tracee.h"
#include "trace/tracee_mappings.h"
#include "trace/tracer_internal.h"
#include "trace/plan_note.h"
#include "trace/pool_notice.h"
#include "trace/unprobed.h"

#define DRAIN_EVENTS	   65536	 /* between two looks at signals */
#define LOOKS_A_SECOND	   128		 /* of a population: each costs some 15 microseconds */
#define ANNOUNCED_NS	   5000000000ULL /* how long at most the side-band is ahead of the ring */
#define LOOK_POPULATION_NS 1000000000ULL /* between two looks at a population, which may be thousands */

/* --- opening and closing -------------------------------------------------------------------------------------------- */

static int open_streams(struct tracer *tracer, const struct footprint *footprint)
{
	int err = on_ring_open(tracer);

	err = err ? err : sideband_open(tracer->population != POPULATION_LISTED, &tracer->sideband);
	err = err ? err : sideband_watch(tracer->sideband, tracer_fd(tracer));
	err = err ? err : unwind_tables_new(kernel_unwind_memory(tracer->kernel), &tracer->tables);
	if (err)
		return err;
	tracer->raw_stacks = raw_stacks_new(tracer->tables, tracer->recorder, footprint->raw_bytes);
	return tracer->raw_stacks ? shortage_check() : -ENOMEM;
}

/* What does not need a kernel. */
static struct tracer *tracer_new(const struct tracer_options *options)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));

	if (!tracer) {
		binaries_free(options->binaries);
		return NULL;
	}
	tracer->emptied = 1;
	tracer->population = options->kernel.population;
	tracer->reads_go = options->reads_go;
	tracer->wide = options->wide || tracer->population != POPULATION_LISTED;
	tracer->dense = options->kernel.sample_bytes < DENSE_BELOW_BYTES;
	tracer->harm_translators = options->harm_translators;
	tracer->inject_bytes = options->inject_bytes;
	tracer->sources = options->sources;
	tracer->leave_out = (options->kernel.alloc_only ? ATTACH_NO_FREE : 0) | (options->no_new ? ATTACH_NO_NEW : 0);
	tracer->files_known = options->binaries;
	tracer->binaries =
		options->binaries ? options->binaries : binaries_new(options->pools, options->kernel.inlined);
	if (tracer->binaries)
		return tracer;
	free(tracer);
	return NULL;
}

int tracer_open(const struct tracer_options *options, struct tracer **ret_tracer)
{
	struct kernel_options kernel = options->kernel;
	struct tracer *tracer = tracer_new(options);
	int status, err;

	if (!tracer) {
		log_error("cannot begin: %s", shortage_explain(-ENOMEM).text);
		return STATUS_FAILED;
	}
	kernel.pools = options->pools;
	tracer->pools = options->pools;
	status = pool_notice_check(tracer);
	if (!status)
		status = attach_method_choose(&kernel, &tracer->kernel, &tracer->calibration);
	if (status) {
		tracer_close(tracer);
		return status;
	}
	tracer->kind = kernel.kind;
	tracer->recorder = recorder_new(&(struct recorder_options){
		.unix_offset_ns = clock_ns(CLOCK_REALTIME) - clock_now_ns(),
		.sample_bytes = kernel.sample_bytes,
		.alloc_only = kernel.alloc_only,
		.show_allocator = kernel.show_allocator,
		.alloc_hit_ns = tracer->calibration.alloc_ns,
		.free_hit_ns = tracer->calibration.free_ns,
		.gc = options->gc,
		.counts_alone = options->counts_alone,
		.residency = options->residency,
		.sites_max = kernel.footprint.sites,
	});
	err = tracer->recorder ? open_streams(tracer, &kernel.footprint) : -ENOMEM;
	if (err) {
		status = attach_method_explain("open the event streams", err);
		tracer_close(tracer);
		return status;
	}
	budget_begin(tracer, options->max_overhead_percent, options->kernel.inlined);
	*ret_tracer = tracer;
	return STATUS_DONE;
}

static void close_all_links(struct tracer *tracer)
{
	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		python_tables_restore(tracee);
		tracee_close_links(&tracee->files);
		injected_close(&tracee->injected);
		go_reader_close(&tracee->go);
	}
	tracee_close_wide_links(tracer);
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	close_all_links(tracer);
	memory_watch_end(&tracer->memory_watch);
	hash_release(tracer->tracees, free);
	/* The worker reads files and writes maps: it goes before both. */
	raw_stacks_free(tracer->raw_stacks);
	unwind_tables_free(tracer->tables);
	sideband_close(tracer->sideband);
	on_ring_close(tracer);
	held_events_release(&tracer->held);
	kernel_close(tracer->kernel);
	recorder_free(tracer->recorder);
	binaries_free(tracer->binaries);
	pid_list_release(&tracer->translated);
	cgroup_limit_release(&tracer->cgroup_limit);
	free(tracer);
}

/* --- while it traces ------------------------------------------------------------------------------------------------ */

void tracer_populate(struct tracer *tracer, const struct group *group)
{
	int err = tracer->population == POPULATION_LISTED ? 0 : tracee_probe_named(tracer);

	if (err)
		log_error("cannot probe the files that --alloc names: %s", shortage_explain(err).text);
	kernel_populate(tracer->kernel, tracer->population, group);
}

bool tracer_wants_start(const struct tracer *tracer)
{
	for (const struct binary *file = binaries_files(tracer->binaries); file; file = file->next)
		if (file->plan && file->plan->pymalloc.table_count)
			return true;
	return false;
}

int tracer_look_at_start(pid_t pid, void *arg)
{
	return python_tables_start(arg, pid);
}

bool tracer_drain(struct tracer *tracer)
{
	int taken;

	sideband_drain(tracer);
	kernel_begin_drain(tracer->kernel);
	pace_look_at_ring(tracer, clock_now_ns());
	taken = on_ring_drain(tracer, DRAIN_EVENTS);
	tracee_mappings_publish_changed(tracer);
	python_tables_look(tracer);
	if (taken < 0)
		log_error("events are lost: %s", shortage_explain(taken).text);
	tracer->emptied += taken < DRAIN_EVENTS;
	return taken < DRAIN_EVENTS;
}

struct tracer_moment tracer_moment(const struct tracer *tracer)
{
	return (struct tracer_moment){clock_now_ns(), on_ring_written(tracer)};
}

bool tracer_is_past(const struct tracer *tracer, const struct tracer_moment *moment)
{
	return on_ring_read(tracer) >= moment->written;
}

static bool is_living(const struct tracer *tracer, const struct tracee *tracee)
{
	return __atomic_load_n(&kernel_scope(tracer->kernel, tracee->scope)->pid, __ATOMIC_ACQUIRE);
}

/* The event of its exit has come once the ring has been empty, unless that event found the ring full. */
static bool is_gone(const struct tracer *tracer, struct tracee *tracee)
{
	if (is_living(tracer, tracee))
		return false;
	if (!tracee->gone)
		tracee->gone = tracer->emptied;
	return tracer->emptied > tracee->gone;
}

/* Each of thousands in its turn. */
static bool is_turn(const struct tracer *tracer, const struct tracee *tracee)
{
	u64 turns = 1 + tracer->seen_count / LOOKS_A_SECOND;

	return tracee->scope % turns == tracer->looks % turns;
}

void tracer_look(struct tracer *tracer)
{
	bool all = tracer->population == POPULATION_LISTED;
	struct tracee *tracee, *next;
	u64 now_ns = clock_now_ns(), seen_count = 0;

	go_readers_look(tracer, false);
	if (!all && now_ns - tracer->looked_ns < LOOK_POPULATION_NS)
		return;
	tracer->looked_ns = now_ns;
	tracee_say_beside(tracer);
	recorder_expire(tracer->recorder, now_ns > ANNOUNCED_NS ? now_ns - ANNOUNCED_NS : 0);
	HASH_ITER (hh, tracer->tracees, tracee, next) {
		struct image *image = tracee_image(tracer, tracee);
		bool seen = image && (image->heap.alloc_count || go_reading_has_profile(image->go));

		seen_count += seen;
		if (image && (all || (seen && is_turn(tracer, tracee)))) {
			settle_look(image, now_ns);
			memory_watch_see(&tracer->memory_watch, image);
		}
		if (is_gone(tracer, tracee)) {
			settle_end_without_event(tracer->kernel, tracer->recorder, image, now_ns);
			budget_settled(tracer, image);
			tracee_drop(tracer, tracee);
		}
	}
	tracer->looks++;
	tracer->seen_count = seen_count;
	memory_watch_read(&tracer->memory_watch, recorder_options(tracer->recorder), now_ns);
	tracee_close_unused_links(tracer);
	handover_look(tracer, tracer_drain);
}

void tracer_warn_silent(struct tracer *tracer)
{
	/* Most processes of a population are silent. */
	if (tracer->population != POPULATION_LISTED)
		return;
	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		struct image *image = tracee_image(tracer, tracee);

		/* The sampler in a process tells of samples only. */
		if (!image || tracee->warned || tracee->injected || (image->go && !tracee_any(tracer, tracee)))
			continue;
		tracee->warned = true;
		if (!kernel_count_hits(tracer->kernel, image->number))
			log_note("pid %d has not called its allocator in the first second; probed: %s", tracee->pid,
				 tracee_names(tracer, tracee));
	}
}

bool tracer_say_unseen(struct tracer *tracer)
{
	const struct unopened *lacking = &binaries_unopened(tracer->binaries)->lacking,
			      *denied = &binaries_unopened(tracer->binaries)->denied;

	if (lacking->count && !tracer->lacking)
		log_error("'%s', which a traced process maps, cannot be opened: %s; stacks through such files are cut, "
			  "and an allocator in them is not seen",
			  lacking->path, shortage_explain(lacking->err).text);
	if (denied->count && !tracer->denied)
		denial_say(denied);
	tracer->lacking |= lacking->count > 0;
	tracer->blind |= tracer->lacking;
	tracer->denied |= denied->count > 0;
	return tracer->blind;
}

void tracer_say_files(struct tracer *tracer)
{
	pool_notice_unmapped(tracer);
	plan_note_say_doubts(tracer);
}

void tracer_read_go(struct tracer *tracer)
{
	go_readers_look(tracer, true);
}

/* --- stopping ------------------------------------------------------------------------------------------------------- */

/*
 * New hits are ignored from here on; calls under way may still return. The probes go one by one, after that: no process may
 * be seen to allocate once it is no longer seen to free.
 */
static void close_scopes(struct tracer *tracer)
{
	kernel_populate(tracer->kernel, POPULATION_LISTED, NULL);
	kernel_remove_pids(tracer->kernel);
	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next)
		__atomic_store_n(&kernel_scope(tracer->kernel, tracee->scope)->process, 0, __ATOMIC_RELEASE);
}

static int finish_image(struct image *image, void *arg)
{
	struct tracer *tracer = arg;

	if (!image->ended)
		settle_stop(tracer->kernel, tracer->recorder, image, clock_now_ns());
	return 0;
}

void tracer_stop(struct tracer *tracer)
{
	/* Programs that ended by now are looked at while it is known what of them was probed. */
	tracer_drain(tracer);
	tracer_read_go(tracer);
	tracer->stopping = true;
	pool_notice_end(tracer);
	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next)
		unprobed_look(tracer, tracee, tracee_image(tracer, tracee), false);
	close_scopes(tracer);
	close_all_links(tracer);
	link_keeper_wait();
	while (!tracer_drain(tracer))
		;
	raw_stacks_settle(tracer->raw_stacks, false);
	unwind_tables_wait(tracer->tables, -1);
	raw_stacks_settle(tracer->raw_stacks, true);
	memory_watch_end(&tracer->memory_watch);
	recorder_for_each(tracer->recorder, finish_image, tracer);
	settle_pending(tracer->kernel, tracer->recorder);
	unread_say(&tracer->unread);
}

/* --- questions ------------------------------------------------------------------------------------------------------ */

unsigned int tracer_alive(const struct tracer *tracer)
{
	return HASH_COUNT(tracer->tracees);
}

unsigned int tracer_living(const struct tracer *tracer, pid_t *pids, unsigned int max)
{
	unsigned int count = 0;

	for (const struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		if (!is_living(tracer, tracee))
			continue;
		if (count < max)
			pids[count] = tracee->pid;
		count++;
	}
	return count;
}

bool tracer_is_blind(void)
{
	return link_keeper_lost();
}

double tracer_pair_ns(const struct tracer *tracer)
{
	return tracer->calibration.alloc_ns + tracer->calibration.free_ns;
}

const struct kernel *tracer_kernel(const struct tracer *tracer)
{
	return tracer->kernel;
}

struct recorder *tracer_recorder(const struct tracer *tracer)
{
	return tracer->recorder;
}

int tracer_fd(const struct tracer *tracer)
{
	return ring_buffer__epoll_fd(tracer->ring);
}

const char *tracer_attach_name(const struct tracer *tracer)
{
	return attach_kind_name(tracer->kind);
}
