/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps memory, of known sizes, by itself, by the C library for it, and by its allocator. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "target.h"

#define KIB 1024UL
#define MIB (1024 * KIB)

static void *volatile kept[3];

/* A macro, so that its callers are the sites. */
#define MAP(size) check(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))

static void *check(void *addr)
{
	if (addr == MAP_FAILED)
		_exit(1);
	return addr;
}

static void map_cache(void)
{
	MAP(5 * MIB);
}

/* What is left is 300 KiB, in two parts. */
static void cut_out(void)
{
	char *addr = MAP(500 * KIB);

	munmap(addr + 100 * KIB, 200 * KIB);
}

static void come_and_go(void)
{
	for (int i = 0; i < 100; i++)
		munmap(MAP(28 * KIB), 28 * KIB);
}

static void resize(void)
{
	char *addr = check(mremap(MAP(40 * KIB), 40 * KIB, 3 * MIB, MREMAP_MAYMOVE));

	mremap(addr, 3 * MIB, 2 * MIB, 0);
}

static void share(void)
{
	int id = shmget(IPC_PRIVATE, 300 * KIB, 0600);
	void *once = shmat(id, NULL, 0), *again = shmat(id, NULL, 0);

	shmctl(id, IPC_RMID, NULL);
	if (once == (void *)-1 || again == (void *)-1 || shmdt(once))
		_exit(2);
}

static void replace(void)
{
	char *addr = MAP(80 * KIB);

	check(mmap(addr, 80 * KIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

static void *stay(void *go)
{
	pthread_mutex_lock(go);
	return NULL;
}

static void start_thread(void)
{
	static pthread_mutex_t go = PTHREAD_MUTEX_INITIALIZER;
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_mutex_lock(&go);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 7 * MIB);
	pthread_attr_setguardsize(&attributes, 0);
	if (pthread_create(&thread, &attributes, stay, &go))
		_exit(3);
}

/* 16 MiB get a mapping of their own, which is moved when it grows; all that is small comes from the heap. */
static void allocate(void)
{
	kept[0] = malloc(16 * MIB);
	kept[0] = realloc(kept[0], 20 * MIB);
	for (int i = 0; i < 3000; i++)
		kept[1] = malloc(200);
	free(kept[2]);
}

int main(void)
{
	target_await();
	map_cache();
	cut_out();
	come_and_go();
	resize();
	share();
	replace();
	allocate();
	start_thread();
	target_await();
	return 0;
}
