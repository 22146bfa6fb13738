/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/running.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "heap/go_profile.h"
#include "live/collection.h"
#include "live/ended_sums.h"
#include "live/namer.h"
#include "live/questions.h"
#include "live/untold.h"
#include "trace/bpf_maps.h"
#include "trace/close_unused.h"
#include "trace/tracer.h"

/*
 * One part of so many of the draining thread's time is for snapshots. Its CPU time counts: while other programs have the processor it would
 * not drain either, and on a busy machine clients would wait the longest time for each answer.
 */
#define SHARE	  100
#define ANSWER_MS 20 /* between two looks at what clients ask for once tracing is over */

struct running {
	struct source source;
	struct tracing tracing;
	struct client_run client;
	struct questions questions;
	struct namer namer;
	u64 next_ns;		    /* when the next snapshots may be taken */
	struct index_table dropped; /* see ended_sums.h */
	u32 sums_lack;		    /* processes that are not in there, for want of memory */
	struct untold untold;
	bool stopped; /* tracing is over: ledgers are complete */
};

/* --- the draining thread --- */

static int no_tally(const struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX])
{
	(void)kernel, (void)process, (void)ledger;
	return 0;
}

static struct peek peek_of(const struct running *running, u64 now, unsigned int parts)
{
	const struct tracing *tracing = &running->tracing;

	return (struct peek){
		.recorder = tracer_recorder(tracing->tracer),
		.tally = running->stopped || tracing->options->counts_alone ? no_tally : kernel_peek_tally,
		.kernel = tracer_kernel(tracing->tracer),
		.start_ns = tracing->start_ns,
		.start_unix_ns = tracing->start_unix_ns,
		.now_ns = now,
		.parts = parts,
		.again = true,
	};
}

static void describe(struct running *running, u64 now, struct source_listing *head)
{
	const struct tracing *tracing = &running->tracing;
	const struct kernel *kernel = tracer_kernel(tracing->tracer);

	*head = (struct source_listing){
		.start_unix_ns = tracing->start_unix_ns,
		.duration_ns = now - tracing->start_ns,
		.sample_bytes = tracing->options->sample_bytes,
		.processes_missing = kernel_missed(kernel),
		.processes_refused = kernel_refused(kernel),
		.untold = running->untold.sum,
		.named = tracing->options->target.population == POPULATION_LISTED,
		.ended = running->stopped,
	};
	snprintf(head->attach, sizeof(head->attach), "%s", tracer_attach_name(tracing->tracer));
}

/* A list needs no stacks, but verdicts; what the memory of a few processes is can be read for it, of a thousand not. */
static unsigned int parts_of(const struct running *running, const struct source_want *want)
{
	const struct selection_options *target = &running->tracing.options->target;

	if (!want && target->population == POPULATION_LISTED && target->pid_count <= FILTERED_MAX)
		return SNAPSHOT_LIFETIMES | SNAPSHOT_MEMORY;
	if (!want)
		return SNAPSHOT_LIFETIMES;
	if (want->regions)
		return SNAPSHOT_STACKS | SNAPSHOT_REGIONS;
	return want->counts ? SNAPSHOT_STACKS : SNAPSHOT_STACKS | SNAPSHOT_LIFETIMES | SNAPSHOT_MEMORY;
}

static void answer(struct running *running, struct question *question, u64 now)
{
	struct recorder *recorder = tracer_recorder(running->tracing.tracer);
	struct collection collection = {
		.peek = peek_of(running, now, parts_of(running, question->want)),
		.question = question,
		.facts = !question->want && running->tracing.options->counts_alone,
	};

	untold_settle(&running->untold, recorder);
	if (question->gc)
		recorder_request(recorder);
	describe(running, now, &question->head);
	question->err = recorder_for_each(recorder, collection_add, &collection);
	if (!question->want && !question->err)
		question->err = index_table_copy(&running->dropped, &question->head.dropped);
}

/* Is there a question that only waits for the events up to its time? */
static bool is_waiting(struct running *running)
{
	return questions_are_waiting(&running->questions) && (running->stopped || clock_now_ns() >= running->next_ns);
}

