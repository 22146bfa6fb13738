/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a terminal is told so that it leaves the screen of a program. A file of its own, since <term.h> takes common words for itself. */
#include <stdbool.h>
#include <stddef.h>

#define TERMINAL_LEAVING_SIZE 256

/* Is the terminal that TERM names known? It is ncurses' current one then. */
bool terminal_is_known(void);

/*
 * Plain letters, a visible cursor, no application's keys, the screen from before: as ncurses' current terminal is told. The number
 * of bytes.
 */
size_t terminal_leaving(char bytes[TERMINAL_LEAVING_SIZE]);
