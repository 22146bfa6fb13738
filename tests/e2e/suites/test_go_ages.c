/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ages of the objects that Go programs sample: sites that keep their objects for known numbers of garbage collections, by two releases of Go
 * and in programs that are stripped, position-independent or linked with C; and goroutines whose stacks move under the probes.
 *
 * The programs sample everything, so that nothing here is by chance, and each of their sites has a size of its own.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/session.h"

#define ROUNDS	     60
#define RING_ROUNDS  8
#define BRIEF_BYTES  131072 /* 32 a round, dead at its end */
#define RING_BYTES   65536  /* one a round, dead RING_ROUNDS later */
#define KEPT_BYTES   262144 /* one a round, for good */
#define BRIEF_ROUND  32
#define AGES_CLASSES 48

/* Objects by the class of their age. */
struct ages {
	uint64_t allocated;
	unsigned int died[AGES_CLASSES], living[AGES_CLASSES];
};

static void add_counts(const cJSON *counts, unsigned int sum[AGES_CLASSES])
{
	const cJSON *count;
	unsigned int class = 0;

	cJSON_ArrayForEach (count, counts)
		if (class < AGES_CLASSES)
			sum[class ++] += (unsigned int)count->valuedouble;
}

static struct ages ages_of(const cJSON *profile, unsigned int size)
{
	const cJSON *sample;
	struct ages ages = {0};

	cJSON_ArrayForEach (sample, cJSON_GetObjectItem(profile, "samples")) {
		const cJSON *lifetime = cJSON_GetObjectItem(sample, "lifetime");

		if (cJSON_GetObjectItem(sample, "size")->valuedouble != size)
			continue;
		assert_true(cJSON_IsObject(lifetime));
		ages.allocated += (uint64_t)cJSON_GetObjectItem(sample, "alloc_objects")->valuedouble;
		add_counts(cJSON_GetObjectItem(lifetime, "died"), ages.died);
		add_counts(cJSON_GetObjectItem(lifetime, "living"), ages.living);
	}
	return ages;
}

static unsigned int sum(const unsigned int counts[AGES_CLASSES])
{
	unsigned int total = 0;

	for (unsigned int class = 0; class < AGES_CLASSES; class ++)
		total += counts[class];
	return total;
}

/* The class that has the `rank`-th youngest of the dead. */
static unsigned int class_of(const struct ages *ages, unsigned int rank)
{
	unsigned int class = 0;

	for (unsigned int before = 0; class < AGES_CLASSES - 1; class ++) {
		before += ages->died[class];
		if (before > rank)
			break;
	}
	return class;
}

/* --- programs --- */

