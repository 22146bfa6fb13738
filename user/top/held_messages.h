/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * While a screen is shown, what is written to standard error is held in memory, and comes out when the screen has gone. Writing never
 * waits, and never fails: COMMAND may do it, too. Where it is very much, only the beginning and the end are held.
 */
#include <stdbool.h>
#include <stddef.h>

struct held_messages {
	int file;     /* -1: nothing is held */
	int original; /* standard error, as it was */
	long shown;   /* bytes that held_messages_last has seen */
	long resumed; /* where the end begins; what is between the beginning and it was given up */
	char gap[80]; /* a line that says so; "" if nothing was */
};

#define HELD_MESSAGES_FIRST (64L << 10) /* bytes of the beginning */
#define HELD_MESSAGES_LAST  (64L << 10) /* at least, of the end */
#define HELD_MESSAGES_MOST  (1L << 20)	/* of the end, and what comes until the next held_messages_last */

/* Only where standard error is a terminal. Without memory for it, messages go on to come out at once. */
void held_messages_take(struct held_messages *held);

/* The last whole line that has come since the last call, without "heaptap: "; false: none has. Gives up what is too much. */
bool held_messages_last(struct held_messages *held, char *line, size_t size);

/* May be called by the handler of a signal, and again. */
void held_messages_release(struct held_messages *held);
