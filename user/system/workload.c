/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between fork and exec the child makes system calls only. */
#include "system/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "system/file_copies.h"
#include "system/first_steps.h"
#include "system/inheritance.h"

extern char **environ;

static int executable(const char *path)
{
	struct stat stat_buffer;

	if (stat(path, &stat_buffer))
		return -errno;
	if (!S_ISREG(stat_buffer.st_mode) || access(path, X_OK))
		return -EACCES;
	return 0;
}

/* A directory in PATH has no such file: look further. */
static bool is_absent(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ESTALE;
}

/* As execvp does it: the first executable file; else -EACCES if there was a file that may not be executed. */
static int search(const char *name, const char *list, char **ret_path)
{
	int result = -ENOENT;

	for (;;) {
		size_t length = strcspn(list, ":");
		char path[PATH_MAX];
		int err;

		/* An empty entry, at the end too, is the current directory. */
		text_path(path, "%.*s/%s", length ? (int)length : 1, length ? list : ".", name);
		err = executable(path);
		if (!err) {
			*ret_path = strdup(path);
			return *ret_path ? 0 : -ENOMEM;
		}
		if (err == -EACCES)
			result = err;
		else if (!is_absent(err))
			return err;
		if (!list[length])
			return result;
		list += length + 1;
	}
}

int workload_find(const char *name, char **ret_path)
{
	const char *list = getenv("PATH");
	int err;

	if (!strchr(name, '/'))
		return *name ? search(name, list ? list : "/usr/local/bin:/usr/bin:/bin", ret_path) : -ENOENT;
	err = executable(name);
	if (err)
		return err;
	*ret_path = strdup(name);
	return *ret_path ? 0 : -ENOMEM;
}

/* The copies come first, so that the parent sets nothing up for a child that cannot have them. */
static void enter(const struct file_copies *copies, int verdict)
{
	int err = -file_copies_enter(copies);

	if (write(verdict, &err, sizeof(err)) != sizeof(err) || err)
		_exit(125);
}

static _Noreturn void run_child(char *const *argv, const char *path, const sigset_t *mask, int gate, int verdict)
{
	int count = 0, err;
	char go = 0;

	while (argv[count])
		count++;
	char *shell[count + 2];

	while (read(gate, &go, 1) < 0 && errno == EINTR)
		;
	if (go != 'g')
		_exit(125);
	sigprocmask(SIG_SETMASK, mask, NULL);
	inheritance_restore();
	execve(path, argv, environ);
	err = errno;
	/* The shell runs a script without a #! line, as with execvp. */
	if (err == ENOEXEC) {
		shell[0] = (char *)"sh";
		shell[1] = (char *)path;
		memcpy(shell + 2, argv + 1, (size_t)count * sizeof(*argv));
		execve("/bin/sh", shell, environ);
	}
	if (write(verdict, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(126);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* The errno that the child writes; 0 when it closes the pipe without writing one. */
static int hear(int verdict, int *ret_err)
{
	ssize_t length;

	*ret_err = 0;
	do
		length = read(verdict, ret_err, sizeof(*ret_err));
	while (length < 0 && errno == EINTR);
	return length == sizeof(*ret_err) ? 0 : -EPIPE;
}

/* 0, or negative errno with the child reaped. */
static int await_entry(const struct workload *workload)
{
	int err, silent = hear(workload->verdict, &err);

	if (!silent && !err)
		return 0;
	reap(workload->pid);
	return silent ? silent : -err;
}

static void close_both(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

int workload_start(char *const *argv, char *path, const sigset_t *mask, const struct file_copies *copies,
		   struct workload *ret_workload)
{
	int gate[2], verdict[2], err = 0;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	if (pipe2(verdict, O_CLOEXEC)) {
		err = -errno;
		close_both(gate);
		return err;
	}
	*ret_workload = (struct workload){.pid = fork(), .gate = gate[1], .verdict = verdict[0], .path = path};
	if (ret_workload->pid < 0) {
		err = -errno;
		close_both(gate);
		close_both(verdict);
		return err;
	}
	if (!ret_workload->pid) {
		close(gate[1]);
		if (copies)
			enter(copies, verdict[1]);
		run_child(argv, path, mask, gate[0], verdict[1]);
	}
	close(gate[0]);
	close(verdict[1]);
	if (copies)
		err = await_entry(ret_workload);
	if (err) {
		close(gate[1]);
		close(verdict[0]);
	}
	return err;
}

int workload_release(struct workload *workload, const struct first_steps *steps)
{
	bool watched = steps && !first_steps_watch(workload->pid);
	int err = 0;

	if (write(workload->gate, "g", 1) != 1)
		err = errno;
	close(workload->gate);
	if (watched)
		first_steps_follow(workload->pid, steps);
	if (!err)
		hear(workload->verdict, &err);
	close(workload->verdict);
	if (err)
		reap(workload->pid);
	return -err;
}

void workload_abandon(struct workload *workload)
{
	close(workload->gate);
	close(workload->verdict);
	reap(workload->pid);
}

int workload_status(struct workload *workload, int block)
{
	int status;
	pid_t pid;

	do
		pid = waitpid(workload->pid, &status, block ? 0 : WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return -EAGAIN;
	if (pid < 0)
		return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
