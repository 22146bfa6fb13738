/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heaptap serve and go tool pprof, on every form of its URLs: the numbers are those of the target's steps.
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
#include <poll.h>

#include <cmocka.h>

#include "e2e/kit/pprof_client.h"
#include "e2e/kit/served.h"

static void test_serve_go_tool_pprof_reads_every_form(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	const int pid = scene->target.pid;

	served_steps(scene, "kkkkff");
	assert_int_equal(served_total(scene, format("%s/debug/pprof/heap?gc=1", url), "inuse_space"), 2 * BLOCK);
	assert_int_equal(served_total(scene, format("%s/debug/pprof/heap?gc=1&pid=%d", url, pid), "inuse_objects"), 2);
	assert_int_equal(served_total(scene, format("%s/pid/%d/debug/pprof/heap?gc=1", url, pid), "alloc_space"),
			 4 * BLOCK);
	assert_int_equal(served_total(scene, format("%s/debug/pprof/allocs", url), "alloc_objects"), 4);
	assert_int_equal(
		served_total(scene, format("%s/pid/%d/debug/pprof/allocs?pid=%d", url, pid, pid), "alloc_space"),
		4 * BLOCK);
	served_finish(scene);
}

static void test_serve_default_measures_are_go_s(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	char *heap, *allocs, *text;

	served_steps(scene, "kkf");
	heap = pprof_top(scene, format("%s/debug/pprof/heap?gc=1", url));
	allocs = pprof_top(scene, format("%s/debug/pprof/allocs", url));
	text = pprof_top(scene, format("'%s/debug/pprof/heap?gc=1&debug=1'", url));
	assert_words(heap, "Type: inuse_space");
	assert_words(allocs, "Type: alloc_space");
	assert_words(heap, "keep");
	assert_words(allocs, "keep");
	assert_words(text, "Type: inuse_space");
	free(heap);
	free(allocs);
	free(text);
	served_finish(scene);
}

/* A difference is of a time in which the target takes steps from before the request until its end. */
static char *top_while_stepping(const struct scene *scene, const char *arguments)
{
	FILE *pipe = popen(format("PPROF_TMPDIR='%s' go tool pprof -top -nodefraction=0 -unit=B %s 2>&1; echo END",
				  scene->dir, arguments),
			   "re");
	struct pollfd poll_fd = {.fd = fileno(pipe), .events = POLLIN};
	static char text[16384];
	size_t length = 0;
	ssize_t got = 1;

	while (got > 0 && length < sizeof(text) - 1) {
		served_steps(scene, "kfc");
		if (poll(&poll_fd, 1, 0) < 1)
			continue;
		got = read(poll_fd.fd, text + length, sizeof(text) - 1 - length);
		length += got > 0 ? (size_t)got : 0;
	}
	text[length] = '\0';
	pclose(pipe);
	return text;
}

/* As long as was asked for, or longer on a busy machine: "Duration: 1.02s". */
static void assert_seconds(const char *text, double least)
{
	const char *duration = strstr(text, "Duration: ");
	char *unit;

	if (!duration || strtod(duration + strlen("Duration: "), &unit) < least || !strncmp(unit, "ms", 2))
		fail_msg("not of %g s or more:\n%s", least, text);
}

static void test_serve_seconds_is_what_happened_meanwhile(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	char *text;

	served_steps(scene, "kkk");
	text = top_while_stepping(scene, format("-sample_index=alloc_space -seconds=1 %s/debug/pprof/heap", url));
	assert_words(text, "churn");
	assert_seconds(text, 1);
	/* The three blocks are older, and nothing else stays. */
	text = top_while_stepping(scene, format("-sample_index=inuse_space -seconds=1 %s/pid/%d/debug/pprof/delta_heap",
						url, scene->target.pid));
	assert_words(text, "Type: inuse_space");
	assert_words(text, "keep");
	served_finish(scene);
}

/* Objects allocated, of the process or of all (0). */
static uint64_t delta(const struct scene *scene, const char *url, int pid)
{
	const char *path =
		pid ? format("%s/pid/%d/debug/pprof/delta_heap", url, pid) : format("%s/debug/pprof/delta_heap", url);

	return served_total(scene, path, "alloc_objects");
}

