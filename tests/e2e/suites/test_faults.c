/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each call of heaptap that allocates memory or calls the system fails once, told apart by its stack, in short runs of every subcommand; and
 * heaptap, targets are killed and stopped at any moment. Whatever happens: targets are unharmed, files whole or absent, ledgers balance, and
 * heaptap ends as documented, with a sentence. In CI some stacks of each, spread evenly; `make faults` takes all of them:
 *
 *   HEAPTAP_FAULT_SITES    stacks of each subcommand, 0: all (default 6)
 *   HEAPTAP_FAULT_MOMENTS  moments at which processes are killed (default 10)
 *   HEAPTAP_FAULT_PAUSE    seconds for which heaptap is stopped (default 0: the test of that does nothing else)
 *   HEAPTAP_FAULT_ONLY     one line of what a failed test printed: that call alone
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/fault.h"
#include "e2e/kit/orphans.h"

static char recorded[PATH_MAX]; /* what report reports */
static char *reported;		/* what it says of it when nothing fails */

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned int)strtoul(text, NULL, 10) : otherwise;
}

/* --- runs --- */

/* Start heaptap on the scene's target, let that take steps once heaptap is ready for them, and end heaptap if it has not ended. */
static int trace_target(struct scene *scene, const char *ready, const char *const *args, const char *fetch)
{
	session_start_bare(&scene->session, args);
	if (session_heard(&scene->session, ready)) {
		target_take_steps(&scene->target, "kkfc");
		if (fetch && system(format("curl -s -m 60 --noproxy '*' \"$(echo '%s' | grep -o "
					   "'http://127.0.0.1:[0-9]*' | head -n 1)%s\" -o /dev/null",
					   strstr(scene->session.words, "http://"), fetch)) < 0)
			fail_msg("curl cannot be run");
		session_signal(&scene->session, SIGINT);
	}
	return session_finish(&scene->session);
}

static const char *output_of(struct scene *scene)
{
	snprintf(scene->session.output, sizeof(scene->session.output), "%.2000s/out", scene->dir);
	return scene->session.output;
}

static void run_record_process(struct fault *fault, struct scene *scene)
{
	int status;

	fault_target_start(scene);
	fault_arm(fault, scene);
	status = trace_target(scene, "heaptap: tracing",
			      (const char *const[]){"record", "-R", "1", "-o", output_of(scene), "-p",
						    format("%d", scene->target.pid), NULL},
			      NULL);
	fault_check_end(fault, &scene->session, status);
	fault_check_files(fault, &scene->session);
	fault_check_target(fault, scene);
}

/* All 501 objects are in the profile, or something is said beside the summary. */
static void check_whole(struct fault *fault, struct scene *scene)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *processes = cJSON_GetObjectItemCaseSensitive(index, "processes");
	const cJSON *process = cJSON_GetArrayItem(processes, 0);
	double objects = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(process, "alloc_objects"));

	if (objects != 501 && !session_said(&scene->session, "lost: ") &&
	    !session_said(&scene->session, "heaptap: events are lost"))
		fault_complain(fault, &scene->session, "%g of 501 objects are in the profile, and nothing is said",
			       objects);
	cJSON_Delete(index);
}

static void run_record_command(struct fault *fault, struct scene *scene)
{
	int status;

	fault_arm(fault, scene);
	session_start_bare(&scene->session, (const char *const[]){"record", "-R", "1", "-o", output_of(scene), "--",
								  beside("target_leak"), "malloc", NULL});
	status = session_finish(&scene->session);
	fault_check_end(fault, &scene->session, status);
	fault_check_files(fault, &scene->session);
	if (!status)
		check_whole(fault, scene);
}

static void run_report(struct fault *fault, struct scene *scene)
{
	int status;

	fault_arm(fault, scene);
	scene->session.wrapper = (const char *const[]){"/bin/sh", "-c", "exec \"$0\" \"$@\" >&2", NULL};
	session_start_bare(&scene->session, (const char *const[]){"report", recorded, NULL});
	status = session_finish(&scene->session);
	fault_check_end(fault, &scene->session, status);
	if (!status && strcmp(scene->session.words, reported) && !session_said(&scene->session, "heaptap: "))
		fault_complain(fault, &scene->session, "the report is another one, and nothing is said");
}

