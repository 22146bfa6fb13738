/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code is injected into programs that check themselves all the time, by a child of the test, which is killed: at every point at which
 * heaptap may be, and at other moments. The programs do not notice, and what was left in them can be taken out. With
 * HEAPTAP_MOMENTS=500 (make stress) there are so many of the latter.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/injected.h"
#include "system/interruption.h"

static void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static unsigned int *points, last_point;

static void count_point(void)
{
	if (++*points == last_point)
		kill(getpid(), SIGKILL);
}

/* Injects and undoes, and counts the points it passes; killed at one of them. False: it came to its end. */
static bool inject_until(struct injected *injected, unsigned int point)
{
	pid_t child;
	int status;

	*points = 0;
	last_point = point;
	child = fork();
	if (!child) {
		int err;

		interruption_hook = count_point;
		err = injected_map(injected, INJECTED_TRIES);
		err = err ? err : injected_patch(injected, INJECTED_TRIES);
		_exit(-(err ? err : injected_undo(injected, INJECTED_TRIES)));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		fail_msg("injecting: %s", strerror(WEXITSTATUS(status)));
	return WIFSIGNALED(status);
}

/* What it left behind is taken out by the next one. */
static void clear_up(struct injected *injected, const u8 original[INJECTION_CODE_MAX])
{
	u8 bytes[INJECTION_CODE_MAX];

	injected_check(injected);
	if (injected->patch.address) {
		assert_int_equal(injected_undo(injected, INJECTED_TRIES), 0);
		injected_check(injected);
	}
	injected_function_bytes(injected, bytes);
	assert_memory_equal(bytes, original, sizeof(bytes));
	injected->patch.address = 0;
}

static void test_injection_killed(void **state)
{
	u8 original[INJECTION_CODE_MAX];

	(void)state;
	for (size_t i = 0; i < INJECTED_KINDS; i++) {
		struct injected *injected = shared_memory(sizeof(*injected));
		unsigned int point = 1;

		injected_start(injected, injected_kinds[i]);
		injected_function_bytes(injected, original);
		for (; inject_until(injected, point); point++)
			clear_up(injected, original);
		printf("%s, ...: killed %u times\n", injected_kinds[i][1], point - 1);
		injected_release(injected);
	}
}

static void inject_for_ever(struct injected *injected)
{
	if (injected_map(injected, INJECTED_TRIES))
		_exit(1);
	for (;;)
		if (injected_patch(injected, INJECTED_TRIES) || injected_undo(injected, INJECTED_TRIES))
			_exit(1);
}

static int moments(void)
{
	const char *text = getenv("HEAPTAP_MOMENTS");

	return text ? atoi(text) : 40;
}

/* The moments differ from run to run, what must hold does not. */
static void test_injection_killed_at_some_moment(void **state)
{
	struct injected *injected = shared_memory(sizeof(*injected));
	u8 original[INJECTION_CODE_MAX];
	unsigned int random = 1;

	(void)state;
	injected_start(injected, injected_kinds[6]);
	injected_function_bytes(injected, original);
	for (int i = moments(); i > 0; i--) {
		pid_t child = fork();
		int status;

		if (!child)
			inject_for_ever(injected);
		random = random * 1664525 + 1013904223;
		usleep(1000 + random % 20000);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		clear_up(injected, original);
	}
	injected_release(injected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_injection_killed),
		cmocka_unit_test(test_injection_killed_at_some_moment),
	};

	points = shared_memory(sizeof(*points));
	return cmocka_run_group_tests_name("injection_killed", tests, NULL, NULL);
}
