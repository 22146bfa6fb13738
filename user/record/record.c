/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/record.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "format/output_file.h"
#include "record/group_memory.h"
#include "record/interrupt.h"
#include "record/missed_processes.h"
#include "system/shortage.h"
#include "trace/bpf_maps.h"
#include "trace/close_unused.h"
#include "trace/tracer.h"

/*
 * Between two batches of ended processes, unless more of them wait, some 25 KiB each. A batch reads the symbols of their programs
 * anew, which may take a tenth of a second of a processor that the processes want.
 */
#define ENDED_NS      5000000000ULL
#define ENDED_WAITING 512

struct record {
	const struct record_options *options;
	struct tracing tracing;
	struct output_dir output;
	struct publication publication;
	struct trigger_watch triggers;
	u64 written_ns, ended_ns;
	bool wanted; /* profiles are, by SIGUSR1 or a trigger */
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

/* Late: nothing is left of a heaptap that is killed for the memory that the tracer takes. */
static int make_output(struct record *record)
{
	const struct record_options *options = record->options;

	output_file_set_mode(options->mode);
	return explain_output(record, output_dir_open(options->output, options->force, options->mode, &record->output));
}

/* --- while tracing --- */

/* Is it time for a batch of those that have ended? */
static bool ended_are_due(struct record *record, u64 now)
{
	if (!record->publication.backlog && now - record->ended_ns < ENDED_NS &&
	    recorder_ended_count(record->publication.recorder) < ENDED_WAITING)
		return false;
	record->ended_ns = now;
	return true;
}

/* Are profiles wanted now, whatever the interval? */
static bool are_wanted(struct record *record, u64 now)
{
	struct signals *signals = &record->tracing.signals;

	record->wanted |= signals->profile_wanted;
	record->wanted |= trigger_due(&record->triggers, record->publication.recorder, now);
	signals->profile_wanted = false;
	return record->wanted;
}

/* Every event up to `now` has been taken in: write the profiles that are due. */
static bool write_due(struct tracing *tracing, u64 now, void *arg)
{
	struct record *record = arg;
	u64 interval_ns = (u64)(record->options->interval_s * 1e9);
	bool due = interval_ns && now > record->written_ns && now - record->written_ns >= interval_ns;
	bool wanted = are_wanted(record, now);

	if (due || wanted)
		tracing_tick(tracing, now);
	/* What falls due while profiles are being written waits for them. */
	if (publish_busy(&record->publication))
		return false;
	close_unused_files(tracing->tracer, record->publication.symbolizer);
	if (!due && !wanted) {
		if (ended_are_due(record, now))
			publish_ended(&record->publication);
		return false;
	}
	tracer_read_go(tracing->tracer);
	publish_now(&record->publication, now, wanted);
	if (due)
		record->written_ns += (now - record->written_ns) / interval_ns * interval_ns;
	record->wanted = false;
	return false;
}

static void show_progress(struct tracing *tracing, u64 now, void *arg)
{
	struct record *record = arg;

	publish_progress(&record->publication, now - tracing->start_ns);
}

static void watch(struct record *record)
{
	const struct tracing_client client = {write_due, show_progress, -1, record};

	trigger_watch_begin(&record->triggers, record->options->triggers, record->options->trigger_count);
	record->written_ns = record->ended_ns = clock_now_ns();
	tracing_watch(&record->tracing, &client);
}

static int begin_audience(const struct record *record)
{
	const struct audience *audience = record->options->audience;

	return audience ? audience->begin(audience->arg) : STATUS_DONE;
}

static int finish_audience(const struct record *record, int status)
{
	const struct audience *audience = record->options->audience;
	int added = audience ? audience->finish(audience->arg) : STATUS_DONE;

	return added ? added : status;
}

/* The signals stay taken meanwhile: many that stop a recording send theirs twice. */
static int finish(struct record *record)
{
	struct tracing *tracing = &record->tracing;
	struct interrupt interrupt;
	int status;

	interrupt_watch(&interrupt, &tracing->signals, &record->output, record->options->audience);
	tracing_stop(tracing);
	record->publication.duration_ns = tracing->duration_ns;
	record->publication.group = group_memory_read(&tracing->selection);
	missed_processes_count(&record->publication);
	status = publish_finish(&record->publication);
	if (record->options->finished && (status == STATUS_DONE || status == STATUS_FOUND)) {
		int finished = record->options->finished(record->output.path, record->options->finished_arg);

		status = finished ? finished : status;
	}
	status = finish_audience(record, status);
	interrupt_finish(&interrupt);
	return tracing->blind ? STATUS_FAILED : status;
}

static int run(struct record *record)
{
	struct tracing *tracing = &record->tracing;
	int status = tracing_load(tracing);

	status = status ? status : make_output(record);
	status = status ? status : begin_audience(record);
	if (!status) {
		record->publication = (struct publication){
			.options = record->options,
			.recorder = tracer_recorder(tracing->tracer),
			.output = &record->output,
			.attach = tracer_attach_name(tracing->tracer),
			.peek_tally = kernel_peek_tally,
			.kernel = tracer_kernel(tracing->tracer),
			.samples_max = PUBLISH_SAMPLES_MAX,
		};
		status = tracing_attach(tracing);
	}
	if (status)
		return status;
	record->publication.start_ns = tracing->start_ns;
	record->publication.start_unix_ns = tracing->start_unix_ns;
	watch(record);
	return finish(record);
}

int record_run(const struct record_options *options)
{
	struct record record = {.options = options, .output = {.fd = -1}};
	int status = tracing_open(&options->tracing, &record.tracing);

	record.tracing.reads_go = true;
	status = status ? status : check_output(&record);
	status = status ? status : tracing_launch(&record.tracing);
	status = status ? status : run(&record);
	if (status)
		output_dir_abandon(&record.output);
	publish_release(&record.publication);
	status = tracing_close(&record.tracing, status);
	output_dir_close(&record.output);
	return status;
}
