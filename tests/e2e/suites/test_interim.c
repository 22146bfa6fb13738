/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles written while recording: SIGUSR1 writes what lives at that moment, --interval the published state, that of a
 * completed cycle; neither changes the last profile, and nothing is lost for the time that writing them takes.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/name_server.h"
#include "e2e/kit/pprof_client.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

static const char *target; /* which program it is */

static void start(struct scene *scene, const char *name, const char *const *options)
{
	const char *args[16] = {"-R", "1", "-f", "text"};
	unsigned int count = 4;

	target = name;
	target_start(&scene->target, NULL, (const char *const[]){beside(target), NULL});
	target_ready(&scene->target);
	while (*options)
		args[count++] = *options++;
	args[count++] = "-p";
	args[count++] = format("%d", scene->target.pid);
	args[count] = NULL;
	session_start(&scene->session, scene, args);
	session_attached(&scene->session);
	target_go(&scene->target);
}

/* Let the target take these steps, one after the other, and wait until it has. */
static void steps(const struct scene *scene, const char *wanted)
{
	for (char done; *wanted; wanted++) {
		struct pollfd poll_fd = {.fd = scene->target.out, .events = POLLIN};

		assert_int_equal(write(scene->target.in, wanted, 1), 1);
		if (poll(&poll_fd, 1, DEADLINE_MS) != 1 || read(scene->target.out, &done, 1) != 1 || done != *wanted)
			fail_msg("the target did not do '%c'", *wanted);
	}
}

static void ask(struct scene *scene, unsigned int seq)
{
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, format("profiles %04u written", seq));
}

static const char *path_of(const struct scene *scene, unsigned int seq)
{
	return format("%s/%s%d.%s.txt", scene->session.output, seq ? format("snapshots/%04u/", seq) : "",
		      scene->target.pid, target);
}

/* The first number under which the target has a profile: those that were due before it allocated are of nobody. */
static unsigned int await_first(struct scene *scene)
{
	for (unsigned int seq = 1; seq < 10000; seq++) {
		session_await(&scene->session, format("profiles %04u written", seq));
		if (!access(path_of(scene, seq), F_OK))
			return seq;
	}
	fail_msg("none of the target's profiles was written");
	return 0;
}

/* Blocks of 1000 bytes in the profile of that number (0: the last), as {allocated, in use}. */
static struct blocks {
	uint64_t allocated, in_use;
} blocks_of(const struct scene *scene, unsigned int seq)
{
	const char *name = path_of(scene, seq);
	struct text_profile text;
	struct blocks blocks;
	struct tally tally;

	if (text_profile_read(name, &text))
		fail_msg("cannot read %s", name);
	text_profile_tally(&text, 0, 0, &tally);
	blocks = (struct blocks){tally_of_size(&tally, 1000).allocated, tally_of_size(&tally, 1000).in_use};
	tally_release(&tally);
	text_profile_release(&text);
	return blocks;
}

static void assert_blocks(const struct scene *scene, unsigned int seq, uint64_t allocated, uint64_t in_use)
{
	struct blocks blocks = blocks_of(scene, seq);

	assert_int_equal(blocks.allocated, allocated);
	assert_int_equal(blocks.in_use, in_use);
}

static void stop(struct scene *scene)
{
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
}

static void test_interim_signal_writes_what_lives_at_that_moment(void **state)
{
	struct scene *scene = *state;

	start(scene, "target_steps", (const char *const[]){NULL});
	steps(scene, "kkkf");
	ask(scene, 1);
	steps(scene, "ckff");
	ask(scene, 2);
	steps(scene, "kcck");
	stop(scene);
	assert_blocks(scene, 1, 3, 2);
	assert_blocks(scene, 2, 4, 1);
	assert_blocks(scene, 0, 6, 3);
}

static void test_interim_files_stand_in_the_index_behind_the_last(void **state)
{
	struct scene *scene = *state;
	const cJSON *files;
	cJSON *index;

	start(scene, "target_steps", (const char *const[]){NULL});
	steps(scene, "k");
	ask(scene, 1);
	ask(scene, 2);
	stop(scene);
	index = session_index(&scene->session);
	files = cJSON_GetObjectItemCaseSensitive(index_process(index, "target_steps"), "files");
	assert_int_equal(cJSON_GetArraySize(files), 3);
	for (int i = 0; i < 3; i++) {
		static const char *const folders[] = {"", "snapshots/0001/", "snapshots/0002/"};
		const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(files, i));

		assert_string_equal(name, format("%s%d.target_steps.txt", folders[i], scene->target.pid));
	}
	cJSON_Delete(index);
}