/*
 * Answer questions as far as the share of time allows: once tracing is over, at once. `now`: every event up to then has been taken in.
 */
static void answer_questions(struct running *running, u64 now)
{
	struct question *question;
	u64 until = running->stopped ? UINT64_MAX : now, spent, wait;

	while ((running->stopped || clock_now_ns() >= running->next_ns) &&
	       (question = questions_take(&running->questions, until))) {
		spent = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		answer(running, question, now);
		questions_give(&running->questions, question);
		wait = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - spent) * SHARE;
		running->next_ns = clock_now_ns() + (wait < RUNNING_WAIT_NS ? wait : RUNNING_WAIT_NS);
	}
}

static int add_dropped(struct running *running, struct profile *profile)
{
	return ended_sums_add(&running->dropped, profile,
			      running->tracing.options->target.population == POPULATION_LISTED);
}

/* An image that has ended: what it had stays in sums. 0 or -ENOMEM, and then it does not. */
static int drop(struct running *running, struct image *image, u64 now)
{
	const struct peek peek = peek_of(running, now, 0);
	struct snapshot_draft *draft;
	bool wanted = !running->tracing.options->counts_alone;
	struct profile *profile;
	int err = 0;

	if (wanted && !go_profile_is_all(image)) {
		err = peek_image(&peek, image, &draft);
		err = err ? err : snapshot_draft_finish(draft, &profile);
		err = err ? err : add_dropped(running, profile);
	}
	if (wanted && !err && go_reading_has_profile(image->go)) {
		err = peek_go(&peek, image, &profile);
		err = err ? err : add_dropped(running, profile);
	}
	untold_add(&running->untold, image);
	image_free(image);
	return err;
}

static bool may_go(const struct running *running, const struct image *image)
{
	u32 ended = recorder_ended_count(tracer_recorder(running->tracing.tracer));

	if (ended <= RUNNING_ENDED)
		return false;
	return ended > RUNNING_UNTOLD || !running->client.client->adds_up || !untold_remains(image);
}

/* Files may only be closed, and images freed, while no snapshot needs them for its names. */
static void tidy(struct running *running, u64 now)
{
	struct recorder *recorder = tracer_recorder(running->tracing.tracer);
	struct image *image;

	if (!questions_are_named(&running->questions))
		return;
	untold_settle(&running->untold, recorder);
	while ((image = recorder_first_ended(recorder)) && may_go(running, image)) {
		image = recorder_take_ended(recorder);
		if (drop(running, image, now) && !running->sums_lack++)
			log_error("out of memory: sums over processes that have ended lack some of them");
	}
	close_unused_files(running->tracing.tracer, running->namer.symbolizer);
}

static bool drained(struct tracing *tracing, u64 now, void *arg)
{
	struct running *running = arg;
	eventfd_t woken;

	eventfd_read(running->questions.wake_fd, &woken);
	/* Before the next question, which may be there already: otherwise those who ask without a pause would keep it from ever happening. */
	tidy(running, now);
	answer_questions(running, now);
	tracing->awaited = questions_are_waiting(&running->questions);
	if (is_waiting(running))
		eventfd_write(running->questions.wake_fd, 1);
	/* A client that cancels has only its own threads to wait for. */
	return client_is_done(&running->client) || questions_are_cancelled(&running->questions);
}

/* The target has ended, or a signal has come: the client may still ask, until it returns. */
static void answer_to_the_end(struct running *running, bool stop)
{
	struct signals *signals = &running->tracing.signals;
	struct pollfd fd = {.fd = signals->fd, .events = POLLIN};

	while (!client_is_done(&running->client)) {
		if (stop || signals->stop)
			client_stop(&running->client);
		poll(&fd, 1, ANSWER_MS);
		signals_read(signals);
		answer_questions(running, running->tracing.start_ns + running->tracing.duration_ns);
	}
}

/* --- the threads that ask --- */

/* `ret_listing`: of the same moment; NULL: it is not wanted. */
static int running_take(struct source *source, const struct source_want *want, struct source_listing *ret_listing,
			struct profile **ret_profile)
{
	struct running *running = (struct running *)source;
	struct question question = {.want = want, .gc = want->gc};
	struct profile *profile = NULL;
	int err = questions_ask(&running->questions, &question);

