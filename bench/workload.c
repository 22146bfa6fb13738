/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that is measured. It reads one command a line and answers each with one number on a line, so that one and
 * the same process is measured untraced and under one tracer after the other.
 *
 *   pairs N            malloc(64) and free, N times: nanoseconds a pair
 *   maps N WRITE       mmap of 64 KiB, whose first page is written to if WRITE is 1, and munmap, N times: nanoseconds a pair
 *   pools N            the same with a pool of this program's, of which --alloc can tell heaptap
 *   paced RATE SECONDS the same, RATE pairs a second: how many were made
 *   threads T N        the same, N times in each of T threads, as fast as they can: how many were made
 *   together T N       the same: nanoseconds of the process's CPU a pair
 *   hold N             N blocks more that nobody frees, each of 5 intervals' size, so that nearly all are sampled: how many
 *   fork N             fork, exit and wait, N times: nanoseconds each
 *   exec N             the same with an exec of true(1) between: nanoseconds each
 *   deep FRAMES N      like pairs, with malloc called FRAMES frames deep, 1 being the root of the stack
 *   framed FRAMES N    the same in functions that keep a frame pointer
 *   stacks FRAMES N    malloc(64) and free in N stacks, each another one, FRAMES deep or a little more: how many were made
 *
 * It maps the code of the files it is started with, as if it had loaded them.
 *
 * Costs are CPU time, children's included: other users of the machine disturb that least.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES	    11
#define THREADS_MAX 64
#define TICK_NS	    1000000
#define MAP_BYTES   65536
#define HELD_BYTES  (5UL * 512 * 1024)

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int make_pairs(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		void *volatile block = malloc(64);

		free(block);
	}
	return 0;
}

/* What has been put back is handed out again, as by many pools. */
static struct block {
	struct block *next;
	char rest[56];
} pool_blocks[2] = {{.next = &pool_blocks[1]}};
static struct block *pool_free = pool_blocks;

__attribute__((noipa)) static void *pool_get(size_t size)
{
	struct block *block = pool_free;

	if (size > sizeof(*block))
		return NULL;
	pool_free = block->next;
	return block;
}

__attribute__((noipa)) static void pool_put(void *put)
{
	struct block *block = put;

	block->next = pool_free;
	pool_free = block;
}

