/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/tracing.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "system/first_steps.h"
#include "base/log.h"
#include "base/thread.h"
#include "binary/symbolizer.h"
#include "record/descendants.h"
#include "system/inheritance.h"
#include "system/shortage.h"
#include "trace/attach_process.h"
#include "trace/budget.h"
#include "trace/pace.h"
#include "trace/tracer.h"

#define LOOK_NS 100000000ULL /* a process that exits is remembered as it was last seen */
#define SAY_NS	1000000000ULL
#define TICK_NS                                                                                                        \
	1000000000ULL /* between two advances of the models' clocks, where a cycle by time alone takes minutes */

/* --- the beginning --- */

size_t tracing_symbols_max(const struct tracing_options *options)
{
	return options->small ? SYMBOLS_BYTES_SMALL : SYMBOLS_BYTES_MAX;
}

int tracing_open(const struct tracing_options *options, struct tracing *ret_tracing)
{
	*ret_tracing = (struct tracing){.options = options, .signals.fd = -1};
	return selection_open(&options->target, &ret_tracing->selection);
}

int tracing_launch(struct tracing *tracing)
{
	const struct tracing_options *options = tracing->options;

	int err = signals_take(&tracing->signals);

	if (err) {
		log_error("cannot wait for signals: %s", shortage_explain(err).text);
		return STATUS_FAILED;
	}
	inheritance_survive();
	if (!options->target.command)
		return STATUS_DONE;
	return launch_start(&tracing->selection, options->sample_bytes, &tracing->signals.original_mask,
			    &tracing->launch);
}

/* The interval to sample at in processes that run already; 0: probes do it. */
static u64 inject_interval(const struct tracing_options *options)
{
	if (options->target.command || !options->target.inlined)
		return 0;
	if (options->sample_bytes >= INLINE_BYTES_MIN)
		return options->sample_bytes;
	log_note("--inline is left out: " LAUNCH_SMALL_INTERVAL);
	return 0;
}

int tracing_load(struct tracing *tracing)
{
	const struct tracing_options *options = tracing->options;
	const u64 inject_bytes = inject_interval(options);
	struct tracer_options tracer_options = {
		.kernel.sample_bytes = options->sample_bytes,
		.kernel.alloc_only = options->alloc_only,
		.kernel.show_allocator = options->show_allocator,
		.kernel.inlined = tracing->launch.inlined || inject_bytes,
		.kernel.go = tracing->reads_go && !options->alloc_only && !options->counts_alone,
		.kernel.regions = options->regions,
		.kernel.small = options->small,
		.inject_bytes = inject_bytes,
		.max_overhead_percent = options->max_overhead_percent,
		.no_new = options->no_new,
		.pools = options->target.pools,
		.harm_translators = options->target.harm_translators,
		.wide = options->target.pid_count > FILTERED_MAX,
		.reads_go = tracing->reads_go,
		.binaries = tracing->launch.binaries,
		.gc = options->gc,
		.counts_alone = options->counts_alone,
		.residency = options->residency,
	};

	tracing->launch.binaries = NULL;
	selection_describe(&tracing->selection, &tracer_options);
	return tracer_open(&tracer_options, &tracing->tracer);
}

/* --- attaching --- */

static int attach(struct tracing *tracing)
{
	const struct first_steps steps = {.look = tracer_look_at_start, .arg = tracing->tracer};
	int status;

	if (!tracing->launch.started)
		return selection_attach(&tracing->selection, tracing->tracer);
	tracer_populate(tracing->tracer, NULL);
	status = attach_program(tracing->tracer, tracing->launch.command.pid, tracing->launch.command.path);
	if (status)
		return status;
	return launch_release(&tracing->launch, tracer_wants_start(tracing->tracer) ? &steps : NULL);
}

