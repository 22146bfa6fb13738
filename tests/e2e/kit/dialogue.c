/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines through two FIFOs. */
#include "dialogue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* For reading and writing, so that neither end waits for the other, and a target that restarts finds its commands. */
static int fifo(const char *path)
{
	int fd;

	if (mkfifo(path, 0666) && errno != EEXIST)
		fail_msg("%s: %s", path, strerror(errno));
	chmod(path, 0666);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

void dialogue_open(struct dialogue *dialogue, const char *dir)
{
	if (mkdir(dir, 0755) && errno != EEXIST)
		fail_msg("%s: %s", dir, strerror(errno));
	dialogue->in = fifo(format("%s/in", dir));
	dialogue->out = fifo(format("%s/out", dir));
}

void dialogue_close(struct dialogue *dialogue)
{
	close(dialogue->in);
	close(dialogue->out);
}

void dialogue_say(const struct dialogue *dialogue, const char *line)
{
	const char *words = format("%s\n", line);
	ssize_t length = (ssize_t)strlen(words);

	if (write(dialogue->in, words, (size_t)length) != length)
		fail_msg("cannot say \"%s\": %s", line, strerror(errno));
}

const char *dialogue_hear(const struct dialogue *dialogue)
{
	struct pollfd poll_fd = {.fd = dialogue->out, .events = POLLIN};
	static char line[256];
	size_t length = 0;

	do {
		if (poll(&poll_fd, 1, DEADLINE_MS) != 1 || read(dialogue->out, &line[length], 1) != 1)
			fail_msg("the target does not answer");
	} while (line[length++] != '\n' && length < sizeof(line));
	line[length - 1] = '\0';
	return line;
}

const char *dialogue_ask(const struct dialogue *dialogue, const char *line)
{
	dialogue_say(dialogue, line);
	return dialogue_hear(dialogue);
}

void dialogue_order(const struct dialogue *dialogue, const char *order)
{
	assert_string_equal(dialogue_ask(dialogue, order), "done");
}

double dialogue_pair_ns(const struct dialogue *dialogue)
{
	double ns = strtod(dialogue_ask(dialogue, "?"), NULL);

	assert_true(ns > 0);
	return ns;
}
