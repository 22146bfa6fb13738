/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real containers that `top --batch` and `serve` show while they run: what each has allocated and has in use is what the orders to
 * its processes come to, whatever URL names it, and other containers' processes are not in it.
 */
#include <inttypes.h>
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

#include "base/units.h"
#include "e2e/kit/container.h"
#include "e2e/kit/page_document.h"
#include "e2e/kit/pprof_client.h"
#include "e2e/kit/root.h"
#include "e2e/kit/served.h"

#define MEASURES PAGE_MEASURES

static const char *const measures[MEASURES] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};

/*
 * What offspring.h does in one process under an even number n: ten callocs of 2 (8 + i) and ten mallocs of 1000 + n, ten reallocs to
 * 3000 + i, an aligned block of 128; of the twenty the first ten are freed again. i is even.
 */
static void add_offspring(uint64_t total[MEASURES], unsigned int n)
{
	const uint64_t callocs = 340, mallocs = 10 * (1000 + n), reallocs = 30090, aligned = 128;

	total[0] += 31;
	total[1] += callocs + mallocs + reallocs + aligned;
	total[2] += 11;
	total[3] += 15070 + mallocs / 2 + aligned;
}

/* --- top --- */

static void start_top(struct harbour *harbour, const char *container)
{
	const char *const wrapper[] = {"/bin/sh", "-c", "exec \"$@\" >\"$0\"", format("%s/frames", harbour->scene->dir),
				       NULL};
	struct session *session = &harbour->scene->session;

	session->environment[0] = "LC_ALL=C.UTF-8";
	session->environment[1] = "COLUMNS=200";
	session->wrapper = wrapper;
	session_start_bare(session, (const char *const[]){"top", "--batch", "--delay", "0.1", "-R", "1", "--container",
							  container, NULL});
	session_attached(session);
}

/* Until a frame has these words. */
static void await_frame(const struct harbour *harbour, const char *formatted)
{
	uint64_t deadline = deadline_ns();
	char *text = NULL, words[256]; /* which outlive what is formatted meanwhile */
	size_t room = 0;

	snprintf(words, sizeof(words), "%s", formatted);
	for (bool found = false; !found;) {
		FILE *file = fopen(format("%s/frames", harbour->scene->dir), "re");

		assert_non_null(file);
		found = getdelim(&text, &room, '\0', file) > 0 && strstr(text, words);
		fclose(file);
		if (!found && now_ns() > deadline)
			fail_msg("no \"%s\" in:\n%s", words, text ? text : "");
		usleep(20000);
	}
	free(text);
}

static void finish(struct harbour *harbour)
{
	session_signal(&harbour->scene->session, SIGTERM);
	assert_int_equal(session_finish(&harbour->scene->session), 0);
}

static void check_top(struct harbour *harbour, const char *image)
{
	struct container *container = container_run(harbour, image, "target_brood", false);
	uint64_t total[MEASURES] = {0};

	start_top(harbour, container->name);
	dialogue_order(&container->dialogue, "self 0 1");
	add_offspring(total, 0);
	await_frame(harbour, format("\n  in use     %10s = %s B in 11 objects", units_bytes((double)total[3]).text,
				    units_digits(total[3]).text));
	await_frame(harbour, format("\n  allocated  %10s = %s B in 31 objects", units_bytes((double)total[1]).text,
				    units_digits(total[1]).text));
	finish(harbour);
}

static void test_container_live_top_batch_glibc(void **state)
{
	check_top(*state, "glibc");
}

static void test_container_live_top_batch_musl(void **state)
{
	check_top(*state, "musl");
}

/* A second process, which heaptap has not seen at its beginning; each is then a row. */
static void test_container_live_top_batch_sees_a_process_that_comes(void **state)
{
	struct harbour *harbour = *state;
	struct container *container = container_run(harbour, "glibc", "target_brood", false);
	uint64_t first[MEASURES] = {0}, second[MEASURES] = {0};
	const char *dir = format("%s/second", container->dir);
	struct dialogue dialogue;

	dialogue_open(&dialogue, dir);
	start_top(harbour, container->name);
	dialogue_order(&container->dialogue, "self 0 1");
	add_offspring(first, 0);
	await_frame(harbour, " B in 11 objects");
	target_start(&harbour->scene->target, NULL,
		     (const char *const[]){"/usr/bin/podman", "--runtime", "runc", "exec", container->name,
					   "/target_brood", "/shared/second", NULL});
	dialogue_order(&dialogue, "self 2000 1");
	add_offspring(second, 2000);
	await_frame(harbour, format("\ncontainer %s, ", container->name));
	await_frame(harbour,
		    format("\n  in use     %10s in 2 processes", units_bytes((double)(first[3] + second[3])).text));
	await_frame(harbour, format("\n%10s ", units_bytes((double)first[3]).text));
	await_frame(harbour, format("\n%10s ", units_bytes((double)second[3]).text));
	finish(harbour);
	dialogue_close(&dialogue);
}

/* --- serve --- */

