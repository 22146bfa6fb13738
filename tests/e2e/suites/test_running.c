/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target that is traced, asked for profiles meanwhile: what is answered is what it holds at that moment, to the byte, from
 * several threads at a time, also after it has ended; and the asker ends the tracing. The asker is a thread of this program: it notes
 * what it was told, and the test compares it afterwards.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/status.h"
#include "e2e/kit/session.h"
#include "live/running.h"
#include "trace/link_keeper.h"
#include "trace/libbpf_log.h"
#include "system/inheritance.h"

#define ANSWERS	 8
#define THREADS	 8
#define REQUESTS 50

struct answer {
	int err;
	uint64_t value[MEASURE_MAX]; /* of blocks of 1000 bytes */
};

struct asker {
	struct scene *scene;
	int (*ask)(struct asker *asker, struct source *source, int stop_fd);
	struct answer answers[ANSWERS];
	unsigned int count;
	uint64_t list_objects[ANSWERS];
	unsigned int list_count;
	bool failed, ended, stopped;
};

static void take_steps(struct asker *asker, const char *wanted)
{
	const struct child *target = &asker->scene->target;

	for (char done; *wanted; wanted++) {
		struct pollfd poll_fd = {.fd = target->out, .events = POLLIN};

		if (write(target->in, wanted, 1) != 1 || poll(&poll_fd, 1, DEADLINE_MS) != 1 ||
		    read(target->out, &done, 1) != 1 || done != *wanted)
			asker->failed = true;
	}
}

static struct answer ask_for(struct source *source, const struct source_want *want)
{
	struct answer answer = {0};
	struct profile *profile;
	uint64_t values[MEASURE_MAX];

	answer.err = source_profile(source, want, &profile);
	for (uint32_t i = 0; !answer.err && i < profile->sample_count; i++) {
		if (profile->samples[i].size != 1000)
			continue;
		profile_sample_values(profile, &profile->samples[i], values);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			answer.value[m] += values[m];
	}
	if (!answer.err)
		profile_free(profile);
	return answer;
}

static void note_profile(struct asker *asker, struct source *source)
{
	const struct source_want want = {.pid = (uint32_t)asker->scene->target.pid, .gc = true};

	asker->answers[asker->count++] = ask_for(source, &want);
}

static void note_list(struct asker *asker, struct source *source)
{
	struct source_listing listing;

	asker->failed |= source_list(source, true, &listing) != 0;
	asker->ended = listing.ended;
	for (uint32_t i = 0; i < listing.processes.count; i++)
		if (listing.processes.entries[i].facts->pid == (uint32_t)asker->scene->target.pid)
			asker->list_objects[asker->list_count] = listing.processes.entries[i].total[ALLOC_OBJECTS];
	asker->list_count++;
	source_listing_release(&listing);
}

static int run_asker(struct source *source, int stop_fd, void *arg)
{
	struct asker *asker = arg;

	return asker->ask(asker, source, stop_fd);
}

/* Ask about target_steps, which is traced in full. */
static int trace(struct asker *asker, double duration_s)
{
	const struct live_client client = {.run = run_asker, .arg = asker};
	pid_t pids[] = {asker->scene->target.pid};
	const struct tracing_options options = {
		.target = {.pids = pids, .pid_count = 1},
		.sample_bytes = 1,
		.duration_s = duration_s,
		.gc = {.gogc_percent = 100},
	};

	return running_run(&options, NULL, &client);
}

static void start(struct asker *asker, void **state,
		  int (*ask)(struct asker *asker, struct source *source, int stop_fd))
{
	*asker = (struct asker){.scene = *state, .ask = ask};
	target_start(&asker->scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&asker->scene->target);
	target_go(&asker->scene->target);
}

static void assert_answer(const struct answer *answer, uint64_t allocated, uint64_t in_use)
{
	assert_int_equal(answer->err, 0);
	assert_int_equal(answer->value[ALLOC_OBJECTS], allocated);
	assert_int_equal(answer->value[INUSE_OBJECTS], in_use);
	assert_int_equal(answer->value[ALLOC_SPACE], 1000 * allocated);
	assert_int_equal(answer->value[INUSE_SPACE], 1000 * in_use);
}

static int ask_between_steps(struct asker *asker, struct source *source, int stop_fd)
{
	(void)stop_fd;
	take_steps(asker, "kkkf");
	note_profile(asker, source);
	note_list(asker, source);
	take_steps(asker, "ckff");
	note_profile(asker, source);
	take_steps(asker, "kcck");
	note_profile(asker, source);
	note_list(asker, source);
	return STATUS_DONE;
}