/* What is traced, for the first message. */
static void describe(const struct tracing *tracing, char *ret_what, size_t size)
{
	const struct selection_options *target = &tracing->options->target;
	unsigned int count = tracing->selection.processes;

	if (tracing->launch.started)
		snprintf(ret_what, size, "'%s' (pid %d)%s", target->command[0], tracing->launch.command.pid,
			 target->population == POPULATION_FOLLOW ? " and its children" : "");
	else if (target->population == POPULATION_ALL)
		snprintf(ret_what, size, "every process of this machine (%u now)", count);
	else if (target->population == POPULATION_CGROUP)
		snprintf(ret_what, size, "a %s (%u process%s now)", target->container ? "container" : "cgroup", count,
			 count == 1 ? "" : "es");
	else if (target->population == POPULATION_FOLLOW)
		snprintf(ret_what, size, count == 1 ? "%u process and its children" : "%u processes and their children",
			 count);
	else if (target->pid_count == 1)
		snprintf(ret_what, size, "pid %d", target->pids[0]);
	else
		snprintf(ret_what, size, "%u processes", target->pid_count);
}

static void say_copies(const struct tracing *tracing)
{
	const struct launch *launch = &tracing->launch;

	log_note(
		"'%s' and its children use copies of their allocators' files (%u) in a mount namespace of their own: no other "
		"process pays, and mounts that they make stay inside%s",
		tracing->options->target.command[0], launch->copies,
		launch->inlined ? "" : " (--shared-mounts turns this off)");
	if (launch->inlined)
		log_note("%u of these files ha%s the sampler, so that only samples trap", launch->inlined,
			 launch->inlined == 1 ? "s" : "ve");
}

static void say_tracing(const struct tracing *tracing)
{
	const struct tracing_options *options = tracing->options;
	char what[256], rate[64] = "every allocation";

	describe(tracing, what, sizeof(what));
	tracer_say_files(tracing->tracer);
	if (options->sample_bytes > 1)
		snprintf(rate, sizeof(rate), "one sample in %llu bytes", (unsigned long long)options->sample_bytes);
	log_note("tracing %s, %s, by %s probes; Ctrl-C stops", what, rate, tracer_attach_name(tracing->tracer));
	if (tracing->launch.copies) {
		say_copies(tracing);
		return;
	}
	if (tracing->launch.reason)
		log_note("the real allocator files are probed, because %s", tracing->launch.reason);
	selection_say(&tracing->selection, tracing->tracer);
}

int tracing_attach(struct tracing *tracing)
{
	int status;

	/* The threads that fill the ring must not starve the one that empties it; those begun before this can wait. */
	thread_raise_priority();
	tracing->start_ns = clock_now_ns();
	tracing->start_unix_ns = clock_ns(CLOCK_REALTIME);
	status = attach(tracing);
	if (status)
		return status;
	say_tracing(tracing);
	tracer_say_unseen(tracing->tracer);
	return STATUS_DONE;
}

/* --- the loop --- */

static void look(struct tracing *tracing, const struct tracing_client *client, u64 now)
{
	budget_look(tracing->tracer, now);
	tracing->over |= budget_is_spent(tracing->tracer);
	if (now - tracing->looked_ns >= LOOK_NS) {
		tracing->looked_ns = now;
		tracer_look(tracing->tracer);
	}
	if (now - tracing->said_ns < SAY_NS)
		return;
	tracing->said_ns = now;
	tracer_warn_silent(tracing->tracer);
	tracer_say_unseen(tracing->tracer);
	tracing->over |= selection_look(&tracing->selection, tracing->tracer);
	if (tracer_is_blind()) {
		log_error(
			"heaptap's own process that holds the probes has been killed, and the kernel has removed them: "
			"the recording ends here; 'heaptap doctor --clean' takes out what may be left of them");
		tracing->over = tracing->blind = true;
	}
	if (client->second)
		client->second(tracing, now, client->arg);
}

/* What COMMAND did before it ended is in the ring. */
static void look_at_descendants(struct tracing *tracing)
{
	if (tracing->command_ended || tracing->options->target.population != POPULATION_FOLLOW)
		return;
	tracing->command_ended = true;
	while (!tracer_drain(tracing->tracer))
		;
	descendants_say(tracing->options, tracing->tracer);
}

