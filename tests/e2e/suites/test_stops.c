/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heaptap stopped and killed again and again, on each way of attaching: no recording is lost but by SIGKILL, and no breakpoint
 * stays in the target. By hand: HEAPTAP_STOPS=1000 does each a thousand times, HEAPTAP_STOPS_ONLY="perf, kill" only those that begin so, and
 * HEAPTAP_STOPS_SEED varies the moments.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/group.h"
#include "e2e/kit/orphans.h"
#include "e2e/kit/own_libc.h"
#include "e2e/kit/session.h"

struct way {
	const char *name;
	int signals[2];	   /* sent one after the other; 0: none */
	double before_ms;  /* at most, from the start of heaptap; 0: when it is attached */
	double between_ms; /* at most, between the two */
	bool group;	   /* kill all of heaptap's processes */
	bool lost;	   /* the recording is lost */
	bool may_stay;	   /* breakpoints may stay, but then doctor takes them out */
};

static const struct way ways[] = {
	{"timeout", {SIGTERM, SIGTERM}, 0, 40, false, false, false},
	{"hang-up", {SIGHUP, SIGHUP}, 0, 40, false, false, false},
	{"Ctrl-C", {SIGINT, SIGINT}, 0, 40, false, false, false},
	{"kill", {SIGKILL}, 0, 0, false, true, false},
	{"kill at any moment", {SIGKILL}, 400, 0, false, true, false},
	{"kill while detaching", {SIGTERM, SIGKILL}, 0, 120, false, true, false},
	{"kill all while detaching", {SIGTERM, SIGKILL}, 0, 120, true, true, false},
	{"kill all at any moment", {SIGKILL}, 400, 0, true, true, true},
};

struct tally {
	unsigned int runs, lost, left, breakpoints, cleaned;
};

static unsigned int times(void)
{
	const char *text = getenv("HEAPTAP_STOPS");

	return text ? (unsigned int)atoi(text) : 3;
}

static void pause_ms(double most)
{
	double ms = most * rand() / RAND_MAX;
	struct timespec time = {.tv_sec = (time_t)(ms / 1e3), .tv_nsec = (long)(ms * 1e6) % 1000000000};

	nanosleep(&time, NULL);
}

static void send(struct scene *scene, const struct group *group, int signal)
{
	if (*group->dir && signal == SIGKILL) {
		int fd = open(format("%s/cgroup.kill", group->dir), O_WRONLY | O_CLOEXEC);

		assert_int_equal(write(fd, "1", 1), 1);
		close(fd);
	}
	/* It may not be in the group yet. */
	kill(scene->session.child.pid, signal);
}

/* What stays all the same. */
static unsigned int clean(struct scene *scene)
{
	session_start_bare(&scene->session,
			   (const char *const[]){"doctor", "--clean", "-p", format("%d", scene->target.pid), NULL});
	assert_int_equal(session_finish(&scene->session), 0);
	return own_libc_breakpoints(scene);
}

static void stop_once(struct scene *scene, const struct way *way, const char *rung, struct tally *tally)
{
	struct group group = {.dir = ""};
	unsigned int left;
	int status;

	if (way->group) {
		group_make(&group);
		scene->session.wrapper = group_wrapper(&group);
	}
	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	session_start(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
	if (way->before_ms > 0)
		pause_ms(way->before_ms);
	else
		session_attached(&scene->session);
	send(scene, &group, way->signals[0]);
	if (way->signals[1]) {
		pause_ms(way->between_ms);
		send(scene, &group, way->signals[1]);
	}
	status = session_finish(&scene->session);
	orphans_await(&scene->target);
	if (way->group)
		group_remove(&group);
	left = own_libc_breakpoints(scene);
	if (left && way->may_stay) {
		left = clean(scene);
		tally->cleaned++;
	}
	tally->runs++;
	tally->left += left > 0;
	tally->breakpoints += left;
	tally->lost += !way->lost && (status || access(format("%s/index.json", scene->session.output), R_OK));
	/* The next run is to begin with a clean target. */
	if (left)
		own_libc_churn(scene);
	assert_int_equal(system(format("rm -rf '%s'", scene->session.output)), 0);
}

static void check(struct scene *scene, const struct way *way, const char *rung)
{
	struct tally tally = {0};

	for (unsigned int i = 0; i < times(); i++)
		stop_once(scene, way, rung, &tally);
	print_message("%s, %s: %u runs, %u recordings lost, breakpoints left in %u (%u), taken out in %u\n", rung,
		      way->name, tally.runs, tally.lost, tally.left, tally.breakpoints, tally.cleaned);
	assert_int_equal(tally.lost + tally.left, 0);
}

static void check_rung(void **state, const char *rung)
{
	const char *seed = getenv("HEAPTAP_STOPS_SEED"), *only = getenv("HEAPTAP_STOPS_ONLY");
	struct scene *scene = *state;

	srand(seed ? (unsigned int)atoi(seed) : 1);
	orphans_adopt();
	own_libc_churn(scene);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!only || !strncmp(only, format("%s, %s", rung, ways[i].name), strlen(only)))
			check(scene, &ways[i], rung);
}

static void test_stops_session_lose_and_leave_nothing(void **state)
{
	check_rung(state, "session");
}

static void test_stops_multi_lose_and_leave_nothing(void **state)
{
	check_rung(state, "multi");
}

static void test_stops_perf_lose_and_leave_nothing(void **state)
{
	check_rung(state, "perf");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stops_session_lose_and_leave_nothing),
		TEST(test_stops_multi_lose_and_leave_nothing),
		TEST(test_stops_perf_lose_and_leave_nothing),
	};

	return cmocka_run_group_tests_name("stops", tests, NULL, NULL);
}
