/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdicts on real programs, at one sample in 128 KiB, each of their phases recorded by itself.
 *
 * How often a test fails by chance. Each growing site ends with some 760 samples that stay, of which 250 are born in the
 * last third; 0.55 of what those before lead one to expect are enough, and the ratio has a standard deviation of 0.087: too few with a
 * probability of 10^-7. In what is called steady, each object dies at an age far below that which counts, whatever is
 * sampled: the flows of all runs were 0. The queries' samples were some 1200, of which four survive a cycle on average
 * and 45 would be too many: 10^-30.
 */
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

#include "e2e/kit/redis.h"
#include "e2e/kit/sites.h"

/* With fewer cycles growth cannot be detected, and its absence would prove nothing. */
#define CYCLES_MIN 40

static void attach(struct scene *scene)
{
	const char *const args[] = {"-R", "128K", "-f", "pprof,json", "-p", format("%d", scene->target.pid), NULL};

	session_start(&scene->session, scene, args);
	session_attached(&scene->session);
}

static cJSON *detach(struct scene *scene, const char *comm)
{
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	return profile_read(&scene->session, comm);
}

/*
 * Ends with the profile: the verdict on the site with most of that measure, whose heaviest stack goes through the function,
 * if one is named.
 */
static void assert_verdict(const struct scene *scene, cJSON *profile, const char *measure, const char *function,
			   const char *verdict)
{
	char *table = session_report(&scene->session, "--lifetimes");
	const cJSON *site = site_greatest(profile, measure);

	printf("%s\n", table);
	free(table);
	assert_true(index_number(profile, "model.cycles") >= CYCLES_MIN);
	if (function && !site_calls(profile, site, function))
		fail_msg("%s is not in the stack of most %s:\n%s", function, measure, cJSON_Print(site));
	if (strcmp(site_verdict(site), verdict))
		fail_msg("the site with most %s is not %s", measure, verdict);
	cJSON_Delete(profile);
}

/* --- redis ---------------------------------------------------------------------------------------------------------- */

#define KEPT 2000 /* keys that are written again and again */

/* The requests of one client, round by round. */
struct traffic {
	unsigned int rounds;
	unsigned int added;    /* new keys, which never expire */
	unsigned int replaced; /* old ones of those kept, in turn */
	unsigned int read;     /* any */
	unsigned int scan;     /* every so many rounds all keys are read; 0: never */
};

static void drive(struct redis *redis, const struct traffic *traffic)
{
	unsigned int replaced = 0, read = 0;

	for (unsigned int round = 1; round <= traffic->rounds; round++) {
		for (unsigned int i = 0; i < traffic->added; i++)
			redis_set(redis, redis->keys);
		for (unsigned int i = 0; i < traffic->replaced; i++)
			redis_set(redis, replaced++ % KEPT);
		for (unsigned int i = 0; i < traffic->read; i++)
			redis_get(redis, read++ % redis->keys);
		for (unsigned int i = 0; traffic->scan && round % traffic->scan == 0 && i < redis->keys; i++)
			redis_get(redis, i);
	}
}

static void assert_phase(struct scene *scene, struct redis *redis, const struct traffic *traffic, const char *verdict)
{
	attach(scene);
	drive(redis, traffic);
	assert_verdict(scene, detach(scene, "redis-server"), "inuse_space", "processInputBuffer", verdict);
}

/*
 * Filling: 100 MB of values, read more often the more there are. Steady: 2000 of them are written over in turn, so each
 * lives for 2000 rounds, which are two or three cycles; those count that have lived for ten. Leaking: the same, while
 * one write in five is of a new key.
 */