static void start(struct scene *scene, const char *program, const char *rate, const char *rounds,
		  const char *goroutines)
{
	target_start(&scene->target, NULL, (const char *const[]){beside(program), rate, rounds, goroutines, NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-f", "pprof,json", "-p", format("%d", scene->target.pid), NULL});
	session_await(&scene->session, "its own heap profile is read");
	session_attached(&scene->session);
}

/* The recording ends while the program waits, and the program after that. */
static void run(struct scene *scene)
{
	target_go(&scene->target);
	target_await_words(&scene->target, "d");
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

/* The index has one such process; the caller frees the index. */
static const cJSON *go_process(const cJSON *index)
{
	const cJSON *process;

	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes"))
		if (cJSON_GetObjectItem(process, "go"))
			return process;
	fail_msg("no process of Go's");
	return NULL;
}

static uint64_t counter(const cJSON *process, const char *name)
{
	const cJSON *value = cJSON_GetObjectItem(cJSON_GetObjectItem(process, "ledger"), name);

	return value ? (uint64_t)value->valuedouble : 0;
}

static void assert_balance(const cJSON *process)
{
	assert_int_equal(counter(process, "ages_born"),
			 counter(process, "ages_died") + counter(process, "ages_living") +
				 counter(process, "ages_refused") + counter(process, "ages_lost"));
	assert_int_equal(counter(process, "sampled"),
			 counter(process, "freed") + counter(process, "live") + counter(process, "ended"));
}

/* --- tests --- */

static void assert_sites(const cJSON *profile)
{
	struct ages brief = ages_of(profile, BRIEF_BYTES), ring = ages_of(profile, RING_BYTES),
		    kept = ages_of(profile, KEPT_BYTES);

	assert_int_equal(brief.allocated, ROUNDS * BRIEF_ROUND);
	assert_int_equal(sum(brief.died), ROUNDS * BRIEF_ROUND);
	assert_int_equal(sum(brief.living), 0);
	assert_int_equal(ring.allocated, ROUNDS);
	assert_int_equal(sum(ring.died), ROUNDS - RING_ROUNDS);
	assert_int_equal(sum(ring.living), RING_ROUNDS);
	assert_int_equal(kept.allocated, ROUNDS);
	assert_int_equal(sum(kept.died), 0);
	assert_int_equal(sum(kept.living), ROUNDS);
	/*
	 * A cycle of the model takes 4 MiB, or as much as is alive, at most some 20 MiB here. A round allocates 4.3 MiB: one in which half of
	 * the objects see a second cycle complete there is not, and eight of them are more than one cycle.
	 */
	assert_true(class_of(&brief, sum(brief.died) / 2) <= 1);
	assert_true(class_of(&ring, 0) >= 1);
	assert_true(class_of(&brief, sum(brief.died) / 2) < class_of(&ring, sum(ring.died) / 2));
}

static void check_program(struct scene *scene, const char *program)
{
	const cJSON *process;
	cJSON *index, *profile;

	start(scene, program, "1", format("%d", ROUNDS), NULL);
	run(scene);
	index = session_index(&scene->session);
	process = go_process(index);
	assert_balance(process);
	assert_true(counter(process, "ages_born") >= ROUNDS * (BRIEF_ROUND + 2));
	assert_int_equal(counter(process, "ages_lost") + counter(process, "ages_refused"), 0);
	profile = json_read(index_file(&scene->session, process, ".go.json"));
	assert_sites(profile);
	printf("%s: %llu objects\n", program, (unsigned long long)counter(process, "ages_born"));
	cJSON_Delete(profile);
	cJSON_Delete(index);
}

static const char *const programs[] = {
	"own_plain",  "own_stripped",  "own_pie",  "own_cgo",  "own_cgo_pie_stripped",
	"1.24_plain", "1.24_stripped", "1.24_pie", "1.24_cgo", "1.24_cgo_pie_stripped",
};

static void test_go_sites_have_the_ages_that_they_are_made_for(void **state)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		check_program(*state, format("go_ages/%s", programs[i]));
}

static void test_go_site_that_keeps_all_grows(void **state)
{
	struct scene *scene = *state;
	char *table;

	start(scene, "go_ages/own_plain", "1", "200", NULL);
	run(scene);
	table = session_report(&scene->session, "--lifetimes");
	if (!strstr(table, "growing") || !strstr(table, "main.makeKept"))
		fail_msg("main.makeKept does not grow in:\n%s", table);
	free(table);
	session_assert_said(&scene->session, "grows: main.makeKept");
}

/*
 * The stack of each goroutine is copied six times while its calls come by the probes, and garbage is collected; a program whose stack had
 * a return address of the kernel's would end there.
 */
static void check_moving_stacks(struct scene *scene, const char *program)
{
	cJSON *index;

	start(scene, program, "512", "20", "64");
	run(scene);
	index = session_index(&scene->session);
	assert_balance(go_process(index));
	assert_true(counter(go_process(index), "ages_born") > 1000);
	cJSON_Delete(index);
}

static void test_go_stacks_move_under_the_probes(void **state)
{
	check_moving_stacks(*state, "go_ages/own_plain");
	check_moving_stacks(*state, "go_ages/1.24_cgo");
}

static void test_go_ages_are_left_out_with_alloc_only(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index, *profile;

	target_start(&scene->target, NULL, (const char *const[]){beside("go_ages/own_cgo"), "1", "4", NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"--alloc-only", "-f", "json", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	run(scene);
	index = session_index(&scene->session);
	process = go_process(index);
	assert_int_equal(counter(process, "ages_born"), 0);
	profile = json_read(index_file(&scene->session, process, ".go.json"));
	assert_true(cJSON_IsNull(
		cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(profile, "samples"), 0), "lifetime")));
	cJSON_Delete(profile);
	cJSON_Delete(index);
}

/* No allocator of the program's is probed: what is above the limit are the probes in Go's runtime. It goes on until the recording has ended. */
static void test_go_ages_count_for_the_limit_of_overhead(void **state)
{
	struct scene *scene = *state;

	target_start(&scene->target, NULL,
		     (const char *const[]){beside("go_ages/own_plain"), "1", "1000000", "2", NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"--max-overhead", "0.001", "-p", format("%d", scene->target.pid), NULL});
	session_await(&scene->session, "its own heap profile is read");
	session_attached(&scene->session);
	target_go(&scene->target);
	session_await(&scene->session, "(limit 0.001 %)");
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(kill(scene->target.pid, SIGKILL), 0);
	assert_int_equal(target_finish(&scene->target), 128 + SIGKILL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_go_sites_have_the_ages_that_they_are_made_for),
		TEST(test_go_site_that_keeps_all_grows),
		TEST(test_go_stacks_move_under_the_probes),
		TEST(test_go_ages_are_left_out_with_alloc_only),
		TEST(test_go_ages_count_for_the_limit_of_overhead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