static void assert_profile(const struct harbour *harbour, const char *path, const uint64_t total[MEASURES])
{
	char url[PATH_MAX]; /* which outlives what is formatted meanwhile */

	snprintf(url, sizeof(url), "%s", path);
	for (unsigned int m = 0; m < MEASURES; m++) {
		char *top;

		assert_int_equal(pprof_total(harbour->scene, url, measures[m], &top), total[m]);
		free(top);
	}
}

static void assert_page(const struct harbour *harbour, const char *url, const uint64_t total[MEASURES])
{
	struct http_response response;
	uint64_t shown[MEASURES];
	cJSON *page;

	http_fetch(harbour->scene, url, &response);
	assert_int_equal(response.status, 200);
	page = page_document(response.body);
	page_document_totals(page, shown);
	for (unsigned int m = 0; m < MEASURES; m++)
		assert_int_equal(shown[m], total[m]);
	cJSON_Delete(page);
	http_release(&response);
}

static const char *serve(struct harbour *harbour, const char *const *target)
{
	const char *args[12] = {"serve", "-R", "1", "--listen", "127.0.0.1:0"};

	for (unsigned int i = 5; *target && i < 11; i++)
		args[i] = *target++;
	return http_serve(harbour->scene, args);
}

static void test_container_live_serve_by_every_url(void **state)
{
	struct harbour *harbour = *state;
	struct container *container = container_run(harbour, "glibc", "target_brood", false);
	struct container *sibling = container_run(harbour, "glibc", "target_brood", false);
	char url[64], short_id[13];
	const char *const names[] = {container->name, short_id, container->id};
	uint64_t total[MEASURES] = {0};

	snprintf(short_id, sizeof(short_id), "%.12s", container->id);
	snprintf(url, sizeof(url), "%s", serve(harbour, (const char *const[]){"--container", container->name, NULL}));
	dialogue_order(&container->dialogue, "self 0 1");
	dialogue_order(&sibling->dialogue, "self 0 1");
	add_offspring(total, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_profile(harbour, format("%s/container/%s/debug/pprof/heap?gc=1", url, names[i]), total);
		assert_profile(harbour, format("%s/debug/pprof/allocs?gc=1&container=%s", url, names[i]), total);
		assert_page(harbour, format("%s/container/%s/page", url, names[i]), total);
	}
	assert_profile(harbour, format("%s/debug/pprof/heap?gc=1", url), total);
	served_assert(harbour->scene, format("%s/container/%s/debug/pprof/heap", url, sibling->name), 404,
		      format("no container '%s' is traced", sibling->name));
	served_assert(harbour->scene, format("%s/container/%s/metrics", url, sibling->name), 404, "no");
	finish(harbour);
}

/* What children that have ended had at their exit is in a profile of all, which names them; and not in what metrics have in use. */
static void test_container_live_serve_of_children(void **state)
{
	struct harbour *harbour = *state;
	struct container *container = container_run(harbour, "musl", "target_brood", false);
	uint64_t total[MEASURES] = {0}, living[MEASURES] = {0};
	char url[64], *top;

	snprintf(url, sizeof(url), "%s", serve(harbour, (const char *const[]){"--container", container->name, NULL}));
	dialogue_order(&container->dialogue, "self 0 1");
	dialogue_order(&container->dialogue, "fork 2 1");
	dialogue_order(&container->dialogue, "fork 4 1");
	add_offspring(living, 0);
	add_offspring(total, 0);
	add_offspring(total, 2);
	add_offspring(total, 4);
	assert_profile(harbour, format("%s/container/%s/debug/pprof/heap?gc=1", url, container->name), total);
	top = pprof_top(harbour->scene, format("-unit=B -sample_index=alloc_space -tagfocus=container=%s "
					       "'%s/debug/pprof/heap?gc=1'",
					       container->name, url));
	assert_words(top, format("Showing nodes accounting for %" PRIu64 "B", total[1]));
	free(top);
	served_assert(harbour->scene, format("%s/container/%s/metrics", url, container->name), 200,
		      format("\nheaptap_inuse_bytes{container=\"%s\",comm=\"target_brood\"} %" PRIu64 "\n",
			     container->name, living[3]));
	served_assert(harbour->scene, format("%s/metrics", url), 200,
		      format("\nheaptap_allocated_objects_total{container=\"%s\",comm=\"target_brood\"} %" PRIu64 "\n",
			     container->name, total[0]));
	served_assert(harbour->scene, url, 200,
		      format("<p>  in use     %10s in 1 process; 2 ended with %s</p>",
			     units_bytes((double)living[3]).text, units_bytes((double)(total[3] - living[3])).text));
	finish(harbour);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harbour_setup, harbour_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_container_live_top_batch_glibc),
		TEST(test_container_live_top_batch_musl),
		TEST(test_container_live_top_batch_sees_a_process_that_comes),
		TEST(test_container_live_serve_by_every_url),
		TEST(test_container_live_serve_of_children),
	};

	(void)argc;
	root_own(argv);
	return cmocka_run_group_tests_name("container_live", tests, images_setup, images_teardown);
}