static int make_pool_pairs(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		void *volatile block = pool_get(64);

		pool_put(block);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What each of them takes, as `spent` counts: the median of some batches, so that what disturbs a few does not show. */
static double cost(int (*make)(unsigned long count), uint64_t (*spent)(void), unsigned long count)
{
	unsigned long batch = count / BATCHES + 1;
	double each[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		uint64_t start = spent();

		if (make(batch))
			return -1;
		each[i] = (double)(spent() - start) / (double)batch;
	}
	qsort(each, BATCHES, sizeof(each[0]), compare);
	return each[BATCHES / 2];
}

/* The same for pairs, without a frame of its own. */
static inline __attribute__((always_inline)) double pairs(unsigned long count)
{
	static double each[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		unsigned long batch = count / BATCHES + 1;
		uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		for (unsigned long pair = 0; pair < batch; pair++) {
			void *volatile block = malloc(64);

			free(block);
		}
		each[i] = (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)batch;
	}
	qsort(each, BATCHES, sizeof(each[0]), compare);
	return each[BATCHES / 2];
}

/*
 * Chains of functions that are alike but for the frame pointer. The root's unwind information says that nothing called
 * it, so that there are as many frames as were asked for, to the frame.
 */
#define CHAIN_FUNCTION(name, next, words, keep)                                                                        \
	__attribute__((noinline)) static double name(unsigned long frames, unsigned long count)                        \
	{                                                                                                              \
		volatile unsigned long own[words];                                                                     \
		double each;                                                                                           \
                                                                                                                       \
		keep;                                                                                                  \
		own[0] = frames;                                                                                       \
		each = frames > 1 ? next(frames - 1, count) : pairs(count);                                            \
		return own[0] == frames ? each : -1;                                                                   \
	}

#define CHAIN(chain, keep)                                                                                             \
	static double chain##_a(unsigned long frames, unsigned long count);                                            \
	CHAIN_FUNCTION(chain##_d, chain##_a, 20, keep)                                                                 \
	CHAIN_FUNCTION(chain##_c, chain##_d, 2, keep)                                                                  \
	CHAIN_FUNCTION(chain##_b, chain##_c, 12, keep)                                                                 \
	CHAIN_FUNCTION(chain##_a, chain##_b, 6, keep)                                                                  \
	CHAIN_FUNCTION(chain##_root, chain##_a, 6, keep; asm volatile(".cfi_undefined rip"))

CHAIN(deep, )
CHAIN(framed, asm volatile("" : : "r"(__builtin_frame_address(0))))

/* Each bit of the path decides which of two calls is in the stack. */
__attribute__((noinline)) static unsigned long fork_of_path(unsigned long frames, unsigned long path)
{
	volatile unsigned long own = path;

	if (!frames)
		return (unsigned long)make_pairs(1);
	if (path & 1)
		own = fork_of_path(frames - 1, path >> 1) + 1;
	else
		own = fork_of_path(frames - 1, path >> 1) + 2;
	return own;
}

static double stacks(unsigned long frames, unsigned long count)
{
	for (unsigned long path = 0; path < count; path++)
		if (!fork_of_path(frames, path))
			return -1;
	return (double)count;
}

/* Every millisecond what is due by then; a late round catches up. */
static double paced(unsigned long rate, unsigned long seconds)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC), made = 0;

	for (uint64_t tick = start + TICK_NS; tick <= start + seconds * 1000000000; tick += TICK_NS) {
		uint64_t due = (tick - start) / TICK_NS * rate / (1000000000 / TICK_NS);
		struct timespec until = {.tv_sec = (time_t)(tick / 1000000000), .tv_nsec = (long)(tick % 1000000000)};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		make_pairs(due - made);
		made = due;
	}
	return (double)made;
}

static void *thread(void *arg)
{
	make_pairs(*(unsigned long *)arg);
	return NULL;
}

static double threads(unsigned long count, unsigned long pairs_each)
{
	pthread_t ids[THREADS_MAX];
	unsigned long started = 0;

	while (started < count && started < THREADS_MAX && !pthread_create(&ids[started], NULL, thread, &pairs_each))
		started++;
	for (unsigned long i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	return (double)(started * pairs_each);
}

static double together(unsigned long count, unsigned long pairs_each)
{
	uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	double made = threads(count, pairs_each);

	return made > 0 ? (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / made : -1;
}

/* Their pages are never touched, but for the first. */
static double hold(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		void *volatile block = malloc(HELD_BYTES);

		if (!block)
			return -1;
	}
	return (double)count;
}

static uint64_t thread_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static uint64_t usage_ns(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static uint64_t family_ns(void)
{
	return usage_ns(RUSAGE_SELF) + usage_ns(RUSAGE_CHILDREN);
}

static int make_maps_of(unsigned long count, int write)
{
	for (unsigned long i = 0; i < count; i++) {
		char *addr = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (addr == MAP_FAILED)
			return -1;
		if (write)
			*(volatile char *)addr = 1;
		munmap(addr, MAP_BYTES);
	}
	return 0;
}

static int make_maps(unsigned long count)
{
	return make_maps_of(count, 0);
}

static int make_written_maps(unsigned long count)
{
	return make_maps_of(count, 1);
}

static int make_children(unsigned long count, const char *path)
{
	int status;

	for (unsigned long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (!pid) {
			if (path)
				execl(path, path, (char *)NULL);
			_exit(path != NULL);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return -1;
	}
	return 0;
}

static int make_forks(unsigned long count)
{
	return make_children(count, NULL);
}

static int make_execs(unsigned long count)
{
	return make_children(count, "/bin/true");
}

static double obey(const char *word, unsigned long a, unsigned long b)
{
	if (!strcmp(word, "pairs") && a)
		return cost(make_pairs, thread_ns, a);
	if (!strcmp(word, "maps") && a)
		return cost(b ? make_written_maps : make_maps, thread_ns, a);
	if (!strcmp(word, "pools") && a)
		return cost(make_pool_pairs, thread_ns, a);
	if (!strcmp(word, "paced") && a && b)
		return paced(a, b);
	if (!strcmp(word, "threads") && a && b)
		return threads(a, b);
	if (!strcmp(word, "together") && a && b)
		return together(a, b);
	if (!strcmp(word, "hold") && a)
		return hold(a);
	if (!strcmp(word, "fork") && a)
		return cost(make_forks, family_ns, a);
	if (!strcmp(word, "exec") && a)
		return cost(make_execs, family_ns, a);
	if (!strcmp(word, "deep") && a && b)
		return deep_root(a, b);
	if (!strcmp(word, "framed") && a && b)
		return framed_root(a, b);
	if (!strcmp(word, "stacks") && a && b)
		return stacks(a, b);
	return -1;
}

/* The file's first bytes may be no code: it is only looked at. */
static int map_code(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *code;

	if (fd < 0 || fstat(fd, &status)) {
		perror(path);
		return 1;
	}
	code = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	close(fd);
	return code == MAP_FAILED;
}

int main(int argc, char **argv)
{
	char line[128], word[16];

	for (int i = 1; i < argc; i++)
		if (map_code(argv[i]))
			return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		unsigned long a = 0, b = 0;

		if (sscanf(line, "%15s %lu %lu", word, &a, &b) >= 1)
			printf("%.2f\n", obey(word, a, b));
	}
	return 0;
}
