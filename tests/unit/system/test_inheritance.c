/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inheritance.c: heaptap's place among the victims of a want of memory is its own; COMMAND has the one that heaptap was given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/inheritance.h"

#define SURVIVING -998

static long read_score(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "re");
	long score = 5000;

	if (!file || fscanf(file, "%ld", &score) != 1)
		_exit(90);
	fclose(file);
	return score;
}

static int write_score(long score)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "we");

	return !file || fprintf(file, "%ld", score) < 0 || fclose(file) ? -1 : 0;
}

/* In a child of the test: the exit status says which step failed. */
static void in_child(void (*run)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* With a score that nothing but the test gives it, and as low as is allowed. */
static void survive_and_restore(void)
{
	long given = read_score() + 7, lowered = given;

	if (!write_score(SURVIVING))
		lowered = SURVIVING;
	if (write_score(given))
		_exit(91);
	inheritance_survive();
	if (read_score() != lowered)
		_exit(92);
	inheritance_restore();
	if (read_score() != given)
		_exit(93);
}

static void test_score_is_lowered_and_given_back(void **state)
{
	(void)state;
	in_child(survive_and_restore);
}

static void change_and_restore(void)
{
	long given = read_score() + 7;

	if (write_score(given))
		_exit(91);
	inheritance_change();
	if (read_score() != given)
		_exit(92);
	inheritance_restore();
	if (read_score() != given)
		_exit(93);
}

/* `report` and `doctor` are as likely a victim as any. */
static void test_score_stays_unless_asked_for(void **state)
{
	(void)state;
	in_child(change_and_restore);
}

/* Who may not lower it keeps what was given, and so does COMMAND. */
static void survive_without_the_right(void)
{
	long given = read_score() + 7;

	if (write_score(given) || setuid(65534))
		_exit(91);
	inheritance_survive();
	if (read_score() != given)
		_exit(92);
	inheritance_restore();
	if (read_score() != given)
		_exit(93);
}

static void test_score_stays_without_the_right(void **state)
{
	(void)state;
	if (!geteuid())
		in_child(survive_without_the_right);
	else
		in_child(survive_and_restore);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_score_is_lowered_and_given_back),
		cmocka_unit_test(test_score_stays_unless_asked_for),
		cmocka_unit_test(test_score_stays_without_the_right),
	};

	return cmocka_run_group_tests_name("inheritance", tests, NULL, NULL);
}
