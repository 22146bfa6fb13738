/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resident memory of known parts. Before it stands ready: 32 MiB of blocks (16 in the main arena, 8 in a thread's, 8 as one block in a
 * mapping of its own, none of which is touched again), ten threads that have touched 2 MiB of stack each, a file
 * of 50 MiB mapped and read, 8 MiB of anonymous memory that no allocator knows and 4 MiB of shared memory; after an argument, 16 MiB
 * in HugeTLB pages. When let go: 10 MiB of blocks that it keeps, and 64 MiB that it frees and glibc keeps. It says 'd' then and waits.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "target.h"

#define MIB	    (1UL << 20)
#define BLOCK	    65536UL
#define THREADS	    10
#define STACK_BYTES (2 * MIB)

static void *volatile kept;
static pthread_barrier_t touched;

static void keep(size_t bytes)
{
	for (size_t i = 0; i < bytes / BLOCK; i++) {
		kept = malloc(BLOCK);
		memset(kept, 1, BLOCK);
	}
}

static void keep_and_free(size_t bytes)
{
	static void *blocks[64 * MIB / BLOCK];

	for (size_t i = 0; i < bytes / BLOCK; i++) {
		blocks[i] = malloc(BLOCK);
		memset(blocks[i], 1, BLOCK);
	}
	for (size_t i = 0; i < bytes / BLOCK; i++)
		free(blocks[i]);
}

static void *touch_stack(void *arg)
{
	char room[STACK_BYTES];

	if (arg)
		keep(8 * MIB);
	memset(room, 1, sizeof(room));
	kept = room;
	pthread_barrier_wait(&touched);
	pause();
	return arg;
}

static void start_threads(void)
{
	pthread_t thread;

	if (pthread_barrier_init(&touched, NULL, THREADS + 1))
		_exit(1);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, touch_stack, i ? NULL : &touched))
			_exit(2);
	pthread_barrier_wait(&touched);
}

static void map(size_t bytes, int flags, int fd)
{
	char *memory = mmap(NULL, bytes, PROT_READ | (fd < 0 ? PROT_WRITE : 0), flags, fd, 0);

	if (memory == MAP_FAILED)
		_exit(3);
	for (size_t i = 0; i < bytes; i += 4096)
		if (fd < 0)
			memory[i] = 1;
		else
			kept = (void *)(long)memory[i];
}

static void map_file(const char *path)
{
	static char page[65536];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(page, 1, sizeof(page));
	for (size_t i = 0; i < 50 * MIB; i += sizeof(page))
		if (write(fd, page, sizeof(page)) != sizeof(page))
			_exit(4);
	map(50 * MIB, MAP_PRIVATE, fd);
	close(fd);
}

int main(int argc, char **argv)
{
	/* In huge pages a block would make more resident than it has. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	/* Where the kernel takes away what is not used for a while, the file would not stay. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		_exit(5);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	kept = memset(malloc(8 * MIB), 1, 8 * MIB);
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	keep(16 * MIB);
	start_threads();
	map_file(argv[1]);
	map(8 * MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map(4 * MIB, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (argc > 2)
		map(16 * MIB, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	target_await();
	keep(10 * MIB);
	keep_and_free(64 * MIB);
	target_await();
	return 0;
}