static void run_serve(struct fault *fault, struct scene *scene)
{
	int status;

	fault_target_start(scene);
	fault_arm(fault, scene);
	status = trace_target(scene, "/debug/pprof/heap",
			      (const char *const[]){"serve", "-R", "1", "--listen", "127.0.0.1:0", "-p",
						    format("%d", scene->target.pid), NULL},
			      "/debug/pprof/heap?gc=1");
	fault_check_end(fault, &scene->session, status);
	fault_check_target(fault, scene);
}

static void run_top(struct fault *fault, struct scene *scene)
{
	int status;

	fault_target_start(scene);
	fault_arm(fault, scene);
	session_start_bare(&scene->session, (const char *const[]){"top", "--batch", "-n", "2", "--delay", "0.1", "-R",
								  "1", "-p", format("%d", scene->target.pid), NULL});
	status = session_finish(&scene->session);
	fault_check_end(fault, &scene->session, status);
	fault_check_target(fault, scene);
}

/* Nobody listens there. */
static void run_push(struct fault *fault, struct scene *scene)
{
	int status;

	fault_target_start(scene);
	fault_arm(fault, scene);
	status = trace_target(scene, "heaptap: tracing",
			      (const char *const[]){"push", "-R", "1", "--every", "0.2", "--to",
						    "pyroscope+http://127.0.0.1:9", "-p",
						    format("%d", scene->target.pid), NULL},
			      NULL);
	fault_check_end(fault, &scene->session, status);
	fault_check_target(fault, scene);
}

static void run_doctor(struct fault *fault, struct scene *scene)
{
	int status;

	fault_target_start(scene);
	fault_arm(fault, scene);
	scene->session.wrapper = (const char *const[]){"/bin/sh", "-c", "exec \"$0\" \"$@\" >&2", NULL};
	session_start_bare(&scene->session,
			   (const char *const[]){"doctor", "-p", format("%d", scene->target.pid), NULL});
	status = session_finish(&scene->session);
	fault_check_end(fault, &scene->session, status);
	fault_check_target(fault, scene);
}

/* --- every call --- */

typedef void run(struct fault *fault, struct scene *scene);

static unsigned int run_once(struct fault *fault, run *run, struct fault_sites *ret_sites, bool *ret_reached)
{
	struct scene *scene;
	void *state;

	assert_int_equal(scene_setup(&state), 0);
	scene = state;
	run(fault, scene);
	*ret_reached = fault_has_happened(scene);
	if (ret_sites)
		fault_sites_read(scene, ret_sites);
	assert_int_equal(scene_teardown(&state), 0);
	return fault->complaints;
}

/* Spread over all, in the order in which heaptap comes to them. */
static void fail_each(const char *scenario, run *run)
{
	struct fault none = {.scenario = scenario};
	unsigned int wanted = setting("HEAPTAP_FAULT_SITES", 6), complaints, reached = 0, tried = 0;
	const char *only = getenv("HEAPTAP_FAULT_ONLY");
	struct fault_sites sites;
	bool happened;

	complaints = run_once(&none, run, &sites, &happened);
	wanted = wanted && wanted < sites.count ? wanted : sites.count;
	for (unsigned int i = 0; i < (only ? 1 : wanted); i++, tried++) {
		struct fault fault = {.scenario = scenario,
				      .site = only ? only : sites.lines[i * sites.count / wanted]};

		complaints += run_once(&fault, run, NULL, &happened);
		reached += happened;
	}
	printf("%s: %u stacks, %u tried, %u of them reached again, %u complaints\n", scenario, sites.count, tried,
	       reached, complaints);
	fault_sites_release(&sites);
	assert_int_equal(complaints, 0);
}