static void test_running_answers_with_what_is_in_use_now(void **state)
{
	struct asker asker;

	start(&asker, state, ask_between_steps);
	assert_int_equal(trace(&asker, 0), STATUS_DONE);
	assert_false(asker.failed);
	assert_false(asker.ended);
	assert_answer(&asker.answers[0], 3, 2);
	assert_answer(&asker.answers[1], 4, 1);
	assert_answer(&asker.answers[2], 6, 3);
	assert_true(asker.list_objects[0] >= 3);
	assert_int_equal(asker.list_objects[1] - asker.list_objects[0], 3 + 3 * 4096);
}

static int ask_for_strangers(struct asker *asker, struct source *source, int stop_fd)
{
	(void)stop_fd;
	asker->answers[0] = ask_for(source, &(const struct source_want){.pid = 1});
	asker->answers[1] = ask_for(source, &(const struct source_want){.container = "nosuch"});
	asker->answers[2] =
		ask_for(source, &(const struct source_want){.pid = (uint32_t)asker->scene->target.pid, .image = 7});
	return STATUS_FAILED;
}

static void test_running_knows_no_other_process(void **state)
{
	struct asker asker;

	start(&asker, state, ask_for_strangers);
	assert_int_equal(trace(&asker, 0), STATUS_FAILED);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(asker.answers[i].err, -ENOENT);
}

struct crowd {
	struct asker *asker;
	struct source *source;
	struct answer answers[REQUESTS];
	struct thread thread;
};

static void ask_often(void *arg)
{
	struct crowd *crowd = arg;
	const struct source_want want = {.pid = (uint32_t)crowd->asker->scene->target.pid};

	for (unsigned int i = 0; i < REQUESTS; i++)
		crowd->answers[i] = ask_for(crowd->source, &want);
}

static int ask_as_crowd(struct asker *asker, struct source *source, int stop_fd)
{
	static struct crowd crowds[THREADS];

	(void)stop_fd;
	take_steps(asker, "kkkkkkf");
	for (unsigned int i = 0; i < THREADS; i++) {
		crowds[i] = (struct crowd){.asker = asker, .source = source};
		asker->failed |= thread_start(&crowds[i].thread, ask_often, &crowds[i]) != 0;
	}
	for (unsigned int i = 0; i < THREADS; i++)
		thread_finish(&crowds[i].thread);
	for (unsigned int i = 0; i < THREADS * REQUESTS; i++) {
		const struct answer *answer = &crowds[i / REQUESTS].answers[i % REQUESTS];

		asker->failed |= answer->err || answer->value[ALLOC_OBJECTS] != 6;
	}
	return STATUS_DONE;
}

static void test_running_answers_many_at_a_time(void **state)
{
	struct asker asker;

	start(&asker, state, ask_as_crowd);
	assert_int_equal(trace(&asker, 0), STATUS_DONE);
	assert_false(asker.failed);
}

static int ask_to_the_end(struct asker *asker, struct source *source, int stop_fd)
{
	struct scene *scene = asker->scene;

	(void)stop_fd;
	take_steps(asker, "kkf");
	close(scene->target.in);
	scene->target.in = -1;
	while (!asker->ended) {
		asker->list_count = 0;
		note_list(asker, source);
	}
	note_profile(asker, source);
	return STATUS_DONE;
}

static void test_running_answers_when_the_target_has_ended(void **state)
{
	struct asker asker;

	start(&asker, state, ask_to_the_end);
	assert_int_equal(trace(&asker, 0), STATUS_DONE);
	assert_false(asker.failed);
	assert_answer(&asker.answers[0], 2, 1);
}

static int wait_to_be_stopped(struct asker *asker, struct source *source, int stop_fd)
{
	struct pollfd fd = {.fd = stop_fd, .events = POLLIN};

	asker->stopped = poll(&fd, 1, DEADLINE_MS) == 1;
	note_profile(asker, source);
	return STATUS_DONE;
}

static void test_running_stops_the_client_when_its_time_is_over(void **state)
{
	struct asker asker;

	start(&asker, state, wait_to_be_stopped);
	assert_int_equal(trace(&asker, 0.2), STATUS_DONE);
	assert_true(asker.stopped);
	assert_answer(&asker.answers[0], 0, 0);
}

