/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heaptap push and a server that takes profiles by the stores' rules (kit/strict_store.py): nothing is refused, and the figures are those of the target's
 * steps. The stores themselves are not run.
 */
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

#include "e2e/kit/served.h"
#include "e2e/kit/strict_store.h"

#define KEPT 1024u /* processes that end within an interval */

/* Push target_steps to the store. */
static void push_start(struct scene *scene, const char *scheme, const char *address)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	session_start_bare(&scene->session,
			   (const char *const[]){"push", "-R", "1", "--every", "0.2", "--to",
						 format("%s+http://%s", scheme, address), "--label", "zone.name=eu",
						 "-p", format("%d", scene->target.pid), NULL});
	session_await(&scene->session, "pushing to");
	target_go(&scene->target);
}

static void push_finish(struct scene *scene)
{
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 0);
	session_assert_said(&scene->session, "pushed");
}

static void assert_label(const struct scene *scene, const char *address, const char *name, const char *value)
{
	char *labels = store_page(scene, address, "labels");

	assert_words(labels, format("\"%s\": \"%s\"", name, value));
	free(labels);
}

/* Allocations add up over the intervals, what is in use is what is. */
static const char *push_steps(struct scene *scene, const char *scheme)
{
	const char *address = store_start(scene);

	push_start(scene, scheme, address);
	served_steps(scene, "kkkkff");
	store_await(scene, address, "alloc_space", 4 * BLOCK);
	store_await(scene, address, "inuse_space", 2 * BLOCK);
	served_steps(scene, "kkkf");
	store_await(scene, address, "alloc_objects", 7);
	store_await(scene, address, "inuse_objects", 4);
	served_steps(scene, "k");
	push_finish(scene);
	assert_int_equal(store_number(scene, address, "figures", "alloc_space"), 8 * BLOCK);
	assert_int_equal(store_number(scene, address, "figures", "inuse_space"), 5 * BLOCK);
	store_assert_content(scene, address);
	return address;
}

static void test_push_to_pyroscope(void **state)
{
	struct scene *scene = *state;
	const char *address = push_steps(scene, "pyroscope");

	assert_label(scene, address, "__name__", "memory");
	assert_label(scene, address, "service_name", "target_steps");
	assert_label(scene, address, "pid", format("%d", scene->target.pid));
	assert_label(scene, address, "zone_name", "eu");
}

static void test_push_to_parca(void **state)
{
	struct scene *scene = *state;
	const char *address = push_steps(scene, "parca");

	assert_label(scene, address, "service_name", "target_steps");
	assert_label(scene, address, "executable", "target_steps");
}

static void test_push_to_otlp(void **state)
{
	struct scene *scene = *state;
	const char *address = push_steps(scene, "otlp");

	assert_label(scene, address, "service.name", "target_steps");
	assert_label(scene, address, "process.pid", format("%d", scene->target.pid));
	assert_label(scene, address, "zone.name", "eu");
}

/* What it allocated last is sent too. */
static void test_push_of_a_command_ends_with_it(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);

	session_start_bare(&scene->session, (const char *const[]){"push", "-R", "1", "--every", "0.2", "--to",
								  format("pyroscope+http://%s", address), "--",
								  beside("target_leak"), "malloc", NULL});
	assert_int_equal(session_finish(&scene->session), 0);
	assert_true(store_number(scene, address, "figures", "alloc_space") >= 30000);
	store_assert_content(scene, address);
}

/* Several processes that have allocated nothing yet, for some intervals: their first allocations are of now, not of 1970. */
static void test_push_of_several_that_rested(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);
	struct child *other = &scene->more[1];

	for (struct child *target = &scene->target; target; target = target == other ? NULL : other) {
		target_start(target, NULL, (const char *const[]){beside("target_steps"), NULL});
		target_ready(target);
	}
	session_start_bare(&scene->session,
			   (const char *const[]){"push", "-R", "1", "--every", "0.1", "--to",
						 format("pyroscope+http://%s", address), "-p",
						 format("%d,%d", scene->target.pid, other->pid), NULL});
	session_await_times(&scene->session, "has not called its allocator in the first second", 2);
	target_go(&scene->target);
	served_steps(scene, "kkkf");
	store_await(scene, address, "alloc_space", 3 * BLOCK);
	push_finish(scene);
	store_assert_content(scene, address);
}

/* A recording's, once; with what was in use at its end. */
static void test_push_of_a_recording(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);

	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	served_steps(scene, "kkkf");
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	session_start_bare(&scene->second, (const char *const[]){"push", "--to", format("parca+http://%s", address),
								 scene->session.output, NULL});
	assert_int_equal(session_finish(&scene->second), 0);
	assert_int_equal(store_number(scene, address, "figures", "alloc_space"), 3 * BLOCK);
	assert_int_equal(store_number(scene, address, "figures", "inuse_space"), 2 * BLOCK);
	store_assert_content(scene, address);
}

/* A store that refuses: it is said, and the status is not that of success. */
static void test_push_that_is_refused_is_counted(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);

	push_start(scene, "pyroscope", format("%s/nothing/is/here", address));
	served_steps(scene, "kkk");
	session_await(&scene->session, "400");
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 1);
	session_assert_said(&scene->session, "refused");
}