	if (err)
		return err;
	if (ret_listing)
		*ret_listing = question.head;
	err = question.err;
	if (!err)
		err = namer_profile(&running->namer, want, &question.taken, &profile);
	questions_named(&running->questions);
	if (ret_listing)
		ret_listing->go_left_out = question.taken.go_left_out;
	if (!err && ret_listing)
		err = taken_list_index(&question.taken, &ret_listing->processes);
	taken_list_release(&question.taken);
	if (err) {
		profile_free(profile);
		if (want->adds_up)
			source_settle(source, false);
		return err;
	}
	*ret_profile = profile;
	return 0;
}

static int running_profile(struct source *source, const struct source_want *want, struct profile **ret_profile)
{
	return running_take(source, want, NULL, ret_profile);
}

static int running_list(struct source *source, bool gc, struct source_listing *ret_listing)
{
	struct running *running = (struct running *)source;
	struct question question = {.gc = gc};
	int err = questions_ask(&running->questions, &question);

	*ret_listing = question.head;
	if (err)
		return err;
	taken_list_read_memory(&question.taken);
	err = question.err ? question.err : taken_list_complete(&question.taken);
	questions_named(&running->questions);
	if (!err)
		err = taken_list_index(&question.taken, &ret_listing->processes);
	taken_list_release(&question.taken);
	return err;
}

static void running_settle(struct source *source, bool kept)
{
	untold_say(&((struct running *)source)->untold, kept);
}

static void running_cancel(struct source *source)
{
	questions_cancel(&((struct running *)source)->questions);
}

/* --- from beginning to end --- */

static int open_running(struct running *running, const regex_t *site_skip)
{
	static const struct source_ops ops = {
		.list = running_list,
		.profile = running_profile,
		.take = running_take,
		.settle = running_settle,
		.cancel = running_cancel,
	};

	running->source.ops = &ops;
	questions_init(&running->questions);
	if (!namer_init(&running->namer, site_skip, tracing_symbols_max(running->tracing.options)))
		return STATUS_DONE;
	log_error("out of memory");
	return STATUS_FAILED;
}

static void close_running(struct running *running)
{
	index_table_release(&running->dropped);
	namer_release(&running->namer);
	questions_release(&running->questions);
}

/* It takes the kernel seconds where much is probed. */
static void say_removal(const struct tracer *tracer)
{
	unsigned int processes = tracer_alive(tracer);

	if (processes)
		log_note("removing the probes from %u process%s", processes, processes == 1 ? "" : "es");
}

/* Tracing goes on. */
static int run_client(struct running *running, const struct live_client *client)
{
	const struct tracing_client watcher = {drained, NULL, running->questions.wake_fd, running};
	struct tracing *tracing = &running->tracing;
	int status = client_start(&running->client, client, &running->source);
	bool timed;

	if (status)
		return status;
	tracing_watch(tracing, &watcher);
	timed = tracing->options->duration_s > 0 &&
		clock_now_ns() - tracing->start_ns >= tracing->options->duration_s * 1e9;
	/* Before the probes go: a screen is not to stand there meanwhile. */
	if (timed || tracing->signals.stop)
		client_stop(&running->client);
	say_removal(tracing->tracer);
	tracing_stop(tracing);
	running->stopped = true;
	answer_to_the_end(running, timed);
	status = client_finish(&running->client);
	return tracing->blind ? STATUS_FAILED : status;
}

int running_run(const struct tracing_options *options, const regex_t *site_skip, const struct live_client *client)
{
	struct running running = {0};
	int status = tracing_open(options, &running.tracing);

	running.tracing.reads_go = true;
	status = status ? status : tracing_launch(&running.tracing);
	status = status ? status : tracing_load(&running.tracing);
	status = status ? status : tracing_attach(&running.tracing);
	if (!status) {
		status = open_running(&running, site_skip);
		status = status ? status : run_client(&running, client);
		close_running(&running);
	}
	return tracing_close(&running.tracing, status);
}
