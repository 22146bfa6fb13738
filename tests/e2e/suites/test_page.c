/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page, in Debian's Chromium: what is read off it, after clicks, keys and searches, is what index.json says of targets whose
 * totals are known; it asks for nothing and logs nothing. Another reader has the same totals. What needs no recording is in test_page_edges.c.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/units.h"
#include "e2e/kit/browser.h"
#include "e2e/kit/served.h"
#include "e2e/kit/session.h"

static const char *bytes(uint64_t number)
{
	return format("%s", units_bytes((double)number).text);
}

/* --- recordings --- */

static void steps(const struct child *target, const char *wanted)
{
	for (char done; *wanted; wanted++) {
		struct pollfd poll_fd = {.fd = target->out, .events = POLLIN};

		assert_int_equal(write(target->in, wanted, 1), 1);
		if (poll(&poll_fd, 1, DEADLINE_MS) != 1 || read(target->out, &done, 1) != 1 || done != *wanted)
			fail_msg("the target did not do '%c'", *wanted);
	}
}

/* Its argument and its environment are nobody's business. */
static void start_target(struct child *target)
{
	target_start(target, (const char *const[]){"PASSWORD=environment-7f3a", NULL},
		     (const char *const[]){beside("target_steps"), "--password=argument-7f3a", NULL});
	target_ready(target);
}

/* Record every allocation of the target; the page is written at the end. */
static void start(struct scene *scene, const char *html)
{
	start_target(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "--html", html, "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
}

static void stop(struct scene *scene)
{
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	child_release(&scene->target);
}

/* --- tests --- */

static const char *expected_figures(const struct scene *scene, uint64_t kept)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, "target_steps");
	const char *text = format(
		"{\"title\": \"%d target_steps\", \"site\": \"keep\", \"siteBytes\": \"%s\", \"cards\": {"
		"\"inuse_space\": \"%s\", \"inuse_objects\": \"%s\", \"alloc_space\": \"%s\", \"alloc_objects\": \"%s\"}, "
		"\"memory\": {\"resident\": \"%s\", \"heap\": \"%s\", \"free\": \"%s\", \"older\": \"%s\", \"files\": \"%s\"}}",
		(int)index_number(process, "pid"), bytes(kept), bytes(index_number(process, "inuse_space")),
		units_digits(index_number(process, "inuse_objects")).text, bytes(index_number(process, "alloc_space")),
		units_digits(index_number(process, "alloc_objects")).text,
		bytes(index_number(process, "memory.resident_bytes")),
		bytes(index_number(process, "memory.parts.heap.resident_bytes")),
		bytes(index_number(process, "memory.free_bytes")),
		bytes(index_number(process, "memory.kept_bytes") - index_number(process, "memory.free_bytes")),
		bytes(index_number(process, "memory.parts.files.resident_bytes")));

	assert_int_equal(index_number(process, "inuse_space"), kept);
	cJSON_Delete(index);
	return text;
}

static void test_page_of_a_process_has_the_figures_of_the_index(void **state)
{
	struct scene *scene = *state;
	char recorded[PATH_MAX], made[PATH_MAX];
	struct stat status;

	text_path(recorded, "%s/recorded.html", scene->dir);
	text_path(made, "%s/made.html", scene->dir);
	start(scene, recorded);
	steps(&scene->target, "kkckkfk");
	stop(scene);
	session_assert_said(&scene->session, "page written to");
	browser_make_page(format("--html '%s' '%s'", made, scene->session.output));
	assert_int_equal(system(format("cmp '%s' '%s'", recorded, made)), 0);
	assert_int_equal(stat(made, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_true(status.st_size < 300000);
	assert_int_equal(system(format("! grep -q t-7f3a '%s'", made)), 0);
	browser_run("figures.mjs", made, expected_figures(scene, 4 * BLOCK));
}

static void test_page_shows_what_changed_between_moments(void **state)
{
	struct scene *scene = *state;
	char html[PATH_MAX];

	text_path(html, "%s/page.html", scene->dir);
	start(scene, html);
	steps(&scene->target, "kkk");
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, "profiles 0001 written");
	steps(&scene->target, "ckkf");
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, "profiles 0002 written");
	steps(&scene->target, "k");
	stop(scene);
	browser_run(
		"range.mjs", html,
		format("{\"site\": \"keep\", \"moments\": [[\"%s\", \"%s\"], [\"%s\", \"%s\"]], \"change\": \"+%s\", "
		       "\"allocated\": \"%s\"}",
		       bytes(3 * BLOCK), bytes(3 * BLOCK), bytes(4 * BLOCK), bytes(5 * BLOCK), bytes(BLOCK),
		       bytes(2 * BLOCK)));
}

