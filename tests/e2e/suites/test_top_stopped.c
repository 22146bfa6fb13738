/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `heaptap top` in a shell that has jobs: stopped, in the background, and in the foreground again. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/watch.h"

/* Stopped, while it shows an object of the target. The shell writes where heaptap drew. */
static void stop_it(struct scene *scene)
{
	screen_open(&screen, scene, "UTF-8", 100, 24);
	screen_type_line(&screen, "exec bash --norc");
	watch_target(scene);
	kill(screen_heaptap(&screen), SIGSTOP);
	screen_await(&screen, format("status=%d.", 128 + SIGSTOP));
}

/* What the screen shows goes; then these words, which wait for heaptap's end. */
static void go_on(const char *words)
{
	screen_type_line(&screen,
			 format("clear; %s; echo sta''tus=\\$?.; modes | cmp modes - && echo same''modes", words));
}

static void test_top_draws_everything_after_a_stop(void **state)
{
	struct scene *scene = *state;

	stop_it(scene);
	go_on("fg");
	screen_await(&screen, "1000 B = 1 000 B in 1 object");
	screen_await(&screen, "h help");
	target_take_steps(&scene->target, "k");
	screen_await(&screen, "2.0 KiB = 2 000 B in 2 objects");
	watch_quit();
}

static void test_top_takes_the_size_that_it_has_after_a_stop(void **state)
{
	stop_it(*state);
	screen_resize(&screen, 40, 10);
	go_on("fg");
	screen_await(&screen, "h help");
	screen_await_gone(&screen, "verdict");
	screen_await(&screen, "1000 B");
	watch_quit();
}

/* It goes on to trace, and comes back without a signal: the shell sends none to a job that runs. */
static void test_top_in_the_background_comes_back(void **state)
{
	struct scene *scene = *state;

	stop_it(scene);
	screen_type_line(&screen, "clear; bg");
	screen_await(&screen, "&");
	target_take_steps(&scene->target, "k");
	go_on("fg");
	screen_await(&screen, "2.0 KiB = 2 000 B in 2 objects");
	watch_quit();
}

/* The terminal would stop it if it set its modes. */
static void test_top_ends_in_the_background(void **state)
{
	pid_t heaptap;

	stop_it(*state);
	heaptap = screen_heaptap(&screen);
	screen_type_line(&screen, "clear; bg");
	screen_await(&screen, "&");
	kill(heaptap, SIGTERM);
	go_on("wait");
	screen_await_restored(&screen, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, watch_setup, watch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_top_draws_everything_after_a_stop),
		TEST(test_top_takes_the_size_that_it_has_after_a_stop),
		TEST(test_top_in_the_background_comes_back),
		TEST(test_top_ends_in_the_background),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
