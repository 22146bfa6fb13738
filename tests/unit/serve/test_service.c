/* SPDX-License-Identifier: GPL-2.0-or-later */
/* service.c and pprof.c: answers from a recording have its bytes and its sums; those who ask for the same share an answer. */
#include "unit/format/recording_scene.h"

#include <pthread.h>
#include <semaphore.h>

#include "format/pprof_read.h"
#include "live/recorded.h"
#include "serve/service.h"

static struct source *source;
static struct service *service;

static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	record_two(true);
	if (recorded_open(scratch_path, &source))
		return -1;
	service = service_new(source, NULL);
	return service ? 0 : -1;
}

static int teardown(void **state)
{
	service_free(service);
	source_close(source);
	return scratch_teardown(state);
}

static bool never_over(void *arg)
{
	(void)arg;
	return false;
}

static struct answer *ask(const char *target)
{
	struct service_question question = {.address = "localhost", .addresses = "", .is_over = never_over};
	struct request_refusal refusal = request_parse("GET", target, &question.request);

	assert_int_equal(refusal.status, 0);
	return service_answer(service, &question);
}

/* The profile that the answer holds, to be freed. */
static struct profile *read_answer(const char *target)
{
	struct answer *answer = ask(target);
	struct profile *profile;
	FILE *file = fopen("answer.pb.gz", "we");

	assert_non_null(answer);
	assert_int_equal(answer->status, 200);
	assert_non_null(file);
	assert_int_equal(fwrite(answer->body, 1, answer->size, file), answer->size);
	assert_int_equal(fclose(file), 0);
	answer_release(answer);
	assert_int_equal(pprof_read("answer.pb.gz", &profile), 0);
	return profile;
}

static void test_heap_has_the_sums_and_is_of_a_moment(void **state)
{
	struct profile first = one(7, "first"), *profile = read_answer("/pid/7/debug/pprof/heap");
	u64 wanted[MEASURE_MAX], found[MEASURE_MAX];

	(void)state;
	profile_totals(&first, wanted);
	profile_totals(profile, found);
	assert_memory_equal(found, wanted, sizeof(wanted));
	assert_int_equal(profile->duration_ns, 0);
	assert_int_equal(profile->start_unix_ns, first.start_unix_ns + first.duration_ns);
	profile_free(profile);
}

/* The second time nothing has been allocated since, and as much is in use. */
static void test_delta_heap_remembers_each_scope(void **state)
{
	struct profile first = one(7, "first"), *profile;
	u64 wanted[MEASURE_MAX], found[MEASURE_MAX];

	(void)state;
	profile_totals(&first, wanted);
	for (unsigned int i = 0; i < 2; i++) {
		profile = read_answer("/pid/7/debug/pprof/delta_heap");
		profile_totals(profile, found);
		assert_int_equal(found[INUSE_SPACE], wanted[INUSE_SPACE]);
		assert_int_equal(found[ALLOC_SPACE], i ? 0 : wanted[ALLOC_SPACE]);
		profile_free(profile);
	}
	profile = read_answer("/pid/800/debug/pprof/delta_heap");
	profile_totals(profile, found);
	assert_int_equal(found[ALLOC_SPACE], wanted[ALLOC_SPACE]);
	profile_free(profile);
}

static void test_errors_are_sentences_for_go_s_client(void **state)
{
	struct answer *answer = ask("/debug/pprof/heap?pid=9");

	(void)state;
	assert_int_equal(answer->status, 404);
	assert_true(answer->go_error);
	assert_contains(answer->body, "no process 9 ");
	answer_release(answer);
	answer = ask("/debug/pprof/mappings");
	assert_int_equal(answer->status, 404);
	assert_true(answer->go_error);
	assert_contains(answer->body, "with --mappings");
	answer_release(answer);
	answer = ask("/container/none/page");
	assert_int_equal(answer->status, 404);
	assert_false(answer->go_error);
	answer_release(answer);
}

static void *ask_often(void *arg)
{
	for (unsigned int i = 0; i < 20; i++) {
		struct answer *answer = ask(arg);

		assert_non_null(answer);
		assert_int_equal(answer->status, 200);
		assert_true(answer->size > 0);
		answer_release(answer);
	}
	return NULL;
}

/* Under the thread and address sanitizers too: answers are shared, and gone when all have released them. */
static void test_many_ask_at_once(void **state)
{
	static char *const targets[] = {"/debug/pprof/heap",
					"/debug/pprof/heap",
					"/pid/7/debug/pprof/heap",
					"/metrics",
					"/sd",
					"/debug/pprof/delta_heap",
					"/",
					"/page?pid=7"};
	pthread_t threads[16];

	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, targets[i % 8]), 0);
	for (unsigned int i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(answer_bytes(), 0);
}

/* --- a source that takes its time --- */

static sem_t asked, allowed;
static unsigned int asked_count;

static int list_late(struct source *of, bool gc, struct source_listing *ret_listing)
{
	(void)of, (void)gc, (void)ret_listing;
	asked_count++;
	sem_post(&asked);
	sem_wait(&allowed);
	return 0;
}

static void *ask_once(void *arg)
{
	return ask(arg);
}

static unsigned int status_of(pthread_t thread)
{
	struct answer *answer;
	unsigned int status;

	pthread_join(thread, (void **)&answer);
	assert_non_null(answer);
	status = answer->status;
	answer_release(answer);
	return status;
}

/* When heaptap is to end, a queue of requests must not keep it. */
static void test_what_waits_is_not_made_when_it_stops(void **state)
{
	static char *const waiting[] = {"/sd", "/", "/debug/pprof/delta_heap", "/debug/pprof/heap?seconds=600"};
	static const struct source_ops ops = {.list = list_late};
	struct source late = {&ops};
	pthread_t first, others[4];

	(void)state;
	service_free(service);
	service = service_new(&late, NULL);
	assert_int_equal(sem_init(&asked, 0, 0) | sem_init(&allowed, 0, 0), 0);
	asked_count = 0;
	assert_int_equal(pthread_create(&first, NULL, ask_once, (char *)"/metrics"), 0);
	sem_wait(&asked);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&others[i], NULL, ask_once, waiting[i]), 0);
	service_stop(service);
	sem_post(&allowed);
	assert_int_equal(status_of(first), 200);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(status_of(others[i]), 503);
	assert_int_equal(asked_count, 1);
	assert_int_equal(answer_bytes(), 0);
	sem_destroy(&asked);
	sem_destroy(&allowed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_heap_has_the_sums_and_is_of_a_moment), TEST(test_delta_heap_remembers_each_scope),
		TEST(test_errors_are_sentences_for_go_s_client), TEST(test_many_ask_at_once),
		TEST(test_what_waits_is_not_made_when_it_stops),
	};

	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
