/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record --inline of several processes: those that run get the sampler, their forked children have it, and what executes another
 * program, or cannot have it, has probes. Each allocation is counted by one of the two.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/injected.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"

#define SEVERAL 9 /* more than have links of their own */

/* args: the options that name processes. */
static void start_recording(struct scene *scene, const char *const *args)
{
	const char *all[8 + 2 * SEVERAL] = {"-R", "4096", "--inline"};
	size_t count = 3;

	while (*args)
		all[count++] = *args++;
	session_start(&scene->session, scene, all);
	session_attached(&scene->session);
}

static cJSON *stop_recording(struct scene *scene, int status)
{
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), status);
	return session_index(&scene->session);
}

/* The images of a process that have samples, in the order of the index; how many there are. */
static unsigned int images_of(const cJSON *index, pid_t pid, const cJSON *ret_images[4])
{
	unsigned int count = 0;
	const cJSON *entry;

	cJSON_ArrayForEach (entry, cJSON_GetObjectItemCaseSensitive(index, "processes"))
		if ((pid_t)index_number(entry, "pid") == pid && index_number(entry, "ledger.sampled") > 0 && count < 4)
			ret_images[count++] = entry;
	return count;
}

static void assert_sampled_inside(const cJSON *image)
{
	ledger_assert_balanced(image);
	assert_int_equal(index_number(image, "ledger.inline"), index_number(image, "ledger.sampled"));
}

static void assert_probed(const cJSON *image)
{
	ledger_assert_balanced(image);
	assert_int_equal(index_number(image, "ledger.inline"), 0);
}

static void assert_all_inside(const cJSON *index, pid_t pid)
{
	const cJSON *images[4];

	assert_int_equal(images_of(index, pid, images), 1);
	assert_sampled_inside(images[0]);
}

static void test_inject_population_children(void **state)
{
	static const char *const words[] = {"1", "fork", "mallocs", NULL};
	struct scene *scene = *state;
	struct injected injected;
	pid_t parent, child;
	cJSON *index;

	injected_start(&injected, words);
	parent = injected.target.pid;
	start_recording(scene, (const char *const[]){"--follow", "-p", format("%d", parent), NULL});
	session_assert_said(&scene->session, "has the sampler");
	injected.page->release = 1;
	injected_await_held(&injected);
	child = child_of(parent);
	for (int i = 0; i < 5; i++)
		injected_check(&injected);
	index = stop_recording(scene, 0);
	assert_all_inside(index, parent);
	assert_all_inside(index, child);
	cJSON_Delete(index);
	assert_int_equal(code_changes(parent, "/libc.so.6"), 0);
	assert_int_equal(code_changes(child, "/libc.so.6"), 0);
	injected_check(&injected);
	injected_release(&injected);
}

/* `option`: for a process of its own, and for one of a population. */
static void execute_again(struct scene *scene, const char *option)
{
	static const char *const words[] = {"1", "again", "mallocs", NULL};
	const cJSON *images[4];
	struct injected injected;
	cJSON *index;
	pid_t pid;

	injected_start(&injected, words);
	pid = injected.target.pid;
	start_recording(scene, option ? (const char *const[]){"-p", format("%d", pid), option, NULL}
				      : (const char *const[]){"-p", format("%d", pid), NULL});
	session_assert_said(&scene->session, "has the sampler");
	injected_check(&injected);
	injected.page->release = 1;
	injected_await_held(&injected);
	session_await(&scene->session, "its allocations are seen from now on");
	for (int i = 0; i < 5; i++)
		injected_check(&injected);
	index = stop_recording(scene, 0);
	assert_int_equal(images_of(index, pid, images), 2);
	assert_sampled_inside(images[0]);
	/* By probes at first; what comes later is test_handover's. */
	ledger_assert_balanced(images[1]);
	assert_true(index_number(images[1], "ledger.files_late") > 0);
	cJSON_Delete(index);
	assert_int_equal(code_changes(pid, "/libc.so.6"), 0);
	injected_check(&injected);
	injected_release(&injected);
}

static void test_inject_population_exec(void **state)
{
	execute_again(*state, NULL);
	execute_again(*state, "--follow");
}

static void test_inject_population_with_one_that_cannot(void **state)
{
	static const char *const mallocs[] = {"2", "mallocs", NULL};
	static const char *const guarded[] = {"1", "guarded", "mallocs", NULL};
	struct injected can, cannot;
	struct scene *scene = *state;
	const cJSON *images[4];
	cJSON *index;

	injected_start(&can, mallocs);
	injected_start(&cannot, guarded);
	injected_await_held(&cannot);
	start_recording(scene, (const char *const[]){"--follow", "-p", format("%d", can.target.pid), "-p",
						     format("%d", cannot.target.pid), NULL});
	session_assert_said(&scene->session, "keeps probes, whose every hit traps: a seccomp filter");
	session_await(&scene->session, "they trap in those that have it too");
	for (int i = 0; i < 5; i++) {
		injected_check(&can);
		injected_check(&cannot);
	}
	index = stop_recording(scene, 0);
	assert_all_inside(index, can.target.pid);
	assert_int_equal(images_of(index, cannot.target.pid, images), 1);
	assert_probed(images[0]);
	cJSON_Delete(index);
	assert_int_equal(code_changes(can.target.pid, "/libc.so.6"), 0);
	injected_release(&can);
	injected_release(&cannot);
}

static void test_inject_population_several(void **state)
{
	static const char *const words[] = {"1", "mallocs", NULL};
	const char *args[2 * SEVERAL + 1] = {NULL};
	char pids[SEVERAL][16];
	struct injected injected[SEVERAL];
	struct scene *scene = *state;
	cJSON *index;

	for (int i = 0; i < SEVERAL; i++) {
		injected_start(&injected[i], words);
		snprintf(pids[i], sizeof(pids[i]), "%d", injected[i].target.pid);
		args[2 * i] = "-p";
		args[2 * i + 1] = pids[i];
	}
	start_recording(scene, args);
	for (int i = 0; i < SEVERAL; i++) {
		session_assert_said(&scene->session,
				    format("pid %d: '/usr/lib/x86_64-linux-gnu/libc.so.6' has the sampler",
					   injected[i].target.pid));
		injected_check(&injected[i]);
	}
	index = stop_recording(scene, 0);
	for (int i = 0; i < SEVERAL; i++) {
		assert_all_inside(index, injected[i].target.pid);
		assert_int_equal(code_changes(injected[i].target.pid, "/libc.so.6"), 0);
		injected_release(&injected[i]);
	}
	cJSON_Delete(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_inject_population_children, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_inject_population_exec, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_inject_population_with_one_that_cannot, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(test_inject_population_several, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests_name("inject_population", tests, NULL, NULL);
}
