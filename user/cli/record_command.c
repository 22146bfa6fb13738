/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/record_command.h"

#include "base/clock.h"
#include "cli/options.h"
#include "cli/push_command.h"
#include "cli/report_page.h"
#include "push/intake.h"

/* --- the page --- */

static int write_page(const char *directory, const void *arg)
{
	const struct options *options = arg;
	const struct report_options report = {
		.path = directory, .html = options->html, .site_skip = options->site_skip};

	return report_page(&report);
}

static int plan_page(struct options *options)
{
	if (!options->html)
		return STATUS_DONE;
	options->record.finished = write_page;
	options->record.finished_arg = options;
	return report_page_check(options->html);
}

/* --- the store --- */

/* What is written is pushed, too, by the thread that writes: it makes the requests, and delivery's thread sends them. */
struct sender {
	struct push_options options;
	struct pushing *pushing; /* NULL until tracing is about to begin */
	struct intake intake;
};

static int begin(void *arg)
{
	struct sender *sender = arg;

	return pushing_open(&sender->options, &sender->pushing);
}

static void take(const struct profile *profile, u32 process, bool last, void *arg)
{
	struct sender *sender = arg;

	intake_add(&sender->intake, profile, process, last);
}

/* Names may have taken a minute: the interval ended before. */
static void send_interval(u64 taken_ns, void *arg)
{
	s64 age_ns = (s64)(clock_now_ns() - taken_ns);
	struct sender *sender = arg;
	bool ended;
	int err = pushing_interval(sender->pushing, &sender->intake.source, (s64)clock_ns(CLOCK_REALTIME) - age_ns,
				   &ended);

	intake_next(&sender->intake, !err);
}

static int finish(void *arg)
{
	struct sender *sender = arg;
	int status = pushing_finish(sender->pushing), lost = intake_say_losses(&sender->intake);

	return status ? status : lost;
}

static int record_and_push(struct options *options)
{
	const struct tracing_options *tracing = &options->record.tracing;
	struct sender sender = {.options = push_command_beside(options)};
	const struct audience audience = {begin, take, send_interval, finish, &sender};
	int status = push_check(&sender.options);

	if (status)
		return options_not_begun(options, status);
	intake_open(&sender.intake, tracing->target.population == POPULATION_LISTED, tracing->alloc_only,
		    tracing->sample_bytes);
	options->record.audience = &audience;
	status = record_run(&options->record);
	pushing_close(sender.pushing);
	intake_release(&sender.intake);
	return status;
}

/* --- all --- */

int record_command_run(struct options *options)
{
	int status = plan_page(options);

	if (status)
		return options_not_begun(options, status);
	return options->push.to ? record_and_push(options) : record_run(&options->record);
}
