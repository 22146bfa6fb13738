/* SPDX-License-Identifier: GPL-2.0-or-later */
/* held_messages.c, with a terminal of its own as standard error. */
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "top/held_messages.h"

#define LINE_BYTES 100 /* with its end */
#define LINES	   200000U
#define ROOM	   (8 << 20)

static int terminal, standard_error;
static char *came;
static size_t came_size;
static pthread_t reader;

/* Until the terminal's other end is closed. */
static void *read_terminal(void *arg)
{
	ssize_t count;

	(void)arg;
	while (came_size < ROOM && (count = read(terminal, came + came_size, ROOM - came_size)) > 0)
		came_size += (size_t)count;
	return NULL;
}

static int setup(void **state)
{
	struct termios raw = {0};
	int end;

	(void)state;
	cfmakeraw(&raw);
	if (openpty(&terminal, &end, NULL, &raw, NULL)) {
		print_message("no terminal can be made: is /dev/pts mounted?\n");
		return -1;
	}
	came = calloc(1, ROOM + 1);
	came_size = 0;
	standard_error = dup(STDERR_FILENO);
	dup2(end, STDERR_FILENO);
	close(end);
	return pthread_create(&reader, NULL, read_terminal, NULL);
}

/* What came to the terminal. */
static void end_terminal(void)
{
	dup2(standard_error, STDERR_FILENO);
	pthread_join(reader, NULL);
}

static int teardown(void **state)
{
	(void)state;
	close(standard_error);
	close(terminal);
	free(came);
	return 0;
}

static void write_line(unsigned int number)
{
	char line[LINE_BYTES + 1];

	snprintf(line, sizeof(line), "%-*u\n", LINE_BYTES - 1, number);
	assert_int_equal(write(STDERR_FILENO, line, LINE_BYTES), LINE_BYTES);
}

static void test_held_messages_come_when_the_screen_has_gone(void **state)
{
	struct held_messages held;
	char line[80];

	(void)state;
	held_messages_take(&held);
	assert_false(held_messages_last(&held, line, sizeof(line)));
	assert_int_equal(write(STDERR_FILENO, "heaptap: one\nheaptap: two\n", 26), 26);
	assert_true(held_messages_last(&held, line, sizeof(line)));
	assert_string_equal(line, "two");
	assert_false(held_messages_last(&held, line, sizeof(line)));
	held_messages_release(&held);
	end_terminal();
	assert_string_equal(came, "heaptap: one\nheaptap: two\n");
}

/* 20 MB, looked at now and then: two are held at most. The beginning and the end come, and how much does not. */
static void test_held_messages_of_a_flood_are_bounded(void **state)
{
	struct held_messages held;
	unsigned long left_out;
	struct stat status;
	char line[200], *gap, *last;

	(void)state;
	held_messages_take(&held);
	for (unsigned int i = 0; i < LINES; i++) {
		write_line(i);
		if (i % 5000)
			continue;
		assert_true(held_messages_last(&held, line, sizeof(line)));
		assert_int_equal(fstat(held.file, &status), 0);
		assert_true(status.st_blocks * 512 < 2 << 20);
	}
	held_messages_release(&held);
	end_terminal();
	gap = strstr(came, "\nheaptap: ");
	assert_non_null(gap);
	assert_int_equal(gap - came, HELD_MESSAGES_FIRST);
	left_out = strtoul(gap + strlen("\nheaptap: "), &last, 10);
	assert_int_equal(strncmp(last, " bytes of messages were left out here\n", 38), 0);
	assert_int_equal(came_size - (size_t)(last + 38 - gap) + left_out, LINES * LINE_BYTES);
	snprintf(line, sizeof(line), "%-*u\n", LINE_BYTES - 1, LINES - 1);
	assert_memory_equal(came + came_size - LINE_BYTES, line, LINE_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_held_messages_come_when_the_screen_has_gone),
		TEST(test_held_messages_of_a_flood_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