/* Record these steps into a directory of that name below the scene's. */
static void record_steps(struct scene *scene, const char *name, const char *wanted)
{
	char html[PATH_MAX];

	start(scene, text_path(html, "%s/%s.html", scene->dir, name));
	steps(&scene->target, wanted);
	stop(scene);
	assert_int_equal(rename(scene->session.output, format("%s/%s", scene->dir, name)), 0);
}

static void compare(const struct scene *scene, const char *before, const char *after, const char *card,
		    const char *site)
{
	char html[PATH_MAX];

	text_path(html, "%s/difference.html", scene->dir);
	browser_make_page(format("--html '%s' --base '%s/%s' '%s/%s'", html, scene->dir, before, scene->dir, after));
	browser_run("difference.mjs", html,
		    format("{\"before\": \"%s\", \"after\": \"%s\", \"card\": \"%s\", \"sites\": {\"keep\": %s}}",
			   before, after, card, site));
}

static void test_page_of_two_recordings_shows_what_differs(void **state)
{
	struct scene *scene = *state;

	record_steps(scene, "three", "kkkc");
	record_steps(scene, "five", "kkkkkc");
	record_steps(scene, "none", "c");
	compare(scene, "three", "five", format("+%s", bytes(2 * BLOCK)),
		format("[\"grown\", \"+%s\", \"%s\", \"%s\"]", bytes(2 * BLOCK), bytes(3 * BLOCK), bytes(5 * BLOCK)));
	compare(scene, "five", "three", format("-%s", bytes(2 * BLOCK)),
		format("[\"shrunk\", \"-%s\", \"%s\", \"%s\"]", bytes(2 * BLOCK), bytes(5 * BLOCK), bytes(3 * BLOCK)));
	compare(scene, "three", "none", format("-%s", bytes(3 * BLOCK)),
		format("[\"gone\", \"-%s\", \"%s\", \"\u2013\"]", bytes(3 * BLOCK), bytes(3 * BLOCK)));
	compare(scene, "none", "three", format("+%s", bytes(3 * BLOCK)),
		format("[\"new\", \"+%s\", \"\u2013\", \"%s\"]", bytes(3 * BLOCK), bytes(3 * BLOCK)));
}

static void test_page_of_several_processes_shows_all_and_each(void **state)
{
	struct scene *scene = *state;
	struct child *other = &scene->more[0];
	char html[PATH_MAX];

	text_path(html, "%s/page.html", scene->dir);
	start_target(&scene->target);
	start_target(other);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "--html", html, "-p",
					    format("%d,%d", scene->target.pid, other->pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	target_go(other);
	steps(&scene->target, "kkk");
	steps(other, "kckkkk");
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	browser_run(
		"population.mjs", html,
		format("{\"all\": \"%s\", \"processes\": {\"%d target_steps\": \"%s\", \"%d target_steps\": \"%s\"}}",
		       bytes(8 * BLOCK), scene->target.pid, bytes(3 * BLOCK), other->pid, bytes(5 * BLOCK)));
}

static void test_page_is_served_of_a_process_that_runs(void **state)
{
	struct scene *scene = *state;
	char url[256];

	snprintf(url, sizeof(url), "%s/page", served_start(scene, beside("target_steps")));
	served_steps(scene, "kkkkf");
	browser_run("served.mjs", url, bytes(3 * BLOCK));
	served_steps(scene, "kk");
	browser_run("served.mjs", url, bytes(5 * BLOCK));
	served_finish(scene);
}

static void test_page_another_reader_has_the_same_total(void **state)
{
	struct scene *scene = *state;
	cJSON *index;

	start(scene, format("%s/page.html", scene->dir));
	steps(&scene->target, "kkkkk");
	stop(scene);
	index = session_index(&scene->session);
	browser_run("speedscope.mjs", index_file(&scene->session, index_process(index, "target_steps"), ".pb.gz"),
		    format("%lu", (unsigned long)index_number(index_process(index, "target_steps"), "inuse_space")));
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_page_of_a_process_has_the_figures_of_the_index),
		TEST(test_page_shows_what_changed_between_moments),
		TEST(test_page_of_two_recordings_shows_what_differs),
		TEST(test_page_of_several_processes_shows_all_and_each),
		TEST(test_page_is_served_of_a_process_that_runs),
		TEST(test_page_another_reader_has_the_same_total),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
