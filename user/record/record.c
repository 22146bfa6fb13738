/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/record.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "format/output_file.h"
#include "record/descendants.h"
#include "record/interrupt.h"
#include "record/launch.h"
#include "record/missed_processes.h"
#include "system/inheritance.h"
#include "system/shortage.h"
#include "system/signals.h"
#include "trace/attach_process.h"
#include "trace/bpf_maps.h"
#include "trace/close_unused.h"
#include "trace/tracer.h"

#define LOOK_NS 100000000ULL /* a process that exits is remembered as it was last seen */
#define SAY_NS	1000000000ULL
#define TICK_NS                                                                                                        \
	1000000000ULL /* between two advances of the models' clocks, where a cycle by time alone takes minutes */
/*
 * Between two batches of ended processes, unless more of them wait, some 25 KiB each. A batch reads the symbols of their programs
 * anew, which may take a tenth of a second of a processor that the processes want.
 */
#define ENDED_NS      5000000000ULL
#define ENDED_WAITING 512

struct record {
	const struct record_options *options;
	struct tracer *tracer;
	struct launch launch;
	struct selection selection;
	struct signals signals;
	struct output_dir output;
	struct publication publication;
	u64 looked_ns, said_ns, written_ns, ticked_ns, ended_ns;
	u64 drained_ns; /* every event up to then has been taken in */
	bool over;
	bool command_ended; /* and its descendants have been looked at */
	bool blind;	    /* the probes are gone */
};