/* Has COMMAND ended, and with it the recording? */
static bool finished_with_command(struct tracing *tracing)
{
	bool changed = tracing->signals.child_changed;

	tracing->signals.child_changed = false;
	if (!changed || !launch_look(&tracing->launch))
		return false;
	look_at_descendants(tracing);
	return !tracing->options->wait_children;
}

static bool finished(struct tracing *tracing, u64 now)
{
	const struct tracing_options *options = tracing->options;

	if (tracing->signals.stop || finished_with_command(tracing))
		return true;
	if (options->duration_s > 0 && (double)(now - tracing->start_ns) >= options->duration_s * 1e9)
		return true;
	if (tracing->over)
		return true;
	return options->target.population <= POPULATION_FOLLOW && !tracer_alive(tracing->tracer);
}

static int poll_timeout(const struct tracing *tracing, u64 now)
{
	int rest_ms = tracing->awaited ? PACE_BRISK_MS : pace_rest_ms(tracing->tracer, now);
	double left_ms;

	if (tracing->options->duration_s <= 0)
		return rest_ms;
	left_ms = tracing->options->duration_s * 1e3 - (double)(now - tracing->start_ns) / 1e6;
	return left_ms < rest_ms ? (left_ms > 0 ? (int)left_ms + 1 : 0) : rest_ms;
}

void tracing_tick(struct tracing *tracing, u64 now)
{
	recorder_tick(tracer_recorder(tracing->tracer), now);
	tracing->ticked_ns = now;
}

static void keep_time(struct tracing *tracing, const struct tracing_client *client, u64 now)
{
	tracing->drained_ns = now;
	if (now - tracing->ticked_ns >= TICK_NS)
		tracing_tick(tracing, now);
	tracing->over |= client->drained(tracing, now, client->arg);
}

void tracing_watch(struct tracing *tracing, const struct tracing_client *client)
{
	struct pollfd fds[] = {
		{.fd = tracer_fd(tracing->tracer), .events = POLLIN},
		{.fd = tracing->signals.fd, .events = POLLIN},
		{.fd = client->wake_fd, .events = POLLIN},
	};
	struct tracer_moment moment = tracer_moment(tracing->tracer);
	u64 now = clock_now_ns();
	bool all = true;

	tracing->looked_ns = tracing->said_ns = tracing->drained_ns = tracing->ticked_ns = now;
	while (!finished(tracing, now)) {
		if (all)
			poll(fds, sizeof(fds) / sizeof(*fds), poll_timeout(tracing, now));
		signals_read(&tracing->signals);
		all = tracer_drain(tracing->tracer);
		if (all || tracer_is_past(tracing->tracer, &moment)) {
			keep_time(tracing, client, moment.time_ns);
			moment = tracer_moment(tracing->tracer);
		}
		now = clock_now_ns();
		look(tracing, client, now);
	}
	tracing_tick(tracing, tracing->drained_ns);
	log_progress(NULL);
}

/* --- the end --- */

void tracing_stop(struct tracing *tracing)
{
	tracing->duration_ns = clock_now_ns() - tracing->start_ns;
	tracer_stop(tracing->tracer);
	thread_lower_priority();
	tracing->blind |= tracer_say_unseen(tracing->tracer);
}

int tracing_close(struct tracing *tracing, int status)
{
	launch_abandon(&tracing->launch);
	/* Who failed has not stopped: COMMAND is not to pay for probes that nobody listens to. */
	tracer_close(tracing->tracer);
	tracing->tracer = NULL;
	if (tracing->options->target.command) {
		/* COMMAND may run on for long. */
		signals_return(&tracing->signals);
		status = launch_status(&tracing->launch, status);
	}
	selection_release(&tracing->selection);
	launch_free(&tracing->launch);
	return status;
}