/* DIR/\*.pb.gz, the pattern of the README: snapshots are in a folder of their own. */
static void test_interim_pattern_of_the_readme_counts_each_object_once(void **state)
{
	static const char *const measures[] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
	struct scene *scene = *state;
	cJSON *index;

	start(scene, "target_steps", (const char *const[]){"-f", "pprof", NULL});
	steps(scene, "kk");
	ask(scene, 1);
	steps(scene, "kf");
	ask(scene, 2);
	stop(scene);
	index = session_index(&scene->session);
	for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++)
		assert_int_equal(pprof_sum(scene, scene->session.output, measures[i]),
				 index_number(index_process(index, target), measures[i]));
	cJSON_Delete(index);
}

static void test_interim_ledger_has_what_was_counted_so_far(void **state)
{
	struct scene *scene = *state;
	cJSON *json;

	start(scene, "target_steps", (const char *const[]){"-f", "json", NULL});
	steps(scene, "kkkf");
	ask(scene, 1);
	steps(scene, "kk");
	ask(scene, 2);
	stop(scene);
	for (unsigned int seq = 1; seq <= 2; seq++) {
		json = json_read(format("%s/snapshots/%04u/%d.target_steps.json", scene->session.output, seq,
					scene->target.pid));
		ledger_assert_clean(json);
		assert_true(index_number(json, "ledger.sampled") >= (seq == 1 ? 3 : 5));
		assert_true(index_number(json, "ledger.freed") >= 1);
		assert_true(index_number(json, "ledger.hits_alloc") >= (seq == 1 ? 3 : 5));
		cJSON_Delete(json);
	}
}

/* What is shown is a past state, and never less than was shown before. */
static void test_interim_interval_writes_the_published_state(void **state)
{
	struct scene *scene = *state;
	struct blocks before = {0, 0};
	unsigned int first;

	start(scene, "target_steps", (const char *const[]){"-v", "--interval", "0.05", NULL});
	steps(scene, "kkck");
	first = await_first(scene);
	steps(scene, "ckck");
	session_await(&scene->session, format("profiles %04u written", first + 5));
	stop(scene);
	for (unsigned int seq = first; seq <= first + 5; seq++) {
		struct blocks blocks = blocks_of(scene, seq);

		assert_true(blocks.allocated >= before.allocated);
		assert_true(blocks.in_use == blocks.allocated);
		assert_true(blocks.allocated <= 5);
		before = blocks;
	}
	assert_blocks(scene, 0, 5, 5);
}

/* 100 times 4096 pairs are several times what the ring holds. */
static void test_interim_events_are_taken_in_while_names_are_sought(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	struct name_server server;
	char churns[101];
	cJSON *index;

	memset(churns, 'c', 100);
	churns[100] = '\0';
	name_server_start(&server, scene);
	scene->session.environment[3] = "HEAPTAP_RING_BYTES=8388608";
	start(scene, "target_nameless", (const char *const[]){NULL});
	steps(scene, "kk");
	session_signal(&scene->session, SIGUSR1);
	name_server_await_client(&server);
	steps(scene, churns);
	assert_false(session_said(&scene->session, "profiles 0001"));
	name_server_stop(&server);
	session_await(&scene->session, "profiles 0001 written");
	ask(scene, 2);
	stop(scene);
	assert_blocks(scene, 1, 2, 2);
	assert_blocks(scene, 2, 2, 2);
	index = session_index(&scene->session);
	process = index_process(index, target);
	ledger_assert_clean(process);
	assert_int_equal(index_number(process, "ledger.freed"), 100 * 4096);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_interim_signal_writes_what_lives_at_that_moment),
		TEST(test_interim_files_stand_in_the_index_behind_the_last),
		TEST(test_interim_pattern_of_the_readme_counts_each_object_once),
		TEST(test_interim_ledger_has_what_was_counted_so_far),
		TEST(test_interim_interval_writes_the_published_state),
		TEST(test_interim_events_are_taken_in_while_names_are_sought),
	};

	return cmocka_run_group_tests_name("interim", tests, NULL, NULL);
}
