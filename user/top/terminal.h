/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The terminal, by ncurses: shows frames, gives keys, and is as it was before, however the program ends: after terminal_close; after
 * a signal of a crash (SIGSEGV, SIGABRT ...), whose handler restores it first; after a SIGKILL, for which another process waits.
 * Ctrl-Z does not stop heaptap meanwhile: what the target did until it goes on would be lost. After a SIGSTOP, and in the background,
 * the terminal is the shell's, until heaptap is in the foreground again.
 *
 * One thread uses it.
 */
#include "top/frame.h"

/* The characters that the user's locale has; sets the locale of characters. */
enum display_charset terminal_charset(void);

/*
 * Can there be a screen? 0; -ENOTTY: standard input or output is no terminal; -ENXIO: TERM names none that is known; -EBUSY: another
 * program has it, this one is in the background; or another negative errno.
 */
int terminal_check(void);

/* The same, and takes the screen. */
int terminal_open(void);
void terminal_close(void);

void terminal_size(unsigned int *ret_columns, u32 *ret_lines);
int terminal_change_fd(void); /* readable when the size has changed, or heaptap goes on after a stop: then take it */

/*
 * Take what has changed, and the terminal, if another program has had it: the next terminal_draw draws everything. False: heaptap is in
 * the background, where it must neither draw nor ask for keys; no event says when that ends.
 */
bool terminal_take(void);
void terminal_draw(const struct frame *frame);
void terminal_redraw(void); /* at the next terminal_draw everything, since another program may have written there */

/* A character or enum screen_key; 0: none has been pressed. Never waits. */
u32 terminal_key(void);

/* The last message since the last call; false: there was none. What is written to standard error comes out at the end. */
bool terminal_message(char *line, size_t size);
