/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that a test starts: a fork that closes what it must, pipes to talk through, and a wait for the end by pidfd.
 */
#include "child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define CANNOT_EXECUTE 94 /* what child_start's fork ends with */

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t deadline_ns(void)
{
	return now_ns() + DEADLINE_MS * 1000000ull;
}

const char *format(const char *format, ...)
{
	static char strings[16][PATH_MAX];
	static unsigned int next;
	char *string = strings[next++ % 16];
	va_list args;

	va_start(args, format);
	vsnprintf(string, PATH_MAX, format, args);
	va_end(args);
	return string;
}

const char *beside(const char *name)
{
	char self[PATH_MAX / 2] = "";
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length <= 0)
		fail_msg("/proc/self/exe: %s", strerror(errno));
	*strrchr(self, '/') = '\0';
	return format("%s/%s", self, name);
}

static void redirect(int fd, int to, int flags)
{
	if (fd < 0 && to != STDERR_FILENO)
		fd = open("/dev/null", flags | O_CLOEXEC);
	if (fd >= 0)
		dup2(fd, to);
}

static void become(uid_t uid)
{
	if (uid && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		_exit(96);
}

pid_t child_start(const struct child_launch *launch)
{
	pid_t parent = getpid(), pid = fork();
	int program;

	if (pid < 0)
		fail_msg("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(95);
	signal(SIGPIPE, SIG_DFL);
	redirect(launch->in, STDIN_FILENO, O_RDONLY);
	redirect(launch->out, STDOUT_FILENO, O_WRONLY);
	redirect(launch->err, STDERR_FILENO, O_WRONLY);
	for (const char *const *variable = launch->environment; variable && *variable; variable++)
		putenv((char *)*variable);
	/* Another user may not come to where a tree was built, as in root's home. (Its name is lost on older kernels.) */
	program = open(launch->argv[0], O_PATH | O_CLOEXEC);
	become(launch->uid);
	if (launch->uid)
		fexecve(program, (char **)launch->argv, environ);
	else
		execv(launch->argv[0], (char **)launch->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", launch->argv[0], strerror(errno));
	_exit(CANNOT_EXECUTE);
}

int child_exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* False when the deadline has passed. */
static bool await_end(pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
	bool ended;

	if (pidfd < 0)
		return true;
	ended = poll(&poll_fd, 1, DEADLINE_MS) == 1;
	close(pidfd);
	return ended;
}

bool child_reap(struct child *child)
{
	bool ended = await_end(child->pid);

	if (!ended)
		kill(child->pid, SIGKILL);
	wait4(child->pid, &child->status, 0, &child->usage);
	child->pid = 0;
	return ended;
}

bool child_can_run(const char *name)
{
	struct child child = {.pid = child_start(&(struct child_launch){(const char *const[]){beside(name), NULL}, NULL,
									-1, -1, -1, 0})};

	return child_reap(&child) && child_exit_status(child.status) != CANNOT_EXECUTE;
}

void child_release(struct child *child)
{
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	if (child->in >= 0)
		close(child->in);
	if (child->out >= 0)
		close(child->out);
	*child = (struct child){.in = -1, .out = -1};
}

pid_t child_of(pid_t pid)
{
	FILE *children = fopen(format("/proc/%d/task/%d/children", pid, pid), "re");
	int child = 0;

	assert_non_null(children);
	assert_int_equal(fscanf(children, "%d", &child), 1);
	fclose(children);
	return child;
}

unsigned int child_descriptors(pid_t pid)
{
	DIR *directory = opendir(format("/proc/%d/fd", pid));
	unsigned int count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

void target_start(struct child *target, const char *const *environment, const char *const *argv)
{
	int in[2], out[2];

	child_release(target);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		fail_msg("pipe2: %s", strerror(errno));
	target->pid = child_start(&(struct child_launch){argv, environment, in[0], out[1], -1, 0});
	target->in = in[1];
	target->out = out[0];
	close(in[0]);
	close(out[1]);
}

void target_ready(struct child *target)
{
	struct pollfd poll_fd = {.fd = target->out, .events = POLLIN};
	char byte = 0;

	if (poll(&poll_fd, 1, DEADLINE_MS) != 1 || read(target->out, &byte, 1) != 1 || byte != 'r')
		fail_msg("the target did not get ready");
}

void target_go(struct child *target)
{
	if (write(target->in, "g", 1) != 1)
		fail_msg("the target is gone");
}

/* What came before is of no use any more once the buffer is full, but for a tail in which the words may have begun. */
void target_await_words(struct child *target, const char *words)
{
	struct pollfd poll_fd = {.fd = target->out, .events = POLLIN};
	char text[8192] = "";
	size_t length = 0;

	while (!strstr(text, words)) {
		ssize_t more;

		if (length > sizeof(text) / 2) {
			memmove(text, text + length - strlen(words), strlen(words));
			length = strlen(words);
		}
		more = poll(&poll_fd, 1, DEADLINE_MS) == 1 ? read(target->out, text + length, sizeof(text) / 2 - 1) : 0;
		text[length += more > 0 ? (size_t)more : 0] = '\0';
		if (more <= 0)
			fail_msg("the target did not say \"%s\" but:\n%s", words, text);
	}
}

void child_await_state(pid_t pid, char state)
{
	uint64_t until_ns = deadline_ns();
	char now = 0;

	while (now != state) {
		FILE *stat = fopen(format("/proc/%d/stat", pid), "re");

		if (!stat || now_ns() > until_ns || fscanf(stat, "%*d (%*[^)]) %c", &now) != 1)
			fail_msg("process %d does not come into state %c", pid, state);
		fclose(stat);
	}
}

void target_await_leader_gone(const struct child *target)
{
	child_await_state(target->pid, 'Z');
}

int target_finish(struct child *target)
{
	if (!child_reap(target))
		fail_msg("the target did not end");
	return child_exit_status(target->status);
}

void target_take_steps(const struct child *target, const char *steps)
{
	char done;

	for (; *steps; steps++) {
		assert_int_equal(write(target->in, steps, 1), 1);
		assert_int_equal(read(target->out, &done, 1), 1);
		assert_int_equal(done, *steps);
	}
}
