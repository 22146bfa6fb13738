/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One recording, looked at in every way: `record`, `report`, `top --batch`, the page, index.json, `.json` and `.pb.gz` files, and all
 * that `serve` answers, have the same numbers, and the same bytes where several of them print text.
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

#include "base/units.h"
#include "e2e/kit/page_document.h"
#include "e2e/kit/pprof_client.h"
#include "e2e/kit/served.h"

#define MEASURES PAGE_MEASURES

static const char *const measures[MEASURES] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
static const char *const metrics[MEASURES] = {"heaptap_allocated_objects_total", "heaptap_allocated_bytes_total",
					      "heaptap_inuse_objects", "heaptap_inuse_bytes"};

/* --- texts --- */

/* What the shell command prints, errors too; the caller frees it. */
static char *printed(const char *command)
{
	FILE *pipe = popen(format("%s 2>&1", command), "re");
	char *text = NULL;
	size_t room = 0;

	if (!pipe || getdelim(&text, &room, '\0', pipe) < 0)
		fail_msg("%s: no output", command);
	if (pclose(pipe))
		fail_msg("%s:\n%s", command, text);
	return text;
}

/* The first line that begins with these words. */
static const char *line_of(const char *text, const char *words)
{
	const char *at = text;

	while (at && strncmp(at, words, strlen(words)) != 0)
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
	if (!at)
		fail_msg("no line \"%s\" in:\n%s", words, text);
	return format("%.*s", (int)strcspn(at, "\n"), at);
}

static void assert_bytes(const char *text, const char *wanted)
{
	if (strcmp(text, wanted) != 0)
		fail_msg("\"%s\"\nis not\n\"%s\"", text, wanted);
}

/* --- a recording, and those who show it --- */

struct golden {
	struct scene *scene;
	char *report, *top;
	cJSON *data, *index;
};

/* The scene's second session has recorded, and written page.html. Nothing is cut where names are long: no checkout's path is so wide. */
static void golden_read(struct golden *golden, struct scene *scene)
{
	const char *dir = scene->second.output;
	char *page = printed(format("cat '%s/page.html'", scene->dir));

	golden->scene = scene;
	golden->data = page_document(page);
	free(page);
	golden->report = session_report(&scene->second, "");
	golden->top = printed(format("LC_ALL=C.UTF-8 COLUMNS=5000 '%s' top --batch -n 1 '%s'", heaptap_path(), dir));
	golden->index = session_index(&scene->second);
}

static void golden_release(struct golden *golden)
{
	free(golden->report);
	free(golden->top);
	cJSON_Delete(golden->data);
	cJSON_Delete(golden->index);
}

/* The line that begins so is the same in what record, top and the page say. */
static const char *assert_line(const struct golden *golden, const char *words)
{
	const char *line = line_of(golden->scene->second.words, words);

	assert_bytes(line_of(golden->top, words), line);
	page_document_assert_says(golden->data, line);
	return line;
}

/* Whether it grows depends on how long it ran; a recording that is too short says, beside that, what to do. */
static void assert_growth(const struct golden *golden)
{
	const char *line = line_of(golden->scene->second.words, "  growth "), *top = line_of(golden->top, "  growth ");

	page_document_assert_says(golden->data, line);
	assert_bytes(format("%.*s", (int)strcspn(line, ";"), line), top);
	assert_true(!strchr(line, ';') || strstr(line, "; record longer"));
}

static void assert_page_totals(const cJSON *data, const uint64_t total[MEASURES])
{
	uint64_t shown[MEASURES];

	page_document_totals(data, shown);
	for (unsigned int m = 0; m < MEASURES; m++)
		assert_int_equal(shown[m], total[m]);
}

static void assert_pprof(const struct scene *scene, const char *path, const uint64_t total[MEASURES])
{
	for (unsigned int m = 0; m < MEASURES; m++) {
		char *top;

		assert_int_equal(pprof_total(scene, path, measures[m], &top), total[m]);
		free(top);
	}
}

static void assert_metrics(const struct scene *scene, const char *url, const uint64_t total[MEASURES])
{
	for (unsigned int m = 0; m < MEASURES; m++)
		assert_int_equal(served_metric(scene, url, metrics[m]), total[m]);
}

/* The URL's page has one view, which is the first one of the file. */
static void assert_served_page(const struct golden *golden, const char *url)
{
	struct http_response response;
	char *served, *written;
	cJSON *data;

	http_fetch(golden->scene, format("%s/page", url), &response);
	assert_int_equal(response.status, 200);
	data = page_document(response.body);
	http_release(&response);
	served = cJSON_Print(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(data, "views"), 0));
	written = cJSON_Print(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(golden->data, "views"), 0));
	assert_bytes(served, written);
	free(served);
	free(written);
	cJSON_Delete(data);
}

