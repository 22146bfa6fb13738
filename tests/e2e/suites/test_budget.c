/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --max-overhead: what is traced less and less of a program that allocates on command, what is said of it and left in the files, and that
 * the program comes to no harm. Blocks of 100000 bytes are all sampled at 1 in 4096: one in e^24 would not be.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/tally.h"
#include "e2e/kit/text_profile.h"

#define KEPT_BYTES 100000
#define UNDER	   "0.001" /* a limit that whatever allocates is above */

static void order(const struct child *target, char byte, unsigned int times)
{
	char steps[1001];

	assert_true(times < sizeof(steps));
	memset(steps, byte, times);
	steps[times] = '\0';
	target_take_steps(target, steps);
}

/* Its blocks are as it wrote them, and it ends well. */
static void assert_unharmed(struct child *target)
{
	assert_int_equal(write(target->in, "e", 1), 1);
	assert_int_equal(target_finish(target), 0);
}

static void begin(struct scene *scene, const char *limit, const char *more, const char *argument)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_budget"), NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "4096", "-f", "text,pprof,json", "--max-overhead", limit, "-p",
					    format("%d", scene->target.pid), more, argument, NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
}

static struct tally_row kept(const struct scene *scene, const cJSON *process)
{
	struct text_profile text;
	struct tally tally;
	struct tally_row row;

	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	text_profile_tally(&text, 0, 0, &tally);
	row = tally_of_size(&tally, KEPT_BYTES);
	tally_release(&tally);
	text_profile_release(&text);
	return row;
}

static void assert_report_says(const struct scene *scene, const char *words)
{
	char *text = session_report(&scene->session, "");

	assert_non_null(strstr(text, words));
	free(text);
}

/* The target is still: no step can follow, as it uses no CPU time. */
static void test_budget_frees_end_and_in_use_is_as_of_then(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	struct tally_row row;
	cJSON *index;

	begin(scene, UNDER, NULL, NULL);
	order(&scene->target, 'k', 120);
	order(&scene->target, 'f', 20);
	order(&scene->target, 'b', 1);
	session_await(&scene->session, "(limit 0.001 %): with --inline only samples would trap");
	session_await(&scene->session, "frees are not traced any more");
	order(&scene->target, 'q', 1);
	order(&scene->target, 'f', 50);
	order(&scene->target, 'k', 10);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_budget");
	ledger_assert_balanced(process);
	row = kept(scene, process);
	assert_int_equal(row.allocated, 130);
	assert_int_equal(row.in_use, 100);
	assert_int_equal(index_number(process, "ledger.budget_steps"), 2);
	assert_true(index_number(process, "ledger.budget_unfollowed") >= 10);
	assert_int_equal(index_number(process, "ledger.entry_only"), index_number(process, "ledger.budget_unfollowed"));
	assert_int_equal(index_number(process, "ledger.budget_scaled"), 0);
	assert_true(index_number(process, "max_overhead.frees_ended_ns") > 0);
	session_assert_said(&scene->session, "--max-overhead ended the tracing of frees");
	assert_report_says(scene, "--max-overhead ended the tracing of frees");
	assert_unharmed(&scene->target);
	cJSON_Delete(index);
}

/* To the end: in windows, and no more at last. The target goes on meanwhile, and after that. */
static void test_budget_windows_and_then_the_end(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	begin(scene, UNDER, "--alloc-only", NULL);
	order(&scene->target, 'k', 100);
	order(&scene->target, 'b', 1);
	session_await(&scene->session, "with --inline only samples would trap");
	session_await(&scene->session, "the probes are on for 0.1 s of CPU time out of 3.2 s");
	session_await(&scene->session, "heaptap detaches, and the recording ends here");
	assert_int_equal(session_finish(&scene->session), 0);
	assert_false(session_said(&scene->session, "frees are not traced any more"));
	index = session_index(&scene->session);
	process = index_process(index, "target_budget");
	ledger_assert_balanced(process);
	assert_int_equal(index_number(process, "ledger.budget_steps"), 3);
	assert_int_equal(index_number(process, "max_overhead.probe_scale"), 32);
	assert_true(index_number(process, "max_overhead.scaled_from_ns") > 0);
	assert_true(index_number(process, "max_overhead.detached_ns") > 0);
	assert_true(kept(scene, process).allocated == 100);
	assert_report_says(scene, "--max-overhead had the probes on for 1/32 of the CPU time");
	order(&scene->target, 'q', 1);
	order(&scene->target, 'f', 10);
	assert_unharmed(&scene->target);
	cJSON_Delete(index);
}

