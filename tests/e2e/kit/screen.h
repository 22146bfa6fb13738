/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A terminal of a test's own, by tmux, with a shell in it: what is typed, what stands there. Functions fail the running test themselves. */
#include "session.h"

struct screen {
	struct scene *scene;
	char socket[PATH_MAX]; /* "": there is none */
};

/* A screen of that size, in a locale with that charset ("UTF-8", or "" for ASCII). Its files are in the scene's directory. */
void screen_open(struct screen *screen, struct scene *scene, const char *charset, unsigned int columns,
		 unsigned int lines);
void screen_close(struct screen *screen);

/* Type a line to the shell; keys as tmux names them, separated by blanks: "Down Enter", "Escape", "q". */
void screen_type_line(const struct screen *screen, const char *line);
void screen_press(const struct screen *screen, const char *keys);
void screen_resize(const struct screen *screen, unsigned int columns, unsigned int lines);

/* What it shows now; the caller frees it. Wait until these words are shown, or are not any more. */
char *screen_text(const struct screen *screen);
void screen_await(const struct screen *screen, const char *words);
void screen_await_gone(const struct screen *screen, const char *words);

/* A colour other than the terminal's own stands somewhere. */
bool screen_is_coloured(const struct screen *screen);

/* Run heaptap with these words: between them the terminal's modes are kept in a file, and its status is printed. */
void screen_run(const struct screen *screen, const char *words);

/* The only child of the terminal's shell. */
pid_t screen_heaptap(const struct screen *screen);

/* Wait until heaptap has ended with that status; the terminal must be as it was before it: modes, and not on another screen. */
void screen_await_restored(const struct screen *screen, int status);
