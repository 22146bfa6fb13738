/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/loader_list.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stream.h"
#include "binary/elf.h"
#include "probe/binaries.h"

#define INTERPRETERS_MAX 5 /* #! lines followed; the kernel's own limit */
#define SHELL		 "/bin/sh"

extern char **environ;

/* What follows "#!" at the beginning of a file; "": nothing, or it does not begin so. */
static const char *script_interpreter(char *head)
{
	char *start;

	if (strncmp(head, "#!", 2) != 0)
		return "";
	start = head + 2 + strspn(head + 2, " \t");
	start[strcspn(start, " \t\n")] = '\0';
	return start;
}

/*
 * The interpreter of a script, into `path`; the shell for a file that the kernel does not know, as with execvp. False:
 * `path` is no script.
 */
static bool follow_script(char path[PATH_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char head[PATH_MAX];
	const char *interpreter;
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, head, sizeof(head) - 1);
	close(fd);
	if (length < 0 || (length >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG)))
		return false;
	head[length] = '\0';
	interpreter = script_interpreter(head);
	snprintf(path, PATH_MAX, "%s", *interpreter ? interpreter : SHELL);
	return true;
}

/* Run `loader --list program`. Returns a descriptor for its output, and its PID. */
static int spawn_list(const char *loader, const char *program, pid_t *ret_pid)
{
	char *argv[] = {(char *)loader, "--list", (char *)program, NULL};
	posix_spawn_file_actions_t actions;
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	err = posix_spawn(ret_pid, loader, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (err) {
		close(fds[0]);
		return -err;
	}
	return fds[0];
}

/*
 * "libc.so.6 => /lib/libc.so.6 (0x7f...)", "/lib64/ld-linux-x86-64.so.2 (0x7f...)" or "./preloaded.so (0x7f...)": the path
 * within, NULL: none.
 */
static char *listed_path(char *line)
{
	char *arrow = strstr(line, " => "), *path, *end;

	path = arrow ? arrow + strlen(" => ") : line + strspn(line, " \t");
	if (!strchr(path, '/'))
		return NULL;
	end = strstr(path, " (0x");
	if (!end)
		return NULL;
	*end = '\0';
	return path;
}

static int open_listed(struct binaries *binaries, const char *loader, const char *program)
{
	struct binary *file;
	char *line = NULL, *path;
	size_t capacity = 0;
	FILE *list;
	pid_t pid;
	int fd = spawn_list(loader, program, &pid), err;

	if (fd < 0)
		return fd;
	list = fdopen(fd, "r");
	err = list ? 0 : -errno;
	while (list && getline(&line, &capacity, list) > 0) {
		path = listed_path(line);
		if (path)
			binaries_open_path(binaries, path, &file);
	}
	if (list)
		err = stream_read_failure(list);
	free(line);
	if (list)
		fclose(list);
	else
		close(fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

/*
 * The name of the file itself: a loader that runs a program finds what lies beside it ($ORIGIN) where the file is, one that lists
 * it where its name is. `program` if the name is another file's here.
 */
static const char *real_name(const char *program, char resolved[PATH_MAX])
{
	struct stat one, other;

	if (!realpath(program, resolved) || stat(program, &one) || stat(resolved, &other) ||
	    one.st_dev != other.st_dev || one.st_ino != other.st_ino)
		return program;
	return resolved;
}

int loader_list_open(struct binaries *binaries, const char *path)
{
	struct binary *file;
	char program[PATH_MAX], resolved[PATH_MAX];
	const char *loader;
	int err;

	if (snprintf(program, sizeof(program), "%s", path) >= (int)sizeof(program))
		return -ENAMETOOLONG;
	for (int i = 0; i < INTERPRETERS_MAX && follow_script(program); i++)
		;
	err = binaries_open_path(binaries, program, &file);
	if (err)
		return err;
	loader = elf_interpreter(file->elf);
	if (!loader)
		return 0;
	binaries_open_path(binaries, loader, &file);
	return open_listed(binaries, loader, real_name(program, resolved));
}