static int interrupt(struct asker *asker, struct source *source, int stop_fd)
{
	kill(getpid(), SIGTERM);
	return wait_to_be_stopped(asker, source, stop_fd);
}

static void test_running_stops_the_client_at_a_signal(void **state)
{
	struct asker asker;

	start(&asker, state, interrupt);
	assert_int_equal(trace(&asker, 0), STATUS_DONE);
	assert_true(asker.stopped);
}

/* The children of target_brood that have ended, in one listing: those that are kept, and those that are not. */
struct ended {
	uint64_t kept, kept_bytes, dropped, dropped_bytes;
	struct source_untold untold;
};

static void add_ended(const struct index_table *table, uint64_t *count, uint64_t *bytes)
{
	for (uint32_t i = 0; i < table->count; i++) {
		const struct index_entry *entry = &table->entries[i];

		if (!entry->facts->exited)
			continue;
		*count += entry->facts->processes ? entry->facts->processes : 1;
		*bytes += entry->total[ALLOC_SPACE];
	}
}

/* Until so many have ended and are known to have. */
static struct ended await_ended(struct asker *asker, struct source *source, uint64_t count)
{
	uint64_t deadline = deadline_ns();
	struct ended ended = {0};

	while (ended.kept + ended.dropped < count && !asker->failed) {
		struct source_listing listing;

		ended = (struct ended){0};
		asker->failed |= source_list(source, true, &listing) != 0 || now_ns() > deadline;
		add_ended(&listing.processes, &ended.kept, &ended.kept_bytes);
		add_ended(&listing.dropped, &ended.dropped, &ended.dropped_bytes);
		ended.untold = listing.untold;
		source_listing_release(&listing);
	}
	return ended;
}

static void breed(struct asker *asker, unsigned int first, unsigned int count)
{
	const struct child *target = &asker->scene->target;
	const char *line = format("fork %u %u\n", first, count);
	char answer[8];

	if (write(target->in, line, strlen(line)) != (ssize_t)strlen(line) || read(target->out, answer, 5) != 5)
		asker->failed = true;
}

/* Twice as many as are kept, then an answer for one who adds up, then the same again: who was kept is in that, who was dropped is not. */
static int ask_beyond_what_is_kept(struct asker *asker, struct source *source, int stop_fd)
{
	const struct source_want all = {.gc = true, .adds_up = true}, other = {.gc = true};
	const unsigned int count = 2 * RUNNING_ENDED;
	struct ended first, second;

	(void)stop_fd;
	breed(asker, 1, count);
	ask_for(source, &other);
	first = await_ended(asker, source, count);
	asker->failed |= ask_for(source, &all).err != 0;
	source_settle(source, true);
	breed(asker, count + 1, count);
	second = await_ended(asker, source, 2 * count);
	asker->failed |= first.untold.processes != first.dropped || !first.dropped;
	asker->failed |= first.untold.bytes != first.dropped_bytes;
	asker->failed |= second.untold.processes != second.dropped - first.kept;
	asker->failed |= second.untold.bytes != second.dropped_bytes - first.kept_bytes;
	return STATUS_DONE;
}

static void test_running_counts_what_is_dropped_untold(void **state)
{
	struct asker asker = {.scene = *state, .ask = ask_beyond_what_is_kept};
	const struct live_client client = {.run = run_asker, .arg = &asker};
	struct tracing_options options = {
		.target = {.pid_count = 1, .population = POPULATION_FOLLOW},
		.sample_bytes = 1,
		.gc = {.gogc_percent = 100},
	};

	target_start(&asker.scene->target, NULL, (const char *const[]){beside("target_brood"), "-", NULL});
	options.target.pids = &asker.scene->target.pid;
	assert_int_equal(running_run(&options, NULL, &client), STATUS_DONE);
	assert_false(asker.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_running_answers_with_what_is_in_use_now, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(test_running_knows_no_other_process, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_running_answers_many_at_a_time, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_running_answers_when_the_target_has_ended, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(test_running_stops_the_client_when_its_time_is_over, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(test_running_stops_the_client_at_a_signal, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_running_counts_what_is_dropped_untold, scene_setup,
						scene_teardown),
	};
	int failed;

	inheritance_change();
	libbpf_log_take();
	failed = cmocka_run_group_tests_name("running", tests, NULL, NULL);
	link_keeper_stop();
	return failed;
}
