/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c: levels, one clean line a message, errno, and a progress line that only a terminal sees. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "base/log.h"
#include "capture.h"

static int reset(void **state)
{
	(void)state;
	log_level(0);
	return 0;
}

static void say_all(void)
{
	log_error("e%d", 1);
	log_note("n%d", 2);
	log_detail("d%d", 3);
}

static void assert_said(int level, const char *expected)
{
	struct capture capture;

	log_level(level);
	capture_begin(&capture, stderr);
	say_all();
	assert_string_equal(capture_end(&capture), expected);
}

static void test_log_levels_choose_what_is_said(void **state)
{
	(void)state;
	assert_said(-1, "heaptap: e1\n");
	assert_said(0, "heaptap: e1\nheaptap: n2\n");
	assert_said(1, "heaptap: e1\nheaptap: n2\nheaptap: d3\n");
}

static void test_log_control_characters_are_defused(void **state)
{
	struct capture capture;

	(void)state;
	capture_begin(&capture, stderr);
	log_error("a\x1b[31mb\nc\rd\x7f"
		  "e\xc2\x9b"
		  "f\xc3\xa9"
		  "g\x9b"
		  "h\xc2");
	assert_string_equal(capture_end(&capture), "heaptap: a?[31mb?c?d?e??f\xc3\xa9"
						   "g?h?\n");
}

static void test_log_long_message_is_whole(void **state)
{
	struct capture capture;
	char path[5000];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	capture_begin(&capture, stderr);
	log_error("%s", path);
	assert_int_equal(strlen(capture_end(&capture)), strlen("heaptap: \n") + sizeof(path) - 1);
}

static void test_log_errno_is_kept(void **state)
{
	struct capture capture;

	(void)state;
	capture_begin(&capture, stderr);
	errno = ENOTTY;
	log_error("x");
	log_progress("y");
	log_progress(NULL);
	capture_end(&capture);
	assert_int_equal(errno, ENOTTY);
}

static void test_log_progress_without_a_terminal_is_silent(void **state)
{
	struct capture capture;

	(void)state;
	capture_begin(&capture, stderr);
	log_progress("half");
	log_progress(NULL);
	log_error("x");
	assert_string_equal(capture_end(&capture), "heaptap: x\n");
}

/* A pseudo terminal of `columns` in the place of stderr. */
struct terminal {
	int master, saved;
	char text[1024];
};

static void terminal_begin(struct terminal *terminal, unsigned short columns)
{
	struct winsize size = {.ws_row = 25, .ws_col = columns};
	int slave;

	terminal->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal->master >= 0);
	assert_int_equal(grantpt(terminal->master) | unlockpt(terminal->master), 0);
	slave = open(ptsname(terminal->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
	terminal->saved = dup(STDERR_FILENO);
	assert_true(dup2(slave, STDERR_FILENO) >= 0);
	close(slave);
}

/* What stderr got; the line discipline turns a newline into "\r\n". Without a writer left, reading ends in an error. */
static const char *terminal_end(struct terminal *terminal)
{
	size_t length = 0;
	ssize_t size;

	dup2(terminal->saved, STDERR_FILENO);
	close(terminal->saved);
	do {
		size = read(terminal->master, terminal->text + length, sizeof(terminal->text) - 1 - length);
		length += size > 0 ? (size_t)size : 0;
	} while (size > 0);
	close(terminal->master);
	terminal->text[length] = '\0';
	return terminal->text;
}

static void test_log_progress_shorter_line_covers_the_longer(void **state)
{
	struct terminal terminal;

	(void)state;
	terminal_begin(&terminal, 80);
	log_progress("%s", "12345");
	log_progress("%s", "123");
	log_progress("%s", "1234");
	log_progress(NULL);
	log_progress(NULL);
	assert_string_equal(terminal_end(&terminal), "\r12345\r123  \r1234\r\n");
}

static void test_log_progress_line_is_cut_before_the_last_column(void **state)
{
	struct terminal terminal;

	(void)state;
	terminal_begin(&terminal, 6);
	log_progress("%s", "1234567\x1b");
	log_progress(NULL);
	assert_string_equal(terminal_end(&terminal), "\r12345\r\n");
}

static void test_log_message_ends_the_progress_line_first(void **state)
{
	struct terminal terminal;

	(void)state;
	terminal_begin(&terminal, 80);
	log_progress("half");
	log_note("x");
	log_progress(NULL);
	assert_string_equal(terminal_end(&terminal), "\rhalf\r\nheaptap: x\r\n");
}

static void test_log_progress_quiet_is_silent_on_a_terminal(void **state)
{
	struct terminal terminal;

	(void)state;
	terminal_begin(&terminal, 80);
	log_level(-1);
	log_progress("half");
	log_error("x");
	assert_string_equal(terminal_end(&terminal), "heaptap: x\r\n");
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_log_levels_choose_what_is_said),
		TEST(test_log_control_characters_are_defused),
		TEST(test_log_long_message_is_whole),
		TEST(test_log_errno_is_kept),
		TEST(test_log_progress_without_a_terminal_is_silent),
		TEST(test_log_progress_shorter_line_covers_the_longer),
		TEST(test_log_progress_line_is_cut_before_the_last_column),
		TEST(test_log_message_ends_the_progress_line_first),
		TEST(test_log_progress_quiet_is_silent_on_a_terminal),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
