/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `heaptap top` in a real terminal: sorting, filtering, going down and back, resizing, ending; whatever ends it, the terminal is as
 * before.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/watch.h"

/* The first row of the table is of that process. */
static void await_first(const struct child *target)
{
	screen_await(&screen, "name\n");
	for (uint64_t deadline = deadline_ns();;) {
		char *text = screen_text(&screen), *row = strstr(text, "name\n");
		char *end = row ? strchr(row + 5, '\n') : NULL;
		bool found = end && memmem(row, (size_t)(end - row), format(" %d ", target->pid),
					   strlen(format(" %d ", target->pid)));

		if (!found && now_ns() > deadline)
			fail_msg("%d is not first in:\n%s", target->pid, text);
		free(text);
		if (found)
			return;
	}
}

/* heaptap on both targets, of which the first keeps three blocks of 1000 bytes and the second one. */
static void watch_two(struct scene *scene)
{
	watch_start_target(&scene->target);
	watch_start_target(&scene->more[0]);
	screen_open(&screen, scene, "UTF-8", 100, 24);
	screen_run(&screen, format("top --delay 0.1 -R 1 -p %d,%d", scene->target.pid, scene->more[0].pid));
	screen_await(&screen, "in 2 processes");
	target_take_steps(&scene->target, "kkk");
	target_take_steps(&scene->more[0], "k");
	screen_await(&screen, "2.9 KiB exact");
	screen_await(&screen, "1000 B exact");
	screen_press(&screen, "u"); /* else resident memory has a say in the order */
	await_first(&scene->target);
}

static void test_top_goes_down_to_a_stack_and_back(void **state)
{
	struct scene *scene = *state;

	watch_two(scene);
	screen_press(&screen, "Enter");
	screen_await(&screen, "2.9 KiB = 3 000 B in 3 objects");
	screen_await(&screen, "keep  target_steps.c:");
	screen_press(&screen, "Enter");
	screen_await(&screen, "stack of its heaviest sample");
	screen_await(&screen, "    > keep  ");
	target_take_steps(&scene->target, "fff");
	screen_press(&screen, "Escape");
	screen_await(&screen, "0 B = 0 B in 0 objects");
	screen_press(&screen, "Escape");
	screen_await(&screen, "in 2 processes");
	screen_press(&screen, "h");
	screen_await(&screen, "undo the filter, then go back");
	screen_press(&screen, "h");
	screen_await_gone(&screen, "undo the filter, then go back");
	screen_press(&screen, "q");
	screen_await(&screen, "removing the probes from 2 processes");
	screen_await_restored(&screen, 0);
}

static void test_top_sorts_filters_and_compares_with_a_baseline(void **state)
{
	struct scene *scene = *state;
	const struct child *first = &scene->target, *second = &scene->more[0];

	watch_two(scene);
	screen_press(&screen, "u");
	await_first(second);
	screen_press(&screen, "p");
	await_first(first->pid < second->pid ? first : second);
	screen_press(&screen, "'<' '<' '<' '<' '<' '<' '<' '<' '<'");
	screen_await(&screen, "what grows first");
	screen_press(&screen, "'>'");
	screen_await(&screen, "order      by in use");
	screen_press(&screen, "b");
	screen_await(&screen, "change in");
	target_take_steps(second, "kk");
	screen_await(&screen, "+2.0 KiB");
	watch_quit();
}

/* A row that a filter hides. */
static void test_top_filters(void **state)
{
	struct scene *scene = *state;

	watch_two(scene);
	screen_press(&screen, "/");
	screen_press(&screen, format("-l %d", scene->more[0].pid));
	screen_await(&screen, format("filter '%d' hides 1", scene->more[0].pid));
	screen_await_gone(&screen, format(" %d target_steps", scene->target.pid));
	screen_press(&screen, "Enter Escape");
	screen_await(&screen, format(" %d target_steps", scene->target.pid));
	watch_quit();
}

static void test_top_writes_a_profile(void **state)
{
	struct scene *scene = *state;

	watch_two(scene);
	screen_press(&screen, "d");
	screen_await(&screen, format("wrote %d.target_steps-", scene->target.pid));
	watch_quit();
	screen_type_line(&screen, format("clear; '%s' report %d.target_steps-*.pb.gz | head -n 5", heaptap_path(),
					 scene->target.pid));
	screen_await(&screen, "= 3 000 B in 3 objects");
}

static void test_top_is_resized(void **state)
{
	watch_two(*state);
	screen_resize(&screen, 40, 10);
	screen_await(&screen, "h help");
	screen_await_gone(&screen, "alloc/s");
	screen_await(&screen, "1000 B");
	screen_resize(&screen, 130, 30);
	screen_await(&screen, "d write  Space pause");
	screen_await(&screen, "samples");
	watch_quit();
}

/* --- the end --- */

static void test_top_outlives_its_target(void **state)
{
	struct scene *scene = *state;

	screen_open(&screen, scene, "UTF-8", 80, 24);
	watch_target(scene);
	kill(scene->target.pid, SIGKILL);
	screen_await(&screen, "ended: killed by signal 9");
	watch_quit();
}

static void end_by(struct scene *scene, int signal, int status)
{
	watch_two(scene);
	kill(screen_heaptap(&screen), signal);
	screen_await_restored(&screen, status);
	screen_close(&screen);
}

