/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run a test program, and end all that it leaves running: daemons, servers, containers with their monitors.
 *
 *   subreaper SECONDS PROGRAM
 *
 * Whatever loses its parent becomes a child of this process, so descendants cannot escape by a session, a process group, or a
 * changed environment. It ends them when PROGRAM has ended, after SECONDS in which its output, a file, has not grown (exit status 124), on
 * SIGTERM and SIGINT, and at the end of its standard input (143), which whoever starts it keeps open, and which ends even if that one is
 * killed. Each gets SIGTERM, so that heaptap takes its breakpoints out, and SIGKILL after GRACE_MS. What is ended is named on stderr. Otherwise the exit status is
 * PROGRAM's, 128 + signal if that was killed, and 127 if it could not be run.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 10000
#define POLL_MS	 20
#define LOOK_MS	 1000 /* at the output */

static sigset_t old_mask;

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void run(char **argv)
{
	static const int ignored[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	/* By a shell, for what it runs in the background, or by nohup. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	setpgid(0, 0);
	execv(argv[0], argv);
	fprintf(stderr, "subreaper: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Take in what has ended; true once `program` has, with its status. */
static bool reap(pid_t program, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == program) {
			*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			ended = true;
		}
	}
	return ended;
}

/* The size of the file that the program writes to. */
static off_t written(void)
{
	struct stat output;

	return fstat(STDOUT_FILENO, &output) || !S_ISREG(output.st_mode) ? 0 : output.st_size;
}

/*
 * Until `program` has ended, or must; its exit status, or the reason's. A program of many tests takes as long as the machine's load makes
 * it; one that hangs says nothing more.
 */
static int await(pid_t program, int signals, long limit_ms)
{
	struct pollfd poll_fds[2] = {{.fd = signals, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	long until_ms = now_ms() + limit_ms;
	struct signalfd_siginfo info;
	off_t before = written();
	char byte;
	int status;

	for (;;) {
		long left_ms;

		if (written() != before) {
			before = written();
			until_ms = now_ms() + limit_ms;
		}
		left_ms = until_ms - now_ms();
		if (left_ms <= 0)
			return 124;
		if (poll(poll_fds, 2, (int)(left_ms < LOOK_MS ? left_ms : LOOK_MS)) <= 0)
			continue;
		if (poll_fds[1].revents && read(STDIN_FILENO, &byte, 1) <= 0)
			return 128 + SIGTERM;
		if (!poll_fds[0].revents || read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGCHLD)
			return 128 + (int)info.ssi_signo;
		if (reap(program, &status))
			return status;
	}
}

static void name(pid_t pid)
{
	char path[64], comm[17] = "?";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file && fscanf(file, "%16[^\n]", comm) == 1)
		fprintf(stderr, "subreaper: ended %s (%d), which was left running\n", comm, pid);
	if (file)
		fclose(file);
}

/* To all descendants; returns their number. */
static unsigned int signal_below(pid_t parent, int signal, bool say)
{
	unsigned int count = 0;
	glob_t threads;
	char path[64];
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/%d/task/*/children", parent);
	if (glob(path, 0, NULL, &threads))
		return 0;
	for (size_t i = 0; i < threads.gl_pathc; i++) {
		FILE *file = fopen(threads.gl_pathv[i], "re");

		while (file && fscanf(file, "%d", &pid) == 1) {
			if (say)
				name(pid);
			count += 1 + signal_below(pid, signal, say);
			kill(pid, signal);
		}
		if (file)
			fclose(file);
	}
	globfree(&threads);
	return count;
}

/* Zombies are children too: they are reaped before the next look. */
static void end_descendants(void)
{
	long kill_ms = now_ms() + GRACE_MS;
	struct timespec pause = {.tv_nsec = POLL_MS * 1000000};
	int status;

	reap(0, &status);
	if (!signal_below(getpid(), SIGTERM, true))
		return;
	signal_below(getpid(), SIGCONT, false);
	do {
		nanosleep(&pause, NULL);
		reap(0, &status);
	} while (signal_below(getpid(), now_ms() < kill_ms ? 0 : SIGKILL, false) && now_ms() < kill_ms + GRACE_MS);
}

int main(int argc, char **argv)
{
	int signals, status;
	sigset_t mask;
	pid_t program;

	if (argc < 3 || atol(argv[1]) <= 0 || atol(argv[1]) > 2000000) {
		fprintf(stderr, "usage: subreaper SECONDS PROGRAM [ARGUMENT]...\n");
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_BLOCK, &mask, &old_mask);
	signals = signalfd(-1, &mask, SFD_CLOEXEC);
	program = fork();
	if (program == 0)
		run(argv + 2);
	if (signals < 0 || program < 0) {
		perror("subreaper");
		return 127;
	}
	status = await(program, signals, atol(argv[1]) * 1000);
	end_descendants();
	return status;
}
