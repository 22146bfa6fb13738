/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `heaptap top` as text: what it shows of a target that does known steps is exact, and of a recording what `report` says. */
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

#include "e2e/kit/session.h"

static char *run_text(const struct scene *scene, const char *args, int status)
{
	char *text = NULL;
	size_t room = 0;
	FILE *out = popen(format("cd '%s' && LC_ALL=C.UTF-8 '%s' %s 2>&1 </dev/null", scene->dir, heaptap_path(), args),
			  "re");

	assert_non_null(out);
	if (getdelim(&text, &room, '\0', out) < 0)
		text = strdup("");
	assert_int_equal(child_exit_status(pclose(out)), status);
	return text;
}

static void assert_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("no \"%s\" in:\n%s", words, text);
}

static void assert_says(const struct scene *scene, const char *args, int status, const char *words)
{
	char *text = run_text(scene, args, status);

	assert_has(text, words);
	free(text);
}

static void test_top_without_a_terminal_says_what_to_do(void **state)
{
	assert_says(*state, "top -p 1", 2, "no terminal: 'heaptap top --batch' needs none");
	assert_says(*state, "top --batch", 2,
		    "no target, and no terminal to ask on whether the whole machine may be traced");
	assert_says(*state, "top -n 3 -p 1", 2, "'-n' goes with '--batch'");
	assert_says(*state, "top --batch 12345678", 2, "'12345678' follows no option");
	assert_says(*state, "top --batch -R 1 /", 2, "'-R' is about tracing, and '/' has been recorded");
	assert_says(*state, "top --batch /nonexistent", 4, "no such file or directory: '/nonexistent'");
}

/* Words with one blank between them. */
static void squeeze(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from != ' ' || (to > text && to[-1] != ' '))
			*to++ = *from;
	*to = '\0';
}

/* A row of report's tables: the words of a part of its columns. */
static const char *part(const char *row, int from, int to)
{
	char *copy = strndup(row + from, (size_t)(to - from));
	const char *kept;

	squeeze(copy);
	if (*copy && copy[strlen(copy) - 1] == ' ')
		copy[strlen(copy) - 1] = '\0';
	kept = format("%s", copy);
	free(copy);
	return kept;
}

/* The row that ends with the site after that title. */
static const char *row_of(const char *report, const char *title, const char *site)
{
	const char *table = strstr(report, title), *row = table ? strstr(table, site) : NULL;

	if (!row)
		fail_msg("no %s below %s in:\n%s", site, title, report);
	while (row[-1] != '\n')
		row--;
	return row;
}

/* Figures, errors, rates and verdicts of a recording are those that `report` prints, to the byte. */
static void test_top_of_a_recording_says_what_report_says(void **state)
{
	struct scene *scene = *state;
	const char *const args[] = {"-R", "32K", "--", beside("target_lifetimes"), "leak", "0", NULL};
	static const char *const sites[] = {"leak  target_lifetimes.c", "cache  target_lifetimes.c"};
	char *report, *top;

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	report = session_report(&scene->session, "");
	/* Wide enough for the whole path of this program, wherever it is kept. */
	setenv("COLUMNS", "400", 1);
	top = run_text(scene, format("top --batch -n 1 '%s'", scene->session.output), 0);
	unsetenv("COLUMNS");
	for (const char *line = report; strncmp(line, "  allocated", 11); line = strchr(line, '\n') + 1) {
		const char *whole = format("%.*s", (int)strcspn(line, "\n"), line);

		if (strncmp(whole, "  peak", 6) != 0 && !strstr(top, whole))
			fail_msg("no \"%s\" in:\n%s", whole, top);
	}
	squeeze(top);
	for (size_t i = 0; i < sizeof(sites) / sizeof(*sites); i++) {
		const char *live = row_of(report, "Sites by bytes in use", sites[i]);
		const char *life = row_of(report, "Lifetimes by site", sites[i]);
		/* "±" is two bytes. */
		const char *wanted =
			format(" %s %s %s %s %s %s ", part(live, 2, 25), part(life, 13, 23), part(life, 47, 57),
			       part(life, 38, 46), part(life, 58, 67), part(live, 33, 42));

		if (!strstr(top, wanted))
			fail_msg("no \"%s\" in:\n%s\nof:\n%s", wanted, top, report);
	}
	free(report);
	free(top);
}

