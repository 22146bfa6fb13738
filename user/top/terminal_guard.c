/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/terminal_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_OTHER 3 /* descriptor that is none of the standard ones */

/* A byte: this has been done. The end: whoever was to do it is gone. */
static _Noreturn void wait_and_restore(int pipe, const struct termios *before, const char *restore, size_t size)
{
	sigset_t all;
	char byte;
	ssize_t count;

	/* In the background it may set the terminal only if SIGTTOU does not stop it; and Ctrl-C is not meant for it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setpgid(0, 0);
	dup2(pipe, FIRST_OTHER);
	close_range(FIRST_OTHER + 1, ~0U, 0);
	close(STDERR_FILENO);
	do
		count = read(FIRST_OTHER, &byte, 1);
	while (count < 0);
	if (!count) {
		tcsetattr(STDIN_FILENO, TCSANOW, before);
		count = write(STDOUT_FILENO, restore, size);
	}
	_exit(count < 0); /* nobody is left to be told */
}

void terminal_guard_start(struct terminal_guard *guard, const struct termios *before, const char *restore, size_t size)
{
	int ends[2];

	*guard = (struct terminal_guard){0};
	if (pipe2(ends, O_CLOEXEC))
		return;
	guard->pid = fork();
	if (!guard->pid)
		wait_and_restore(ends[0], before, restore, size);
	close(ends[0]);
	guard->pipe = ends[1];
	if (guard->pid > 0)
		return;
	close(ends[1]);
	guard->pid = 0;
}

void terminal_guard_dismiss(const struct terminal_guard *guard)
{
	ssize_t count = guard->pid ? write(guard->pipe, "", 1) : 0;

	(void)count;
}

void terminal_guard_stop(struct terminal_guard *guard)
{
	if (!guard->pid)
		return;
	terminal_guard_dismiss(guard);
	close(guard->pipe);
	waitpid(guard->pid, NULL, 0);
	guard->pid = 0;
}