static void test_programs_redis_filling_steady_and_leaking_are_told_apart(void **state)
{
	struct scene *scene = *state;
	struct redis redis;

	redis_start(&redis, scene);
	assert_phase(scene, &redis, &(struct traffic){.rounds = 5000, .added = 1, .scan = 80}, "growing");
	assert_phase(scene, &redis, &(struct traffic){.rounds = 40000, .replaced = 1, .read = 2}, "steady");
	assert_phase(scene, &redis, &(struct traffic){.rounds = 6000, .added = 1, .replaced = 4, .read = 32},
		     "growing");
	redis_stop(&redis, scene);
}

/* --- python --------------------------------------------------------------------------------------------------------- */

/* Every page is requested once, so a bounded cache turns over: each entry lives for 2000 requests, or for good. */
static void test_cache(struct scene *scene, const char *bound, const char *pages, const char *verdict)
{
	static const char script[] = "import functools, os, sys\n"
				     "@functools.lru_cache(maxsize=eval(sys.argv[1]))\n"
				     "def page(number): return bytes(50000)\n"
				     "for number in range(int(sys.argv[2])):\n"
				     "    page(number)\n"
				     "    if number % 80 == 0:\n"
				     "        for _ in range(page.cache_info().currsize): bytearray(50000)\n"
				     "os._exit(0)\n";
	const char *const args[] = {"-R", "128K", "-f",	  "pprof,json", "--",  "/usr/bin/python3",
				    "-S", "-c",	  script, bound,	pages, NULL};

	/* Without its own cache of small objects, every object is an allocation. */
	scene->session.environment[0] = "PYTHONMALLOC=malloc";
	assert_int_equal(session_run(&scene->session, scene, args), 0);
	assert_verdict(scene, profile_read(&scene->session, "python3"), "inuse_space", NULL, verdict);
}

/* Pages live for nine cycles; those count that have lived for 15. */
static void test_programs_python_bounded_cache_is_steady(void **state)
{
	test_cache(*state, "2000", "12000", "steady");
}

static void test_programs_python_unbounded_cache_is_growing(void **state)
{
	test_cache(*state, "None", "5000", "growing");
}

/* --- sqlite --------------------------------------------------------------------------------------------------------- */

/* Done when it says so, after its other output. */
static void sqlite(struct scene *scene, const char *sql)
{
	const char *words = format("%s\n.print r\n", sql);
	struct pollfd poll_fd = {.fd = scene->target.out, .events = POLLIN};
	char byte = 0;

	assert_int_equal(write(scene->target.in, words, strlen(words)), strlen(words));
	while (byte != 'r')
		if (poll(&poll_fd, 1, DEADLINE_MS) != 1 || read(scene->target.out, &byte, 1) != 1)
			fail_msg("sqlite3 did not do: %s", sql);
}

#define BATCHES 24

/* A table in memory grows while rows come in, though it is read between; and queries leave nothing behind. */
static void test_programs_sqlite_inserts_are_growing_and_queries_transient(void **state)
{
	static const char query[] = "select sum(length(upper(text))) > 0 from page;";
	struct scene *scene = *state;

	target_start(&scene->target, NULL,
		     (const char *const[]){"/usr/bin/stdbuf", "-oL", "/usr/bin/sqlite3", ":memory:", NULL});
	sqlite(scene, "create table page(number integer primary key, text text);");
	attach(scene);
	for (unsigned int i = 0; i < BATCHES; i++)
		sqlite(scene, format("with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200)"
				     " insert into page(text) select hex(randomblob(2000)) from n; %s",
				     query));
	assert_verdict(scene, detach(scene, "sqlite3"), "inuse_space", "sqlite3_step", "growing");
	attach(scene);
	sqlite(scene, query);
	sqlite(scene, query);
	assert_verdict(scene, detach(scene, "sqlite3"), "alloc_space", "sqlite3_step", "transient");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_programs_redis_filling_steady_and_leaking_are_told_apart),
		TEST(test_programs_python_bounded_cache_is_steady),
		TEST(test_programs_python_unbounded_cache_is_growing),
		TEST(test_programs_sqlite_inserts_are_growing_and_queries_transient),
	};

	return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}