/* Frames are printed as long as the target lives; the totals of known steps come in one. */
static void test_top_batch_of_a_target_is_exact(void **state)
{
	struct scene *scene = *state;
	const char *const wrapper[] = {"/bin/sh", "-c", "exec \"$@\" >\"$0\"", format("%s/frames", scene->dir), NULL};
	const char *args[] = {"top", "--batch", "--delay", "0.1", "-R", "1", "-p", NULL, NULL};
	uint64_t deadline = deadline_ns();
	char *text;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	target_go(&scene->target);
	args[7] = format("%d", scene->target.pid);
	scene->session.wrapper = wrapper;
	session_start_bare(&scene->session, args);
	session_attached(&scene->session);
	target_take_steps(&scene->target, "kkkkkcf");
	for (bool found = false; !found; free(text)) {
		text = run_text(scene, "--version; cat frames", 0);
		found = strstr(text, "= 4 000 B in 4 objects");
		if (!found && now_ns() > deadline)
			fail_msg("not exact:\n%s", text);
		usleep(20000);
	}
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* A target that keeps 1, 2, 4 blocks at three snapshots, and 8 at the end; beside it may be one that keeps 2, 1, 1 and 1. */
static char *top_of_snapshots(struct scene *scene, bool two)
{
	static const char *const steps[] = {"k", "k", "kk", "kkkk"};
	struct child *first = &scene->target, *second = &scene->more[0];

	target_start(first, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_start(second, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(first);
	target_ready(second);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p",
					    two ? format("%d,%d", first->pid, second->pid) : format("%d", first->pid),
					    NULL});
	session_attached(&scene->session);
	target_go(first);
	target_go(second);
	target_take_steps(second, "kk");
	for (unsigned int i = 0; i < 4; i++) {
		target_take_steps(first, steps[i]);
		session_signal(&scene->session, i < 3 ? SIGUSR1 : SIGINT);
		if (i < 3)
			session_await(&scene->session, format("profiles 000%u written", i + 1));
		if (i == 0)
			target_take_steps(second, "f");
	}
	assert_int_equal(session_finish(&scene->session), 0);
	return run_text(scene, format("top --batch '%s'", scene->session.output), 0);
}

static void test_top_batch_of_a_recording_draws_processes_at_its_snapshots(void **state)
{
	char *text = top_of_snapshots(*state, true);

	assert_has(text, " lately ");
	assert_has(text, " ▂▃▅█ ");
	assert_has(text, " █▅▅▅ ");
	free(text);
}

static void test_top_batch_of_a_recording_draws_sites_at_its_snapshots(void **state)
{
	char *text = top_of_snapshots(*state, false);

	assert_has(text, " lately ");
	assert_has(text, " ▂▃▅█ ");
	assert_has(text, " keep  target_steps.c:");
	free(text);
}

/* The first cell of the process's last row, in bytes; 0: there is none. Its second image is what it executed. */
static double row_bytes(const char *frames, int pid)
{
	static const struct {
		const char *unit;
		double bytes;
	} units[] = {{"B", 1}, {"KiB", 1024}, {"MiB", 1 << 20}};
	const char *name = format(" %d-2 target_steps", pid), *at = NULL;
	double number = 0;
	char unit[4] = "";

	for (const char *next = strstr(frames, name); next; next = strstr(next + 1, name))
		at = next;
	while (at && at > frames && at[-1] != '\n')
		at--;
	if (!at || sscanf(at, "%lf %3s", &number, unit) != 2)
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(unit, units[i].unit))
			return number * units[i].bytes;
	fail_msg("what is \"%s\"?", unit);
	return 0;
}

/*
 * 1000 blocks of 1000 bytes at one sample in 64 KiB: each is a sample with p = 1 - exp(-1000 / 65536), of 15 on average. There is none
 * with a probability of exp(-15.26) = 2.4e-7, and more than 45, which stand for 3 MB, with one below 1e-9 (Poisson).
 */
static void test_top_batch_of_the_machine_has_a_process_that_begins_later(void **state)
{
	struct scene *scene = *state;
	const char *const wrapper[] = {"/bin/sh", "-c", "exec \"$@\" >\"$0\"", format("%s/frames", scene->dir), NULL};
	uint64_t deadline = deadline_ns();
	double found = 0;
	char *text = NULL;

	scene->session.wrapper = wrapper;
	session_start_bare(&scene->session, (const char *const[]){"top", "--batch", "--yes", "--delay", "0.2", "-R",
								  "64K", "--rows", "100000", NULL});
	session_attached(&scene->session);
	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	target_go(&scene->target);
	for (int i = 0; i < 1000; i++)
		target_take_steps(&scene->target, "k");
	while (found == 0) {
		free(text);
		text = run_text(scene, "--version; cat frames", 0);
		found = row_bytes(text, scene->target.pid);
		if (found == 0 && now_ns() > deadline)
			fail_msg("no process %d in:\n%s", scene->target.pid, text);
		usleep(20000);
	}
	assert_non_null(strstr(text, "every process of this machine, "));
	free(text);
	assert_true(found < 3e6);
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_top_without_a_terminal_says_what_to_do),
		TEST(test_top_of_a_recording_says_what_report_says),
		TEST(test_top_batch_of_a_target_is_exact),
		TEST(test_top_batch_of_a_recording_draws_processes_at_its_snapshots),
		TEST(test_top_batch_of_a_recording_draws_sites_at_its_snapshots),
		TEST(test_top_batch_of_the_machine_has_a_process_that_begins_later),
	};

	return cmocka_run_group_tests_name("top_batch", tests, NULL, NULL);
}