/* A collector that does not take all of each request: what it rejects is counted as it counts it, and not sent again. */
static void test_push_that_is_rejected_in_part_is_counted(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);

	push_start(scene, "otlp", format("%s/rejecting", address));
	served_steps(scene, "kkkf");
	store_await(scene, address, "alloc_objects", 3);
	store_await(scene, address, "inuse_objects", 2);
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 1);
	store_assert_content(scene, address);
	session_assert_said(&scene->session,
			    format("pushed %lu profiles in", store_number(scene, address, "profiles", "profiles ")));
	session_assert_said(&scene->session,
			    format("lost %lu profiles", store_number(scene, address, "profiles", "rejected ")));
	session_assert_said(&scene->session,
			    " as rejected: rejected by the store out of requests that it took otherwise");
	session_assert_said(&scene->session, "(it answers 200: this store counts objects only)");
}

/* What target_brood's child of that number allocates, see targets/offspring.h. */
static uint64_t bytes_of_child(unsigned int number)
{
	uint64_t sum = 128;

	for (unsigned int i = 0; i < 20; i++)
		sum += i % 2 ? 1000 + number : 2 * (8 + i) + 3000 + i;
	return sum;
}

/* The number that was said before these words, in groups of three digits; 0: they were not said. */
static uint64_t said_before(const struct session *session, const char *words)
{
	const char *at = strstr(session->words, words);
	uint64_t number = 0;

	for (uint64_t place = 1; at && at-- > session->words && (*at == ' ' || (*at >= '0' && *at <= '9'));)
		if (*at != ' ') {
			number += place * (uint64_t)(*at - '0');
			place *= 10;
		}
	return number;
}

/* `children` that end within one interval, each traced whole. Returns heaptap's status; *ret_sum is what they allocated. */
static int push_children(struct scene *scene, const char *address, unsigned int children, uint64_t *ret_sum)
{
	const char *line = format("fork 1 %u\n", children);
	char answer[8];

	target_start(&scene->target, NULL, (const char *const[]){beside("target_brood"), "-", NULL});
	session_start_bare(&scene->session, (const char *const[]){"push", "-R", "1", "--follow", "--every", "1000",
								  "--to", format("pyroscope+http://%s", address), "-p",
								  format("%d", scene->target.pid), NULL});
	session_await(&scene->session, "pushing to");
	assert_int_equal(write(scene->target.in, line, strlen(line)), strlen(line));
	assert_int_equal(read(scene->target.out, answer, 5), 5);
	session_signal(&scene->session, SIGTERM);
	*ret_sum = 0;
	for (unsigned int number = 1; number <= children; number++)
		*ret_sum += bytes_of_child(number);
	return session_finish(&scene->session);
}

static void test_push_sends_children_that_are_gone(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);
	uint64_t sum;

	assert_int_equal(push_children(scene, address, KEPT, &sum), 0);
	assert_int_equal(store_number(scene, address, "figures", "alloc_space"), sum);
}

/* More within one interval than are kept: what is not sent is said, to the byte. */
static void test_push_counts_children_that_are_too_many(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);
	uint64_t untold, sum;
	int status = push_children(scene, address, KEPT + 100, &sum);

	untold = said_before(&scene->session, " bytes that they allocated were not sent");
	assert_int_equal(store_number(scene, address, "figures", "alloc_space") + untold, sum);
	assert_int_equal(status, untold ? 1 : 0);
	assert_in_range(said_before(&scene->session, " processes ended between two intervals"), 0, 100);
}

/* A file by the library's name that is none stands for what is not installed. Nothing is traced, and the other commands do not need it. */
static void test_push_without_libcurl_says_what_to_install(void **state)
{
	struct scene *scene = *state;
	const char *const names[] = {"libcurl-gnutls.so.4", "libcurl.so.4"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		FILE *file = fopen(format("%s/%s", scene->dir, names[i]), "we");

		assert_non_null(file);
		assert_true(fputs("no library\n", file) >= 0);
		fclose(file);
	}
	scene->session.environment[0] = format("LD_LIBRARY_PATH=%s", scene->dir);
	session_start_bare(&scene->session,
			   (const char *const[]){"push", "--to", "parca+http://127.0.0.1:1", "-p", "1", NULL});
	assert_int_equal(session_finish(&scene->session), 3);
	session_assert_said(&scene->session, "cannot load libcurl, by which 'push' sends (");
	session_assert_said(&scene->session, "install the package libcurl3-gnutls");
	scene->second.environment[0] = format("LD_LIBRARY_PATH=%s", scene->dir);
	assert_int_equal(session_run(&scene->second, scene, (const char *const[]){"-q", "--", "/bin/true", NULL}), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_push_to_pyroscope),
		TEST(test_push_to_parca),
		TEST(test_push_to_otlp),
		TEST(test_push_of_a_command_ends_with_it),
		TEST(test_push_of_several_that_rested),
		TEST(test_push_of_a_recording),
		TEST(test_push_that_is_refused_is_counted),
		TEST(test_push_that_is_rejected_in_part_is_counted),
		TEST(test_push_sends_children_that_are_gone),
		TEST(test_push_counts_children_that_are_too_many),
		TEST(test_push_without_libcurl_says_what_to_install),
	};

	return cmocka_run_group_tests_name("push", tests, NULL, NULL);
}