/* Page, profiles, metrics and the first page have the same numbers. */
static void assert_served(const struct golden *golden, const uint64_t total[MEASURES], const char *words)
{
	struct scene *scene = golden->scene;
	const char *url = http_serve(
		scene, (const char *const[]){"serve", "--listen", "127.0.0.1:0", scene->second.output, NULL});

	assert_served_page(golden, url);
	assert_pprof(scene, format("%s/debug/pprof/heap", url), total);
	assert_metrics(scene, url, total);
	served_assert(scene, url, 200, words);
	served_finish(scene);
}

/* --- a sampled process that has ended --- */

/* A row of report's table of sites by bytes in use. */
static const char *report_row(const char *report, const char *site)
{
	const char *table = strstr(report, "\nSites by bytes in use"), *at = table ? strstr(table, site) : NULL;

	if (!at)
		fail_msg("no %s in use in:\n%s", site, report);
	while (at[-1] != '\n')
		at--;
	return format("%.*s", (int)strcspn(at, "\n"), at);
}

static double site_number(const cJSON *site, const char *name, int place)
{
	return cJSON_GetNumberValue(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(site, name), place));
}

/* The page's site has the bytes that pprof says, and these, error and samples are the same words in report and summary. */
static void assert_site(const struct golden *golden, const char *pprof, const char *function)
{
	const char *label = format("%s  target_lifetimes.c:", function), *row = report_row(golden->report, label);
	const cJSON *site = page_document_site(golden->data, label);
	const char *value = format(" %.0fB ", site_number(site, "value", 3));
	/* "±" is two bytes. */
	const char *amount = format("  %10s %12s ", units_bytes(site_number(site, "value", 3)).text,
				    format("±%s", units_bytes(site_number(site, "error", 3)).text));

	assert_memory_equal(row, amount, strlen(amount));
	assert_words(row, format(" %9s ", units_digits((uint64_t)site_number(site, "samples", 1)).text));
	assert_words(golden->scene->second.words, amount);
	assert_words(pprof, value);
	assert_words(format("%.*s\n", (int)strcspn(strstr(pprof, value), "\n"), strstr(pprof, value)),
		     format("  %s\n", function));
}

static void assert_files(const struct golden *golden, const uint64_t total[MEASURES])
{
	const struct session *session = &golden->scene->second;
	const cJSON *process = index_process(golden->index, "target_lifetimes");
	cJSON *json = json_read(index_file(session, process, ".json"));
	char file[PATH_MAX], *pprof;

	for (unsigned int m = 0; m < MEASURES; m++)
		assert_int_equal(index_number(json, format("totals.%s", measures[m])), total[m]);
	cJSON_Delete(json);
	snprintf(file, sizeof(file), "%s", index_file(session, process, ".pb.gz"));
	assert_pprof(golden->scene, file, total);
	pprof = pprof_top(golden->scene, format("-unit=B -sample_index=inuse_space '%s'", file));
	assert_site(golden, pprof, "leak");
	assert_site(golden, pprof, "cache");
	free(pprof);
}

static void test_golden_one_process_has_one_set_of_numbers(void **state)
{
	struct scene *scene = *state;
	const char *const args[] = {"-R",     "32K",
				    "-f",     "pprof,json",
				    "--html", format("%s/page.html", scene->dir),
				    "--",     beside("target_lifetimes"),
				    "leak",   "0",
				    NULL};
	struct golden golden;
	uint64_t total[MEASURES];
	char words[128];

	assert_int_equal(session_run(&scene->second, scene, args), 0);
	golden_read(&golden, scene);
	for (unsigned int m = 0; m < MEASURES; m++)
		total[m] = index_number(index_process(golden.index, "target_lifetimes"), measures[m]);
	assert_bytes(line_of(golden.report, "  at exit "), assert_line(&golden, "  at exit "));
	assert_bytes(line_of(golden.report, "  allocated "), assert_line(&golden, "  allocated "));
	assert_growth(&golden);
	assert_page_totals(golden.data, total);
	assert_files(&golden, total);
	free(session_report(&scene->second, format("--html '%s/again.html'", scene->dir)));
	assert_int_equal(system(format("cd '%s' && cmp page.html again.html", scene->dir)), 0);
	snprintf(words, sizeof(words), "<td class=\"n\">%s</td><td class=\"n\">%s</td>",
		 units_bytes((double)total[3]).text, units_bytes((double)total[1]).text);
	assert_served(&golden, total, words);
	golden_release(&golden);
}

/* --- several processes, of which one has ended --- */