/*
 * A call is sampled, and under way when the probes are taken out; it returns while they are out. They are put in again, in a window of 0.1 s out of
 * 3.2 s, and thousands of calls return at the same place of the same stack: none of them was for so much. The target computes all the time.
 */
static void call_under_way_is_no_later_one(struct scene *scene, const char *rung)
{
	const cJSON *process;
	cJSON *index;

	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	begin(scene, UNDER, "--alloc", "target_budget:pool_take(size=1)=ret,pool_put(ptr=1)");
	order(&scene->target, 'h', 1);
	order(&scene->target, 'b', 1);
	session_await(&scene->session, "the probes are on for 0.1 s of CPU time out of 3.2 s");
	order(&scene->target, 'q', 1);
	order(&scene->target, 'r', 1);
	order(&scene->target, 'b', 1);
	session_await(&scene->session, "heaptap detaches, and the recording ends here");
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_budget");
	ledger_assert_balanced(process);
	assert_int_equal(kept(scene, process).allocated, 0);
	assert_int_equal(index_number(process, "ledger.return_missed"), 1);
	assert_int_equal(index_number(process, "ledger.in_flight"), 0);
	assert_int_equal(index_number(process, "ledger.budget_steps"), 4);
	assert_int_equal(index_number(process, "max_overhead.probe_scale"), 32);
	order(&scene->target, 'q', 1);
	assert_unharmed(&scene->target);
	cJSON_Delete(index);
}

static void test_budget_call_under_way_is_no_later_one_by_multi(void **state)
{
	call_under_way_is_no_later_one(*state, "multi");
}

static void test_budget_call_under_way_is_no_later_one_by_perf(void **state)
{
	call_under_way_is_no_later_one(*state, "perf");
}

static int make_fifo(const char *path)
{
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	/* Also to write, so that opening waits for nobody. */
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* A child of COMMAND, which runs copies of its files: their unfiltered links are taken out and put in. */
static void test_budget_windows_of_what_command_starts(void **state)
{
	struct scene *scene = *state;
	const char *in = format("%s/in", scene->dir), *out = format("%s/out", scene->dir);
	const cJSON *process;
	cJSON *index;

	scene->target.in = make_fifo(in);
	scene->target.out = make_fifo(out);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "4096", "-f", "text,pprof,json", "--max-overhead", UNDER,
					    "--alloc-only", "--follow", "--plain-copies", "--", "/bin/sh", "-c",
					    "\"$0\" <\"$1\" >\"$2\"; exit $?", beside("target_budget"), in, out, NULL});
	target_ready(&scene->target);
	target_go(&scene->target);
	order(&scene->target, 'k', 100);
	order(&scene->target, 'b', 1);
	session_await(&scene->session, "the probes are on for 0.1 s of CPU time out of 3.2 s");
	order(&scene->target, 'q', 1);
	order(&scene->target, 'f', 100);
	assert_int_equal(write(scene->target.in, "e", 1), 1);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_budget");
	ledger_assert_balanced(process);
	assert_int_equal(kept(scene, process).allocated, 100);
	assert_int_equal(index_number(process, "ledger.budget_steps"), 2);
	assert_int_equal(index_number(process, "max_overhead.probe_scale"), 32);
	cJSON_Delete(index);
}

static void test_budget_that_is_kept_changes_nothing(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	begin(scene, "100", NULL, NULL);
	order(&scene->target, 'k', 30);
	order(&scene->target, 'f', 10);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_budget");
	ledger_assert_clean(process);
	assert_int_equal(kept(scene, process).in_use, 20);
	assert_int_equal(index_number(process, "ledger.budget_steps"), 0);
	assert_false(session_said(&scene->session, "overhead"));
	assert_unharmed(&scene->target);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_budget_frees_end_and_in_use_is_as_of_then),
		TEST(test_budget_windows_and_then_the_end),
		TEST(test_budget_call_under_way_is_no_later_one_by_multi),
		TEST(test_budget_call_under_way_is_no_later_one_by_perf),
		TEST(test_budget_windows_of_what_command_starts),
		TEST(test_budget_that_is_kept_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
