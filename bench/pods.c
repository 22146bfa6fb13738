/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node full of pods: control groups with names as container runtimes give them, and processes in them that allocate at a modest rate.
 *
 *   pods GROUP PODS PROCESSES CHURN BEATS
 *
 * makes PODS groups below the directory GROUP, starts PROCESSES processes, in each group as many, and says "ready" once all of them work.
 * From then on CHURN times a second the oldest one ends and another one, in the same group, takes its place. All of it ends when standard input does.
 * The file BEATS holds a number of 64 bits, in the machine's order: how often a process has allocated; one does so twice a second
 * (BLOCKS blocks), and less often only where it gets no processor.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 512
#define BEAT_NS	  500000000L
#define LOOK_MS	  1000 /* between two looks whether one has died */
#define KEPT	  64   /* blocks that a process holds at a time */
#define BLOCKS	  40   /* that it makes at each beat */

/* --- a process of a pod --- */

/* Each of the ways to an allocation is a stack of its own. */
__attribute__((noipa)) static void *leaf(size_t size)
{
	void *block = malloc(size);

	return block;
}

#define WAY(name, next)                                                                                                \
	__attribute__((noipa)) static void *name(uint32_t way, size_t size)                                            \
	{                                                                                                              \
		(void)way;                                                                                             \
		void *block = next;                                                                                    \
                                                                                                                       \
		return block;                                                                                          \
	}
WAY(read_header, leaf(size))
WAY(read_body, leaf(size + 16))
WAY(parse, way & 1 ? read_header(way, size) : read_body(way, size))
WAY(answer, way & 2 ? parse(way, size) : leaf(size))
WAY(look_up, way & 4 ? parse(way, size) : leaf(size))
WAY(request, way & 8 ? answer(way, size) : look_up(way, size))
WAY(refresh, way & 16 ? look_up(way, size) : answer(way, size))
WAY(serve, way & 32 ? request(way, size) : refresh(way, size))

/* Sizes from 16 bytes to 16 KiB, each power of two as often. */
static void beat(uint32_t *random, void *kept[KEPT])
{
	for (unsigned int i = 0; i < BLOCKS; i++) {
		*random = *random * 1664525U + 1013904223U;
		unsigned int place = *random >> 26;

		free(kept[place]);
		kept[place] = serve(*random >> 10, 16UL << (*random >> 20) % 11);
	}
}

static uint64_t *map_beats(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *beats = MAP_FAILED;

	if (fd >= 0)
		beats = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return beats == MAP_FAILED ? NULL : beats;
}

static int member(uint32_t number, const char *beats_path)
{
	static void *kept[KEPT];
	uint32_t random = number * 2654435761U + 1;
	uint64_t *beats = map_beats(beats_path);

	if (!beats)
		return 1;
	beat(&random, kept);
	if (write(STDOUT_FILENO, "", 1) != 1)
		return 1;
	/* Not all at the same moment. */
	nanosleep(&(struct timespec){.tv_nsec = random % BEAT_NS}, NULL);
	for (;;) {
		beat(&random, kept);
		__atomic_add_fetch(beats, 1, __ATOMIC_RELAXED);
		nanosleep(&(struct timespec){.tv_nsec = BEAT_NS}, NULL);
	}
}

/* --- all of them --- */

struct place {
	pid_t pid;
	unsigned int pod;
};

struct node {
	const char *program, *group, *beats;
	unsigned int pods, processes;
	struct place *places;
	unsigned int oldest, begun; /* a place; and how many processes there have been */
	int out[2];		    /* each one writes a byte when it works */
};

static void pod_path(const struct node *node, unsigned int pod, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/cri-containerd-%064x.scope", node->group, pod + 1);
}

static int enter(const struct node *node, unsigned int pod)
{
	char path[PATH_SIZE], file[PATH_SIZE + 16];
	int fd, failed;

	pod_path(node, pod, path);
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	failed = fd < 0 || write(fd, "0", 1) != 1;
	close(fd);
	return failed;
}

/* It dies with its parent, from the first moment on: what came into the group after that was emptied would keep it for good. */
static void become_member(const struct node *node, unsigned int pod, pid_t parent)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", node->begun);
	if (!prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent && !enter(node, pod) &&
	    dup2(node->out[1], STDOUT_FILENO) >= 0)
		execl(node->program, node->program, "member", number, node->beats, NULL);
	_exit(1);
}

static int begin(struct node *node, unsigned int place)
{
	const pid_t parent = getpid();
	pid_t pid = fork();

	if (!pid)
		become_member(node, node->places[place].pod, parent);
	node->begun++;
	node->places[place].pid = pid;
	return pid < 0;
}

/* One that died before it worked would be waited for without end. */
static bool any_has_died(void)
{
	siginfo_t dead = {0};

	return !waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) && dead.si_pid;
}

static int await(const struct node *node, unsigned int count)
{
	struct pollfd out = {.fd = node->out[0], .events = POLLIN};
	char byte;

	while (count) {
		int ready = poll(&out, 1, LOOK_MS);

		if (ready < 0 || (!ready && any_has_died()) || (ready && read(node->out[0], &byte, 1) != 1))
			return 1;
		count -= (unsigned int)ready;
	}
	return 0;
}

static int replace_oldest(struct node *node)
{
	unsigned int place = node->oldest;
	pid_t pid = node->places[place].pid;

	node->oldest = place + 1 < node->processes ? place + 1 : 0;
	kill(pid, SIGTERM);
	if (waitpid(pid, NULL, 0) != pid || begin(node, place))
		return 1;
	return await(node, 1);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int churn(struct node *node, unsigned int rate)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t begun = now_ms();

	for (uint64_t i = 0;; i++) {
		uint64_t due = begun + i * 1000 / rate, now = now_ms();

		if (poll(&in, 1, due > now ? (int)(due - now) : 0) > 0)
			return 0;
		if (replace_oldest(node))
			return 1;
	}
}

static int make_all(struct node *node)
{
	char path[PATH_SIZE];

	node->places = calloc(node->processes, sizeof(*node->places));
	if (!node->places || pipe2(node->out, O_CLOEXEC))
		return 1;
	for (unsigned int pod = 0; pod < node->pods; pod++) {
		pod_path(node, pod, path);
		if (mkdir(path, 0755))
			return 1;
	}
	for (unsigned int place = 0, pod = 0; place < node->processes; place++) {
		node->places[place].pod = pod;
		pod = pod + 1 < node->pods ? pod + 1 : 0;
		if (begin(node, place))
			return 1;
	}
	return await(node, node->processes);
}

int main(int argc, char **argv)
{
	struct node node = {.program = argv[0]};
	unsigned int rate;

	if (argc == 4)
		return member((uint32_t)strtoul(argv[2], NULL, 10), argv[3]);
	if (argc != 6)
		return 2;
	node.group = argv[1];
	node.pods = (unsigned int)strtoul(argv[2], NULL, 10);
	node.processes = (unsigned int)strtoul(argv[3], NULL, 10);
	rate = (unsigned int)strtoul(argv[4], NULL, 10);
	node.beats = argv[5];
	if (!node.pods || !node.processes || !rate)
		return 2;
	if (make_all(&node)) {
		perror("pods");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	return churn(&node, rate);
}
