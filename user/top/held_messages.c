/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/held_messages.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TAIL 4096

static const struct held_messages nothing = {.file = -1, .original = -1, .resumed = HELD_MESSAGES_FIRST};

void held_messages_take(struct held_messages *held)
{
	*held = nothing;
	if (!isatty(STDERR_FILENO))
		return;
	held->file = memfd_create("heaptap-messages", MFD_CLOEXEC);
	held->original = held->file < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	/* Appending, since COMMAND may write there too. */
	if (held->original >= 0 && fcntl(held->file, F_SETFL, O_APPEND) >= 0 && dup2(held->file, STDERR_FILENO) >= 0)
		return;
	close(held->file);
	close(held->original);
	*held = nothing;
}

/* The file keeps its length, and gives back the memory of what is between the beginning and the end. */
static void give_up_middle(struct held_messages *held, off_t length)
{
	off_t from = held->resumed, until = (length - HELD_MESSAGES_LAST) / HELD_MESSAGES_FIRST * HELD_MESSAGES_FIRST;

	if (length - from <= HELD_MESSAGES_MOST ||
	    fallocate(held->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, until - from))
		return;
	snprintf(held->gap, sizeof(held->gap), "\nheaptap: %ld bytes of messages were left out here\n",
		 (long)(until - HELD_MESSAGES_FIRST));
	held->resumed = until;
}

bool held_messages_last(struct held_messages *held, char *line, size_t size)
{
	char tail[TAIL + 1], *end, *begin;
	off_t length = held->file < 0 ? 0 : lseek(held->file, 0, SEEK_END);
	ssize_t count;

	if (length <= held->shown)
		return false;
	count = pread(held->file, tail, TAIL, length > TAIL ? length - TAIL : 0);
	tail[count > 0 ? count : 0] = '\0';
	end = strrchr(tail, '\n');
	if (!end)
		return false;
	held->shown = length;
	give_up_middle(held, length);
	*end = '\0';
	begin = strrchr(tail, '\n');
	begin = begin ? begin + 1 : tail;
	begin += strncmp(begin, "heaptap: ", 9) ? 0 : 9;
	snprintf(line, size, "%s", begin);
	return true;
}

/* From `at` on, up to `until` bytes or the end. */
static void show(int file, off_t at, off_t until)
{
	char bytes[TAIL];
	ssize_t count;

	while (at < until && (count = pread(file, bytes, sizeof(bytes), at)) > 0) {
		if (write(STDERR_FILENO, bytes, (size_t)(count < until - at ? count : until - at)) < 0)
			break;
		at += count;
	}
}

void held_messages_release(struct held_messages *held)
{
	ssize_t written;

	if (held->file < 0)
		return;
	dup2(held->original, STDERR_FILENO);
	show(held->file, 0, HELD_MESSAGES_FIRST);
	if (*held->gap) {
		written = write(STDERR_FILENO, held->gap, strlen(held->gap));
		(void)written;
	}
	show(held->file, held->resumed, INT64_MAX);
	close(held->file);
	close(held->original);
	held->file = -1;
}