static void test_serve_delta_heap_is_since_the_last_request(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));

	served_steps(scene, "kkk");
	assert_int_equal(delta(scene, url, 0), 3);
	served_steps(scene, "kk");
	assert_int_equal(delta(scene, url, 0), 2);
	/* Each scope has a memory of its own. */
	assert_int_equal(delta(scene, url, scene->target.pid), 5);
	served_steps(scene, "k");
	assert_int_equal(delta(scene, url, scene->target.pid), 1);
	assert_int_equal(delta(scene, url, 0), 1);
	served_finish(scene);
}

static void test_serve_two_urls_are_subtracted_by_pprof(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	const char *allocs = format("%s/debug/pprof/allocs", url);
	char *top;

	served_steps(scene, "kkk");
	top = pprof_top(scene, format("-sample_index=alloc_space -unit=B -diff_base '%s' '%s'", allocs, allocs));
	assert_words(top, "Showing nodes accounting for 0");
	free(top);
	served_finish(scene);
}

static void test_serve_symbol_names_the_addresses_of_a_profile(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	const char *symbol = format("%s/pid/%d/debug/pprof/symbol", url, scene->target.pid);
	unsigned long address;
	FILE *raw;

	served_steps(scene, "k");
	raw = popen(format("PPROF_TMPDIR='%s' go tool pprof -raw '%s/debug/pprof/heap?gc=1' 2>/dev/null | "
			   "sed -n 's/^ *[0-9]*: 0x\\([0-9a-f]*\\) M=[0-9]* keep .*/\\1/p'",
			   scene->dir, url),
		    "re");
	assert_non_null(raw);
	assert_int_equal(fscanf(raw, "%lx", &address), 1);
	pclose(raw);
	served_assert(scene, format("-d '0x%lx+0x10' %s", address, symbol), 200,
		      format("num_symbols: 1\n0x%lx keep\n", address));
	served_assert(scene, format("'%s?0x%lx'", symbol, address), 200, format("0x%lx keep\n", address));
	served_assert(scene, format("-d 'nonsense++%%+0x' %s", symbol), 200, "num_symbols: 1\n");
	served_finish(scene);
}

static void test_serve_pprof_shows_its_pages_of_a_url(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	const char *go = "/usr/bin/go", *ui;
	char line[512] = "";
	struct child *pprof = &scene->more[0];

	served_steps(scene, "kkk");
	target_start(pprof, NULL,
		     (const char *const[]){
			     "/bin/sh", "-c",
			     format("PPROF_TMPDIR='%s' exec %s tool pprof -http=127.0.0.1: -no_browser '%s/debug/pprof/"
				    "heap?gc=1' 2>&1",
				    scene->dir, go, url),
			     NULL});
	for (size_t length = 0; !strstr(line, "Serving web UI on http://") || !strchr(strstr(line, "UI on"), '\n');) {
		struct pollfd poll_fd = {.fd = pprof->out, .events = POLLIN};
		ssize_t got = poll(&poll_fd, 1, DEADLINE_MS) == 1
				      ? read(pprof->out, line + length, sizeof(line) - 1 - length)
				      : 0;

		if (got <= 0)
			fail_msg("pprof serves nothing: %s", line);
		length += (size_t)got;
		line[length] = '\0';
	}
	ui = strstr(line, "UI on ") + strlen("UI on ");
	served_assert(scene, format("%.*s/ui/top", (int)strcspn(ui, "\n"), ui), 200, "keep");
	served_finish(scene);
}

/* Go's client shows the sentence of an error. */
static void test_serve_pprof_shows_why_there_is_no_profile(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	char text[4096];
	FILE *pipe = popen(
		format("PPROF_TMPDIR='%s' go tool pprof -top '%s/debug/pprof/heap?pid=1' 2>&1", scene->dir, url), "re");
	size_t length = fread(text, 1, sizeof(text) - 1, pipe);

	text[length] = '\0';
	assert_int_not_equal(pclose(pipe), 0);
	assert_words(text, "no process 1 is traced");
	served_finish(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_serve_go_tool_pprof_reads_every_form),
		TEST(test_serve_default_measures_are_go_s),
		TEST(test_serve_seconds_is_what_happened_meanwhile),
		TEST(test_serve_delta_heap_is_since_the_last_request),
		TEST(test_serve_two_urls_are_subtracted_by_pprof),
		TEST(test_serve_symbol_names_the_addresses_of_a_profile),
		TEST(test_serve_pprof_shows_its_pages_of_a_url),
		TEST(test_serve_pprof_shows_why_there_is_no_profile),
	};

	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
