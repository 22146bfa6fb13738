/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tmux has no event for what is shown: it is looked at again and again, up to the deadline. */
#include "screen.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LOOK_US 20000

/* What `tmux ARGS` prints, for the caller to free; NULL: it failed. */
static char *tmux(const struct screen *screen, const char *args)
{
	char *command = NULL, *text = NULL;
	size_t room = 0;
	FILE *out;

	assert_true(asprintf(&command, "tmux -S '%s' %s", screen->socket, args) > 0);
	out = popen(command, "re");
	assert_non_null(out);
	if (getdelim(&text, &room, '\0', out) < 0) {
		free(text);
		text = strdup("");
	}
	if (pclose(out)) {
		free(text);
		text = NULL;
	}
	free(command);
	return text;
}

static void order(const struct screen *screen, const char *args)
{
	char *text = tmux(screen, args);

	if (!text)
		fail_msg("tmux %s failed", args);
	free(text);
}

void screen_open(struct screen *screen, struct scene *scene, const char *charset, unsigned int columns,
		 unsigned int lines)
{
	screen->scene = scene;
	snprintf(screen->socket, sizeof(screen->socket), "%.2000s/tmux", scene->dir);
	order(screen,
	      format("-f /dev/null start-server ';' set-option -g status off ';' new-session -d -x %u -y %u \"cd '%s' && exec env -u NO_COLOR LC_ALL=%s PS1='$ ' sh\"",
		     columns, lines, scene->dir, *charset ? "C.UTF-8" : "C"));
	screen_await(screen, "$");
}

void screen_close(struct screen *screen)
{
	char *pid = *screen->socket ? tmux(screen, "display-message -p '#{pid}'") : NULL;
	uint64_t deadline = deadline_ns();

	if (*screen->socket)
		free(tmux(screen, "kill-server"));
	/* The server ends after the client that asks it to. */
	while (pid && !kill((pid_t)strtol(pid, NULL, 10), 0) && now_ns() < deadline)
		usleep(LOOK_US);
	free(pid);
	*screen->socket = '\0';
}

void screen_type_line(const struct screen *screen, const char *line)
{
	order(screen, format("send-keys -l \"%s\"", line));
	screen_press(screen, "Enter");
}

void screen_press(const struct screen *screen, const char *keys)
{
	order(screen, format("send-keys %s", keys));
}

void screen_resize(const struct screen *screen, unsigned int columns, unsigned int lines)
{
	order(screen, format("resize-window -x %u -y %u", columns, lines));
}

char *screen_text(const struct screen *screen)
{
	char *text = tmux(screen, "capture-pane -p");

	assert_non_null(text);
	return text;
}

static void await(const struct screen *screen, const char *words, bool wanted)
{
	uint64_t deadline = deadline_ns();
	char *text = screen_text(screen);

	while (!strstr(text, words) == wanted) {
		if (now_ns() > deadline)
			fail_msg("\"%s\" is %s on the screen:\n%s", words, wanted ? "not" : "still", text);
		free(text);
		usleep(LOOK_US);
		text = screen_text(screen);
	}
	free(text);
}

void screen_await(const struct screen *screen, const char *words)
{
	await(screen, words, true);
}

void screen_await_gone(const struct screen *screen, const char *words)
{
	await(screen, words, false);
}

/* tmux writes a colour in a sequence that begins with 3 or 4 and a second digit, or with 9; 39 and 49 are the terminal's own. */
bool screen_is_coloured(const struct screen *screen)
{
	char *text = tmux(screen, "capture-pane -e -p");
	bool coloured = false;

	assert_non_null(text);
	for (const char *at = text; !coloured && (at = strstr(at, "\033[")); at++)
		coloured = at[2] && strchr("349", at[2]) && at[3] >= '0' && at[3] <= '8';
	free(text);
	return coloured;
}

void screen_run(const struct screen *screen, const char *words)
{
	/* The typed line must not have the words in it that are waited for. A test may change the size. */
	screen_type_line(screen,
			 format("modes() { stty -a | sed 's/rows.*columns [0-9]*;//'; }; clear; modes >modes; '%s' %s; "
				"echo sta''tus=\\$?.; modes | cmp modes - && echo same''modes",
				heaptap_path(), words));
}

pid_t screen_heaptap(const struct screen *screen)
{
	char *shell = tmux(screen, "display-message -p '#{pane_pid}'");
	pid_t pid;

	assert_non_null(shell);
	pid = child_of((pid_t)strtol(shell, NULL, 10));
	free(shell);
	return pid;
}

void screen_await_restored(const struct screen *screen, int status)
{
	char *on;

	screen_await(screen, format("status=%d.", status));
	screen_await(screen, "samemodes");
	on = tmux(screen, "display-message -p '#{alternate_on}#{cursor_flag}'");
	assert_non_null(on);
	assert_string_equal(on, "01\n");
	free(on);
}
