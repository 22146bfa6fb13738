/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that catches std::bad_alloc survives being traced, whichever allocator throws it and however heaptap
 * attaches. mimalloc, which is C, aborts instead; so does a program on it without heaptap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define OBJECTS	    50
#define OBJECT_SIZE 4321
#define LEFT	    10
#define ABORTED	    134

struct allocator {
	const char *preload; /* NULL: glibc under libstdc++'s operator new */
	int status;	     /* of the program by itself */
	bool own_new;	     /* the allocator's own operator new is probed */
};

static const struct allocator glibc = {NULL, 0, false}, jemalloc = {"libjemalloc.so", 0, true},
			      tcmalloc = {"libtcmalloc.so", 0, true},
			      tcmalloc_minimal = {"libtcmalloc_minimal.so", 0, true},
			      mimalloc = {"libmimalloc.so", ABORTED, true};

static const char *preload_of(const struct allocator *allocator)
{
	return allocator->preload ? format("LD_PRELOAD=%s", allocator->preload) : "LD_BIND_NOW=1";
}

static struct tally_row objects(struct scene *scene)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, "target_new");
	struct text_profile text;
	struct tally_row row;
	struct tally tally;

	ledger_assert_balanced(process);
	assert_int_equal(index_number(process, "ledger.return_missed"), 0);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	text_profile_tally(&text, 0, 0, &tally);
	row = tally_of_size(&tally, OBJECT_SIZE);
	tally_release(&tally);
	text_profile_release(&text);
	cJSON_Delete(index);
	return row;
}

static void record(struct scene *scene, const struct allocator *allocator, const char *rung, const char *option)
{
	const char *const environment[] = {preload_of(allocator), NULL};

	target_start(&scene->target, environment, (const char *const[]){beside("target_new"), NULL});
	target_ready(&scene->target);
	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid),
					    option, NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), allocator->status);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* Return legs of a throwing new exist on session links alone: elsewhere in-use is unknown. */
static void check(struct scene *scene, const struct allocator *allocator)
{
	static const char *const rungs[] = {"session", "multi", "perf"};

	for (size_t i = 0; i < 3; i++) {
		struct tally_row row;

		record(scene, allocator, rungs[i], NULL);
		row = objects(scene);
		assert_int_equal(row.allocated, OBJECTS);
		assert_int_equal(row.in_use, i && allocator->own_new ? 0 : LEFT);
	}
}

static void test_new_that_throws_on_glibc_is_survived(void **state)
{
	check(*state, &glibc);
}

static void test_new_that_throws_on_jemalloc_is_survived(void **state)
{
	check(*state, &jemalloc);
}

static void test_new_that_throws_on_tcmalloc_is_survived(void **state)
{
	check(*state, &tcmalloc);
}

static void test_new_that_throws_on_tcmalloc_minimal_is_survived(void **state)
{
	check(*state, &tcmalloc_minimal);
}

static void test_new_that_fails_on_mimalloc_ends_as_without_heaptap(void **state)
{
	struct scene *scene = *state;
	const char *const environment[] = {preload_of(&mimalloc), NULL};

	target_start(&scene->target, environment, (const char *const[]){beside("target_new"), NULL});
	target_ready(&scene->target);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), ABORTED);
	check(scene, &mimalloc);
}

/* As COMMAND it is traced from its first instruction on. */
static void test_new_that_throws_in_a_command_is_survived(void **state)
{
	static const struct allocator *const allocators[] = {&glibc, &jemalloc, &tcmalloc, &tcmalloc_minimal};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(allocators) / sizeof(*allocators); i++) {
		scene->session.environment[0] = preload_of(allocators[i]);
		assert_int_equal(session_run(&scene->session, scene,
					     (const char *const[]){"-R", "1", "-f", "text,pprof", "--",
								   beside("target_new"), NULL}),
				 0);
		assert_int_equal(objects(scene).in_use, LEFT);
	}
}

/* The sampler is brought into the program, and an exception would not pass it: what it calls does not throw. */
static void test_new_that_throws_in_a_program_with_the_sampler_is_survived(void **state)
{
	static const struct allocator *const allocators[] = {&glibc, &jemalloc, &tcmalloc, &tcmalloc_minimal,
							     &mimalloc};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(allocators) / sizeof(*allocators); i++) {
		const char *const environment[] = {preload_of(allocators[i]), NULL};
		const cJSON *process;
		cJSON *index;

		target_start(&scene->target, environment, (const char *const[]){beside("target_new"), NULL});
		target_ready(&scene->target);
		session_start(
			&scene->session, scene,
			(const char *const[]){"-R", "4096", "--inline", "-p", format("%d", scene->target.pid), NULL});
		session_attached(&scene->session);
		assert_false(session_said(&scene->session, "keeps probes"));
		target_go(&scene->target);
		assert_int_equal(target_finish(&scene->target), allocators[i]->status);
		assert_int_equal(session_finish(&scene->session), 0);
		index = session_index(&scene->session);
		process = index_process(index, "target_new");
		ledger_assert_balanced(process);
		/* Objects of 24 intervals, up to the gigabyte that it may have; mimalloc ends it before the first. */
		assert_true(index_number(process, "ledger.sampled") > (allocators[i]->status ? 0 : 5000));
		assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
		cJSON_Delete(index);
	}
}

/* A link filtered for one process must not add return legs to another process. */
static void test_new_that_throws_beside_another_traced_process_is_survived(void **state)
{
	static const struct allocator *const allocators[] = {&jemalloc, &tcmalloc};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(allocators) / sizeof(*allocators); i++) {
		const char *const environment[] = {preload_of(allocators[i]), NULL};
		struct child other = {.in = -1, .out = -1};

		target_start(&other, environment, (const char *const[]){beside("target_new"), NULL});
		target_ready(&other);
		target_start(&scene->target, environment, (const char *const[]){beside("target_new"), NULL});
		target_ready(&scene->target);
		session_start(
			&scene->session, scene,
			(const char *const[]){"-R", "1", "-p", format("%d,%d", other.pid, scene->target.pid), NULL});
		session_attached(&scene->session);
		target_go(&scene->target);
		assert_int_equal(target_finish(&scene->target), 0);
		target_go(&other);
		assert_int_equal(target_finish(&other), 0);
		assert_int_equal(session_finish(&scene->session), 0);
		child_release(&other);
	}
}

static void test_no_new_leaves_the_allocators_operator_alone(void **state)
{
	record(*state, &jemalloc, "session", "--no-new");
	assert_int_equal(objects(*state).allocated, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_that_throws_on_glibc_is_survived),
		TEST(test_new_that_throws_on_jemalloc_is_survived),
		TEST(test_new_that_throws_on_tcmalloc_is_survived),
		TEST(test_new_that_throws_on_tcmalloc_minimal_is_survived),
		TEST(test_new_that_fails_on_mimalloc_ends_as_without_heaptap),
		TEST(test_new_that_throws_in_a_command_is_survived),
		TEST(test_new_that_throws_in_a_program_with_the_sampler_is_survived),
		TEST(test_new_that_throws_beside_another_traced_process_is_survived),
		TEST(test_no_new_leaves_the_allocators_operator_alone),
	};

	return cmocka_run_group_tests_name("new", tests, NULL, NULL);
}