static void test_top_restores_the_terminal_after_a_signal_that_stops(void **state)
{
	end_by(*state, SIGTERM, 0);
}

static void test_top_restores_the_terminal_after_ctrl_c(void **state)
{
	watch_two(*state);
	screen_press(&screen, "C-z"); /* does nothing */
	screen_press(&screen, "C-c");
	screen_await_restored(&screen, 0);
}

/* It is not harmed: heaptap says that it waits for it, and has its status. */
static void test_top_leaves_a_command_running(void **state)
{
	struct scene *scene = *state;
	const char *fifo = format("%s/fifo", scene->dir);
	int end;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	screen_open(&screen, scene, "UTF-8", 100, 24);
	screen_run(&screen, "top --delay 0.1 -- grep x fifo");
	screen_await(&screen, "Enter stack");
	screen_press(&screen, "q");
	screen_await(&screen, "goes on without being traced; waiting for its end");
	end = open(fifo, O_WRONLY | O_CLOEXEC);
	assert_true(end >= 0);
	close(end);
	screen_await_restored(&screen, 1);
}

static void test_top_restores_the_terminal_after_a_crash(void **state)
{
	end_by(*state, SIGSEGV, 128 + SIGSEGV);
}

static void test_top_restores_the_terminal_after_being_killed(void **state)
{
	end_by(*state, SIGKILL, 128 + SIGKILL);
}

/* While it is stopped the ring fills, and the terminal stops programs in the background that set its modes. */
static void test_top_does_not_begin_in_the_background(void **state)
{
	struct scene *scene = *state;

	watch_start_target(&scene->target);
	screen_open(&screen, scene, "UTF-8", 200, 24);
	screen_run(&screen, format("top -p %d & wait \\$!", scene->target.pid));
	screen_await(&screen, "heaptap is in the background");
	screen_await_restored(&screen, 2);
}

/* --- the machine, and other terminals --- */

/* Enter alone is a no. */
static void test_top_asks_before_it_traces_the_machine(void **state)
{
	static const char *const answers[] = {"n Enter", "Enter"};

	screen_open(&screen, *state, "UTF-8", 80, 24);
	for (int i = 0; i < 2; i++) {
		screen_run(&screen, "top");
		screen_await(&screen, "Trace them all? [y/N]");
		screen_press(&screen, answers[i]);
		screen_await(&screen, "nothing was traced: name a target");
		screen_await_restored(&screen, 2);
		screen_type_line(&screen, "clear");
		screen_await_gone(&screen, "nothing was traced");
	}
}

static void test_top_traces_the_machine_once_that_is_agreed(void **state)
{
	screen_open(&screen, *state, "UTF-8", 100, 24);
	screen_run(&screen, "top --delay 0.1");
	screen_await(&screen, "Trace them all? [y/N]");
	screen_press(&screen, "y Enter");
	screen_await(&screen, "every process of this machine, ");
	watch_quit();
	/* A question would be waiting for its answer. */
	screen_run(&screen, "top --yes --delay 0.1");
	screen_await(&screen, "every process of this machine, ");
	watch_quit();
}

/* Characters beyond ASCII are not shown where the locale has none. */
static void test_top_in_ascii(void **state)
{
	struct scene *scene = *state;
	const char *const args[] = {"-R", "32K", "--", beside("target_lifetimes"), "leak", "0", NULL};
	char *text;

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	screen_open(&screen, scene, "", 80, 24);
	screen_run(&screen, format("top '%s'", scene->session.output));
	screen_await(&screen, "leak  target_lifetimes.c");
	screen_press(&screen, "Enter");
	screen_await(&screen, "share of its objects that live so long");
	text = screen_text(&screen);
	for (const char *at = text; *at; at++)
		assert_true((unsigned char)*at < 0x80);
	free(text);
	watch_quit();
}

static void test_top_has_colours_unless_they_are_unwanted(void **state)
{
	struct scene *scene = *state;
	const char *const args[] = {"-R", "32K", "--", beside("target_lifetimes"), "leak", "0", NULL};

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	screen_open(&screen, scene, "UTF-8", 80, 24);
	for (int round = 0; round < 2; round++) {
		screen_run(&screen, format("top '%s'", scene->session.output));
		screen_await(&screen, "leak  target_lifetimes.c");
		screen_press(&screen, "Enter");
		screen_await(&screen, "share of its objects that live so long");
		assert_int_equal(screen_is_coloured(&screen), round == 0);
		watch_quit();
		screen_type_line(&screen, "export NO_COLOR=1");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, watch_setup, watch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_top_goes_down_to_a_stack_and_back),
		TEST(test_top_sorts_filters_and_compares_with_a_baseline),
		TEST(test_top_filters),
		TEST(test_top_writes_a_profile),
		TEST(test_top_is_resized),
		TEST(test_top_outlives_its_target),
		TEST(test_top_restores_the_terminal_after_a_signal_that_stops),
		TEST(test_top_restores_the_terminal_after_ctrl_c),
		TEST(test_top_leaves_a_command_running),
		TEST(test_top_restores_the_terminal_after_a_crash),
		TEST(test_top_does_not_begin_in_the_background),
		TEST(test_top_restores_the_terminal_after_being_killed),
		TEST(test_top_asks_before_it_traces_the_machine),
		TEST(test_top_traces_the_machine_once_that_is_agreed),
		TEST(test_top_in_ascii),
		TEST(test_top_has_colours_unless_they_are_unwanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
