/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Very many processes, most of which do nothing.
 *
 *   target_crowd DIR COUNT ACTIVE      forks COUNT children, then takes orders through DIR/in:
 *     work SECONDS       ACTIVE of the children allocate and free, each 200 times a second; all the others sleep
 *     fork RATE SECONDS  so many more children a second, each of which allocates a little and ends
 *     build COUNT        so many more children one after the other, each of which runs a program that has not run
 *                        before: a copy of this one with a build id of its own, which allocates a little and ends
 *
 * Each order is answered "done", or "failed" where a child could not be had.
 */
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "offspring.h"
#include "talk.h"

#define BEATS 10 /* a second */
#define BATCH 20

struct board {
	_Atomic unsigned int order; /* counts up with each one */
	_Atomic unsigned int seconds;
	_Atomic unsigned int busy; /* children that have not done it yet */
};

static struct board *board;

static void await_change(_Atomic unsigned int *word, unsigned int seen)
{
	while (atomic_load(word) == seen)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void wake(_Atomic unsigned int *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1 << 30, NULL, NULL, 0);
}

static void sleep_ns(long ns)
{
	struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	while (nanosleep(&time, &time))
		;
}

static void batch(void)
{
	void *volatile blocks[BATCH];

	for (unsigned int i = 0; i < BATCH; i++)
		blocks[i] = malloc(2048);
	for (unsigned int i = 0; i < BATCH; i++)
		free(blocks[i]);
}

static void work(unsigned int seconds)
{
	for (unsigned int beat = 0; beat < seconds * BEATS; beat++) {
		batch();
		sleep_ns(1000000000 / BEATS);
	}
}

static void active_main(void)
{
	for (unsigned int seen = 0;; seen++) {
		await_change(&board->order, seen);
		work(atomic_load(&board->seconds));
		if (atomic_fetch_sub(&board->busy, 1) == 1)
			wake(&board->busy);
	}
}

static void make_child(void (*run)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(95);
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run();
	_exit(0);
}

static void idle_main(void)
{
	for (;;)
		pause();
}

static void order_work(unsigned int active, unsigned int seconds)
{
	unsigned int busy;

	atomic_store(&board->busy, active);
	atomic_store(&board->seconds, seconds);
	atomic_fetch_add(&board->order, 1);
	wake(&board->order);
	while ((busy = atomic_load(&board->busy)))
		await_change(&board->busy, busy);
	talk_say("done");
}

static void order_forks(unsigned int rate, unsigned int seconds)
{
	int status, failed = 0;

	for (unsigned int i = 0; i < rate * seconds; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(offspring(i % 100));
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			failed++;
		sleep_ns(1000000000 / rate);
	}
	talk_say(failed ? "failed" : "done");
}

/* This program's own bytes, read once, and where its build id is in them. */
static struct {
	char *bytes;
	size_t size;
	char *build_id;
} image;

static int read_image(void)
{
	static const char note[] = "\4\0\0\0\24\0\0\0\3\0\0\0GNU";
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return -1;
	image.size = (size_t)status.st_size;
	image.bytes = mmap(NULL, image.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	if (image.bytes == MAP_FAILED)
		return -1;
	image.build_id = memmem(image.bytes, image.size, note, sizeof(note));
	if (!image.build_id)
		return -1;
	image.build_id += sizeof(note);
	return 0;
}

static const char *program_path(const char *dir, unsigned int number, const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%u%s", dir, number, name);
	return path;
}

static int write_program(const char *dir, unsigned int number)
{
	int fd = -1, failed;

	if (!mkdir(program_path(dir, number, ""), 0755))
		fd = open(program_path(dir, number, "/built"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd < 0)
		return -1;
	memcpy(image.build_id, &number, sizeof(number));
	failed = write(fd, image.bytes, image.size) != (ssize_t)image.size;
	return close(fd) || failed ? -1 : 0;
}

static int run_program(const char *path, unsigned int number)
{
	char word[16];
	int status;
	pid_t pid;

	snprintf(word, sizeof(word), "%u", number % 100);
	pid = vfork();
	if (!pid) {
		execl(path, path, word, NULL);
		_exit(96);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status ? -1 : 0;
}

/* They stay until all have run: who hears late of a program is to find it. */
static void order_builds(const char *dir, unsigned int count)
{
	static unsigned int number;
	unsigned int first = number;
	int failed = image.bytes ? 0 : read_image();

	for (; number < first + count && !failed; number++)
		failed = write_program(dir, number) || run_program(program_path(dir, number, "/built"), number);
	while (number > first) {
		unlink(program_path(dir, --number, "/built"));
		rmdir(program_path(dir, number, ""));
	}
	number = first + count;
	talk_say(failed ? "failed" : "done");
}

int main(int argc, char **argv)
{
	unsigned int count, active, first, second;
	char line[64];

	if (argc == 2)
		return offspring(strtoul(argv[1], NULL, 10));
	if (argc < 4)
		return 2;
	count = (unsigned int)strtoul(argv[2], NULL, 10);
	active = (unsigned int)strtoul(argv[3], NULL, 10);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return 1;
	talk_through(argv[1]);
	for (unsigned int i = 0; i < count; i++)
		make_child(i < active ? active_main : idle_main);
	while (talk_hear(line, sizeof(line)))
		if (sscanf(line, "work %u", &first) == 1)
			order_work(active, first);
		else if (sscanf(line, "fork %u %u", &first, &second) == 2)
			order_forks(first, second);
		else if (sscanf(line, "build %u", &first) == 1)
			order_builds(argv[1], first);
	return 0;
}