#define EACH(name)                                                                                                     \
	static void test_faults_of_##name(void **state)                                                                \
	{                                                                                                              \
		(void)state;                                                                                           \
		fail_each(#name, run_##name);                                                                          \
	}

EACH(record_process)
EACH(record_command)
EACH(report)
EACH(serve)
EACH(top)
EACH(push)
EACH(doctor)

/* --- death at any moment --- */

#define MOMENT_US                                                                                                      \
	2000000 /* kills come up to that long after the start: before all is attached, or in the midst of it all */

static void wait_some_time(void)
{
	static unsigned int random = 1;

	random = random * 1664525 + 1013904223;
	usleep(random % MOMENT_US);
}

/* More steps than it takes before it is killed, none of which is waited for. */
static void keep_busy(const struct scene *scene)
{
	char steps[1000];

	memset(steps, 'c', sizeof(steps));
	assert_int_equal(write(scene->target.in, steps, sizeof(steps)), sizeof(steps));
}

static void start_recording(struct scene *scene)
{
	fault_target_start(scene);
	session_start_bare(&scene->session, (const char *const[]){"record", "-R", "1", "-o", output_of(scene), "-p",
								  format("%d", scene->target.pid), NULL});
}

static void run_heaptap_killed(struct fault *fault, struct scene *scene)
{
	start_recording(scene);
	wait_some_time();
	session_signal(&scene->session, SIGKILL);
	fault->killed = true;
	session_finish(&scene->session);
	fault_check_files(fault, &scene->session);
	fault_check_target(fault, scene);
}

static void run_target_killed(struct fault *fault, struct scene *scene)
{
	int status;

	start_recording(scene);
	keep_busy(scene);
	wait_some_time();
	kill(scene->target.pid, SIGKILL);
	status = session_finish(&scene->session);
	fault_check_end(fault, &scene->session, status);
	fault_check_files(fault, &scene->session);
}

static void at_moments(const char *scenario, run *run)
{
	struct fault fault = {.scenario = scenario};
	bool happened;

	for (unsigned int i = setting("HEAPTAP_FAULT_MOMENTS", 10); i > 0; i--)
		run_once(&fault, run, NULL, &happened);
	assert_int_equal(fault.complaints, 0);
}

static void test_faults_heaptap_killed_at_some_moment(void **state)
{
	(void)state;
	at_moments("heaptap killed", run_heaptap_killed);
}

static void test_faults_target_killed_at_some_moment(void **state)
{
	(void)state;
	at_moments("target killed", run_target_killed);
}

/* The target goes on meanwhile, and what finds no room in a small ring is counted. */
static void test_faults_heaptap_stopped_for_some_time(void **state)
{
	unsigned int pause_s = setting("HEAPTAP_FAULT_PAUSE", 0);
	struct fault fault = {.scenario = "heaptap stopped"};
	struct scene *scene = *state;

	fault_target_start(scene);
	scene->session.environment[0] = "HEAPTAP_RING_BYTES=65536";
	session_start_bare(&scene->session, (const char *const[]){"record", "-R", "1", "-o", output_of(scene), "-p",
								  format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	session_signal(&scene->session, SIGSTOP);
	child_await_state(scene->session.child.pid, 'T');
	target_take_steps(&scene->target, "kcccc");
	sleep(pause_s);
	session_signal(&scene->session, SIGCONT);
	target_take_steps(&scene->target, "fc");
	session_signal(&scene->session, SIGINT);
	fault_check_end(&fault, &scene->session, session_finish(&scene->session));
	fault_check_files(&fault, &scene->session);
	session_assert_said(&scene->session, "lost_ring ");
	fault_check_target(&fault, scene);
	assert_int_equal(fault.complaints, 0);
}

/* --- */

static void *own;

static int setup(void **state)
{
	struct scene *scene;

	(void)state;
	orphans_adopt();
	if (scene_setup(&own))
		return -1;
	scene = own;
	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-q", "-R", "1", "--", beside("target_leak"), "malloc", NULL}),
		0);
	snprintf(recorded, sizeof(recorded), "%s", scene->session.output);
	reported = session_report(&scene->session, "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(reported);
	return scene_teardown(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults_of_record_process),
		cmocka_unit_test(test_faults_of_record_command),
		cmocka_unit_test(test_faults_of_report),
		cmocka_unit_test(test_faults_of_serve),
		cmocka_unit_test(test_faults_of_top),
		cmocka_unit_test(test_faults_of_push),
		cmocka_unit_test(test_faults_of_doctor),
		cmocka_unit_test(test_faults_heaptap_killed_at_some_moment),
		cmocka_unit_test(test_faults_target_killed_at_some_moment),
		cmocka_unit_test_setup_teardown(test_faults_heaptap_stopped_for_some_time, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests_name("faults", tests, setup, teardown);
}
