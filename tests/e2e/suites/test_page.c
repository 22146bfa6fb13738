/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page, in Debian's Chromium: what is read off it, after clicks, keys and searches, is what index.json says of targets whose
 * totals are known; it asks for nothing, logs nothing, and hostile names are text. Another reader has the same totals.
 */
#include <fcntl.h>
#include <math.h>
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

#include "unit/profile/made_profile.h"
#include "unit/view/wide_profile.h"

#include "base/status.h"
#include "base/string_list.h"
#include "base/text.h"
#include "base/units.h"
#include "e2e/kit/browser.h"
#include "e2e/kit/served.h"
#include "e2e/kit/session.h"
#include "format/output_file.h"
#include "format/pprof_write.h"

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

static void start_target(struct child *target)
{
	target_start(target, NULL, (const char *const[]){beside("target_steps"), NULL});
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

/* Numbers on both sides of each unit and of each half of a digit, and others. */
static double number_of(unsigned int i)
{
	static const double units[] = {1, 1000, 1024, 1e6, 1048576, 1e9, 1073741824.0};

	return i % 3 ? units[i % 7] * (i / 16.0) + i % 5 : (double)(i * i % 1000003);
}

static void put_pairs(const char *name, struct units_text (*text)(double number), FILE *out)
{
	fprintf(out, "\"%s\": [", name);
	for (unsigned int i = 0; i < 20000; i++)
		fprintf(out, "%s[%.17g, \"%s\"]", i ? "," : "", number_of(i), text(number_of(i)).text);
	fputs("]", out);
}

static struct units_text digits_of(double number)
{
	return units_digits((u64)llround(number));
}

static void test_page_writes_numbers_as_the_terminal_does(void **state)
{
	struct scene *scene = *state;
	FILE *out = fopen(format("%s/numbers.json", scene->dir), "we");

	assert_non_null(out);
	fputs("{", out);
	put_pairs("bytes", units_bytes, out);
	fputs(",", out);
	put_pairs("digits", digits_of, out);
	fputs(",", out);
	put_pairs("seconds", units_seconds, out);
	fputs("}", out);
	assert_int_equal(fclose(out), 0);
	browser_run("numbers.mjs", format("%s/numbers.json", scene->dir), NULL);
}

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

/* A process, one of whose functions has that name. */
static void write_made(const struct scene *scene, const char *name, const char *page)
{
	int dir = open(scene->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct made made;
	char **files;

	make(&made, 7, 0x10000, name);
	sample(&made, 0, 100, 50, 10);
	sample(&made, 1, 100, 50, 40);
	assert_int_equal(output_file_write(dir, &made.profile, FORMAT_PPROF, "", &files), 0);
	close(dir);
	browser_make_page(format("--html '%s/%s' '%s/%s'", scene->dir, page, scene->dir, files[0]));
	string_list_free(files);
}

/* What a process may call its code; the last one has a terminal's escapes and what is no UTF-8. */
static void test_page_takes_hostile_names_for_text(void **state)
{
	static const char *const names[] = {
		"</script><script>globalThis.taken=1</script>",
		"<img/src=x/onerror=globalThis.taken=1>",
		"</noscript><b>@DATA@@SCRIPT@",
		"\\u003cb>${globalThis.taken=1}`'&lt;b&gt;",
		"\"onfocus=\"globalThis.taken=1",
		"esc\033[31m\x80\x07red",
	};
	struct scene *scene = *state;
	cJSON *shown = cJSON_CreateArray();
	char *text;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *clean = text_clean(names[i]);

		write_made(scene, names[i], format("%zu.html", i));
		cJSON_AddItemToArray(shown, cJSON_CreateString(clean));
		free(clean);
	}
	text = cJSON_PrintUnformatted(shown);
	browser_run("hostile.mjs", scene->dir, text);
	free(text);
	cJSON_Delete(shown);
}

/* What is too small to see is in boxes that say so, and the whole stays exact. */
static void test_page_of_very_many_sites_shows_the_whole(void **state)
{
	struct scene *scene = *state;
	struct wide_profile wide;
	u64 total[MEASURE_MAX];
	struct stat status;
	FILE *out = fopen(format("%s/wide.pb.gz", scene->dir), "we");

	wide_profile_make(&wide, 100000, 30);
	wide_profile_add_lifetimes(&wide);
	assert_non_null(out);
	assert_int_equal(pprof_write(&wide.profile, out), 0);
	assert_int_equal(fclose(out), 0);
	profile_totals(&wide.profile, total);
	wide_profile_release(&wide);
	browser_make_page(format("--html '%s/page.html' '%s/wide.pb.gz'", scene->dir, scene->dir));
	assert_int_equal(stat(format("%s/page.html", scene->dir), &status), 0);
	assert_true(status.st_size < 5 << 20);
	browser_run("many.mjs", format("%s/page.html", scene->dir), bytes(total[INUSE_SPACE]));
}

/* One sentence, and the status says that it failed; what was there stays. */
static void assert_refused(struct scene *scene, const char *html, const char *sentence)
{
	session_start_bare(&scene->session, (const char *const[]){"report", "--html", html,
								  format("%s/7.made.pb.gz", scene->dir), NULL});
	assert_int_equal(session_finish(&scene->session), STATUS_FAILED);
	session_assert_said(&scene->session, sentence);
}

static void test_page_is_not_written_in_the_place_of_anything_else(void **state)
{
	struct scene *scene = *state;
	char link[PATH_MAX];
	struct stat status;

	write_made(scene, "name", "page.html");
	text_path(link, "%s/link.html", scene->dir);
	assert_int_equal(symlink("page.html", link), 0);
	assert_refused(scene, link, "it is there, and no regular file");
	assert_int_equal(lstat(link, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_refused(scene, scene->dir, "it is there, and no regular file");
	assert_refused(scene, format("%s/none/page.html", scene->dir), "there is no such directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_page_writes_numbers_as_the_terminal_does),
		TEST(test_page_of_a_process_has_the_figures_of_the_index),
		TEST(test_page_shows_what_changed_between_moments),
		TEST(test_page_of_two_recordings_shows_what_differs),
		TEST(test_page_of_several_processes_shows_all_and_each),
		TEST(test_page_is_served_of_a_process_that_runs),
		TEST(test_page_another_reader_has_the_same_total),
		TEST(test_page_takes_hostile_names_for_text),
		TEST(test_page_of_very_many_sites_shows_the_whole),
		TEST(test_page_is_not_written_in_the_place_of_anything_else),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