static void record_two(struct scene *scene)
{
	struct child *ending = &scene->more[0];

	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_start(ending, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	target_ready(ending);
	session_start(&scene->second, scene,
		      (const char *const[]){"-R", "1", "--html", format("%s/page.html", scene->dir), "-p",
					    format("%d,%d", scene->target.pid, ending->pid), NULL});
	session_attached(&scene->second);
	target_go(&scene->target);
	target_go(ending);
	target_take_steps(&scene->target, "kkkkf");
	target_take_steps(ending, "kckkkk");
	close(ending->in);
	ending->in = -1;
	assert_int_equal(target_finish(ending), 0);
	session_signal(&scene->second, SIGINT);
	assert_int_equal(session_finish(&scene->second), 0);
}

static void test_golden_several_processes_have_one_set_of_numbers(void **state)
{
	static const uint64_t total[MEASURES] = {4 + 5 + 4096, (4 + 5) * BLOCK + (4 << 20), 3 + 5, (3 + 5) * BLOCK};
	struct golden golden;
	struct scene *scene = *state;
	char line[128], words[160];

	record_two(scene);
	golden_read(&golden, scene);
	snprintf(line, sizeof(line), "  in use     %10s in 1 process; 1 ended with %s", units_bytes(3 * BLOCK).text,
		 units_bytes(5 * BLOCK).text);
	assert_bytes(assert_line(&golden, "  in use "), line);
	assert_words(golden.report,
		     format("  in use     %10s = 3 000 B in 3 objects, exact\n", units_bytes(3 * BLOCK).text));
	assert_words(golden.report,
		     format("  at exit    %10s = 5 000 B in 5 objects, exact\n", units_bytes(5 * BLOCK).text));
	assert_int_equal(index_number(golden.index, "living.inuse_space"), 3 * BLOCK);
	assert_int_equal(index_number(golden.index, "ended.inuse_space"), 5 * BLOCK);
	assert_page_totals(golden.data, total);
	for (unsigned int m = 0; m < MEASURES; m++)
		assert_int_equal(pprof_sum(scene, scene->second.output, measures[m]), total[m]);
	snprintf(words, sizeof(words), "<p>%s</p>", line);
	assert_served(&golden, total, words);
	golden_release(&golden);
}

/* --- a process that runs --- */

/* Frames of `heaptap top --batch` are written to a file as long as the target lives. */
static void start_top(struct scene *scene)
{
	const char *const wrapper[] = {"/bin/sh", "-c", "exec \"$@\" >\"$0\"", format("%s/frames", scene->dir), NULL};

	scene->second.wrapper = wrapper;
	session_start_bare(&scene->second, (const char *const[]){"top", "--batch", "--delay", "0.1", "-R", "1", "-p",
								 format("%d", scene->target.pid), NULL});
	session_attached(&scene->second);
}

/* Until a frame of top has that line. */
static void await_frame(const struct scene *scene, const char *line)
{
	uint64_t deadline = deadline_ns();
	char *text;

	for (bool found = false; !found; free(text)) {
		text = printed(format("echo; cat '%s/frames'", scene->dir));
		found = strstr(text, format("\n%s\n", line));
		if (!found && now_ns() > deadline)
			fail_msg("no line \"%s\" in:\n%s", line, text);
		usleep(20000);
	}
}

/* Both have the same allocations from the first one on. */
static const char *start_both(struct scene *scene)
{
	const char *url;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	url = http_serve(scene, (const char *const[]){"serve", "-R", "1", "--listen", "127.0.0.1:0", "-p",
						      format("%d", scene->target.pid), NULL});
	start_top(scene);
	target_go(&scene->target);
	return url;
}

static void test_golden_a_running_process_has_one_set_of_numbers(void **state)
{
	static const uint64_t total[MEASURES] = {5 + 4096, 5 * BLOCK + (4 << 20), 4, 4 * BLOCK};
	struct scene *scene = *state;
	const char *url = start_both(scene);
	struct http_response response;
	char inuse[128], allocated[128];
	cJSON *data;

	snprintf(inuse, sizeof(inuse), "  in use     %10s = 4 000 B in 4 objects", units_bytes(4 * BLOCK).text);
	snprintf(allocated, sizeof(allocated), "  allocated  %10s = %s B in 4 101 objects",
		 units_bytes((double)total[1]).text, units_digits(total[1]).text);
	served_steps(scene, "kkkkkcf");
	http_fetch(scene, format("%s/page", url), &response);
	data = page_document(response.body);
	http_release(&response);
	page_document_assert_says(data, inuse);
	page_document_assert_says(data, allocated);
	assert_page_totals(data, total);
	cJSON_Delete(data);
	assert_pprof(scene, format("%s/debug/pprof/heap?gc=1", url), total);
	assert_pprof(scene, format("%s/pid/%d/debug/pprof/allocs?gc=1", url, scene->target.pid), total);
	assert_metrics(scene, url, total);
	served_assert(scene, url, 200, format("<p>  in use     %10s in 1 process</p>", units_bytes(4 * BLOCK).text));
	await_frame(scene, inuse);
	await_frame(scene, allocated);
	session_signal(&scene->second, SIGTERM);
	assert_int_equal(session_finish(&scene->second), 0);
	served_finish(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_golden_one_process_has_one_set_of_numbers),
		TEST(test_golden_several_processes_have_one_set_of_numbers),
		TEST(test_golden_a_running_process_has_one_set_of_numbers),
	};

	return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