/* `err`: of the output directory. The status. */
static int explain_output(const struct record *record, int err)
{
	if (err == -ENOTEMPTY) {
		log_error("output directory '%s' is not empty; choose another with -o, or write into it with --force",
			  record->output.path);
		return STATUS_USAGE;
	}
	if (err) {
		log_error("cannot write to output directory '%s': %s%s", record->output.path,
			  shortage_explain(err).text, shortage_is(err) ? "" : "; choose another with -o");
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

/* Early: a mistake there should be known before anything is done. */
static int check_output(struct record *record)
{
	const struct record_options *options = record->options;

	return explain_output(record, output_dir_check(options->output, options->force, &record->output));
}

static int make_output(struct record *record)
{
	const struct record_options *options = record->options;

	output_file_set_mode(options->mode);
	return explain_output(record, output_dir_open(options->output, options->force, options->mode, &record->output));
}

static int attach(struct record *record)
{
	int status;

	if (!record->launch.started)
		return selection_attach(&record->selection, record->tracer);
	tracer_populate(record->tracer, NULL);
	status = attach_program(record->tracer, record->launch.command.pid, record->launch.command.path);
	return status ? status : launch_release(&record->launch);
}

/* What is traced, for the first message. */
static void describe(const struct record *record, char *ret_what, size_t size)
{
	const struct record_options *options = record->options;
	unsigned int count = record->selection.processes;

	if (record->launch.started)
		snprintf(ret_what, size, "'%s' (pid %d)%s", options->target.command[0], record->launch.command.pid,
			 options->target.population == POPULATION_FOLLOW ? " and its children" : "");
	else if (options->target.population == POPULATION_ALL)
		snprintf(ret_what, size, "every process of this machine (%u now)", count);
	else if (options->target.population == POPULATION_CGROUP)
		snprintf(ret_what, size, "a %s (%u process%s now)", options->target.container ? "container" : "cgroup",
			 count, count == 1 ? "" : "es");
	else if (options->target.population == POPULATION_FOLLOW)
		snprintf(ret_what, size, count == 1 ? "%u process and its children" : "%u processes and their children",
			 count);
	else if (options->target.pid_count == 1)
		snprintf(ret_what, size, "pid %d", options->target.pids[0]);
	else
		snprintf(ret_what, size, "%u processes", options->target.pid_count);
}

static void say_copies(const struct record *record)
{
	const struct launch *launch = &record->launch;

	log_note(
		"'%s' and its children use copies of their allocators' files (%u) in a mount namespace of their own: no other "
		"process pays, and mounts that they make stay inside%s",
		record->options->target.command[0], launch->copies,
		launch->inlined ? "" : " (--shared-mounts turns this off)");
	if (launch->inlined)
		log_note("%u of these files ha%s the sampler, so that only samples trap", launch->inlined,
			 launch->inlined == 1 ? "s" : "ve");
}

static void say_tracing(const struct record *record)
{
	const struct record_options *options = record->options;
	char what[256], rate[64] = "every allocation";

	describe(record, what, sizeof(what));
	tracer_say_files(record->tracer);
	if (options->sample_bytes > 1)
		snprintf(rate, sizeof(rate), "one sample in %llu bytes", (unsigned long long)options->sample_bytes);
	log_note("tracing %s, %s, by %s probes; Ctrl-C stops", what, rate, tracer_attach_name(record->tracer));
	if (record->launch.copies) {
		say_copies(record);
		return;
	}
	if (record->launch.reason)
		log_note("the real allocator files are probed, because %s", record->launch.reason);
	selection_say(&record->selection, record->tracer);
}

static void look(struct record *record, u64 now)
{
	if (now - record->looked_ns >= LOOK_NS) {
		record->looked_ns = now;
		tracer_look(record->tracer);
	}
	if (now - record->said_ns < SAY_NS)
		return;
	record->said_ns = now;
	tracer_warn_silent(record->tracer);
	tracer_say_unseen(record->tracer);
	record->over = selection_look(&record->selection, record->tracer);
	if (tracer_is_blind()) {
		log_error(
			"heaptap's own process that holds the probes has been killed, and the kernel has removed them: "
			"the recording ends here; 'heaptap doctor --clean' takes out what may be left of them");
		record->over = record->blind = true;
	}
	publish_progress(&record->publication, now - record->publication.start_ns);
}

/* What COMMAND did before it ended is in the ring. */
static void look_at_descendants(struct record *record)
{
	if (record->command_ended || record->options->target.population != POPULATION_FOLLOW)
		return;
	record->command_ended = true;
	while (!tracer_drain(record->tracer))
		;
	descendants_say(record->options, record->tracer);
}

/* Has COMMAND ended, and with it the recording? */
static bool finished_with_command(struct record *record)
{
	bool changed = record->signals.child_changed;

	record->signals.child_changed = false;
	if (!changed || !launch_look(&record->launch))
		return false;
	look_at_descendants(record);
	return !record->options->wait_children;
}

static bool finished(struct record *record, u64 now)
{
	const struct record_options *options = record->options;

	signals_read(&record->signals);
	if (record->signals.stop || finished_with_command(record))
		return true;
	if (options->duration_s > 0 && (double)(now - record->publication.start_ns) >= options->duration_s * 1e9)
		return true;
	if (record->over)
		return true;
	return options->target.population <= POPULATION_FOLLOW && !tracer_alive(record->tracer);
}

static int poll_timeout(const struct record *record, u64 now)
{
	double left_ms;

	if (record->options->duration_s <= 0)
		return TRACER_DRAIN_MS;
	left_ms = record->options->duration_s * 1e3 - (double)(now - record->publication.start_ns) / 1e6;
	return left_ms < TRACER_DRAIN_MS ? (left_ms > 0 ? (int)left_ms + 1 : 0) : TRACER_DRAIN_MS;
}

/* Is it time for a batch of those that have ended? */
static bool ended_are_due(struct record *record, u64 now)
{
	if (!record->publication.backlog && now - record->ended_ns < ENDED_NS &&
	    recorder_ended_count(tracer_recorder(record->tracer)) < ENDED_WAITING)
		return false;
	record->ended_ns = now;
	return true;
}

/* Every event up to `now` has been taken in: advance the model's clock, and write the profiles that are due. */
static void keep_time(struct record *record, u64 now)
{
	u64 interval_ns = (u64)(record->options->interval_s * 1e9);
	bool due = interval_ns && now > record->written_ns && now - record->written_ns >= interval_ns;
	bool tick = due || record->signals.profile_wanted || now - record->ticked_ns >= TICK_NS;

	record->drained_ns = now;
	if (tick) {
		recorder_tick(tracer_recorder(record->tracer), now);
		record->ticked_ns = now;
	}
	/* What falls due while profiles are being written waits for them. */
	if (publish_busy(&record->publication))
		return;
	close_unused_files(record->tracer, record->publication.symbolizer);
	if (!due && !record->signals.profile_wanted) {
		if (ended_are_due(record, now))
			publish_ended(&record->publication);
		return;
	}
	publish_now(&record->publication, now, record->signals.profile_wanted);
	if (due)
		record->written_ns += (now - record->written_ns) / interval_ns * interval_ns;
	record->signals.profile_wanted = false;
}

static void watch(struct record *record)
{
	struct pollfd fds[2] = {
		{.fd = tracer_fd(record->tracer), .events = POLLIN},
		{.fd = record->signals.fd, .events = POLLIN},
	};
	u64 now = clock_now_ns();
	bool all = true;

	record->looked_ns = record->said_ns = record->written_ns = record->drained_ns = record->ticked_ns = now;
	record->ended_ns = now;
	while (!finished(record, now)) {
		if (all)
			poll(fds, 2, poll_timeout(record, now));
		all = tracer_drain(record->tracer);
		if (all)
			keep_time(record, now);
		now = clock_now_ns();
		look(record, now);
	}
	recorder_tick(tracer_recorder(record->tracer), record->drained_ns);
}

/* The signals stay taken meanwhile: many that stop a recording send theirs twice. */
static int finish(struct record *record)
{
	struct interrupt interrupt;
	int status;

	record->publication.duration_ns = clock_now_ns() - record->publication.start_ns;
	interrupt_watch(&interrupt, &record->signals, &record->output);
	tracer_stop(record->tracer);
	thread_lower_priority();
	missed_processes_count(&record->publication);
	record->blind |= tracer_say_unseen(record->tracer);
	status = publish_finish(&record->publication);
	interrupt_finish(&interrupt);
	return record->blind ? STATUS_FAILED : status;
}

/* The interval to sample at in processes that run already; 0: probes do it. */
static u64 inject_interval(const struct record_options *options)
{
	if (options->target.command || !options->target.inlined)
		return 0;
	if (options->sample_bytes >= INLINE_BYTES_MIN)
		return options->sample_bytes;
	log_note("--inline is left out: " LAUNCH_SMALL_INTERVAL);
	return 0;
}

static int run(struct record *record)
{
	const u64 inject_bytes = inject_interval(record->options);
	struct tracer_options tracer_options = {
		.kernel.sample_bytes = record->options->sample_bytes,
		.kernel.alloc_only = record->options->alloc_only,
		.kernel.show_allocator = record->options->show_allocator,
		.kernel.inlined = record->launch.inlined || inject_bytes,
		.inject_bytes = inject_bytes,
		.no_new = record->options->no_new,
		.pools = record->options->target.pools,
		.harm_translators = record->options->target.harm_translators,
		.wide = record->options->target.pid_count > FILTERED_MAX,
		.binaries = record->launch.binaries,
		.gc = record->options->gc,
	};
	int status;

	record->launch.binaries = NULL;
	selection_describe(&record->selection, &tracer_options);
	status = tracer_open(&tracer_options, &record->tracer);
	/* Late: nothing is left of a heaptap that is killed for the memory that the tracer takes. */
	if (!status)
		status = make_output(record);
	if (status)
		return status;
	/* The threads that fill the ring must not starve the one that empties it; those begun before this can wait. */
	thread_raise_priority();
	record->publication = (struct publication){
		.options = record->options,
		.recorder = tracer_recorder(record->tracer),
		.output = &record->output,
		.attach = tracer_attach_name(record->tracer),
		.peek_tally = kernel_peek_tally,
		.kernel = tracer_kernel(record->tracer),
		.start_ns = clock_now_ns(),
		.samples_max = PUBLISH_SAMPLES_MAX,
		.start_unix_ns = clock_ns(CLOCK_REALTIME),
	};
	status = attach(record);
	if (status)
		return status;
	say_tracing(record);
	tracer_say_unseen(record->tracer);
	watch(record);
	log_progress(NULL);
	return finish(record);
}

int record_run(const struct record_options *options)
{
	struct record record = {.options = options, .signals.fd = -1, .output = {.fd = -1}};
	int status = selection_open(&options->target, &record.selection);

	if (!status)
		status = check_output(&record);
	if (!status && signals_take(&record.signals))
		status = STATUS_FAILED;
	inheritance_survive();
	/* Before the tracer: the child must not inherit its maps and threads. */
	if (!status && options->target.command)
		status = launch_start(&record.selection, options->sample_bytes, &record.signals.original_mask,
				      &record.launch);
	if (!status)
		status = run(&record);
	if (status)
		output_dir_abandon(&record.output);
	launch_abandon(&record.launch);
	if (options->target.command) {
		/* COMMAND may run on for long. */
		signals_return(&record.signals);
		status = launch_status(&record.launch, status);
	}
	publish_release(&record.publication);
	tracer_close(record.tracer);
	selection_release(&record.selection);
	output_dir_close(&record.output);
	launch_free(&record.launch);
	return status;
}
