/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes code while it runs, as compilers do, stands ready, and has it keep ten blocks of 1 001 bytes. `target_jit memfd` has the code in a
 * memfd, as some compilers have it; `target_jit named` says in /tmp/perf-PID.map what it is called. Who asks for that removes the file.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "target.h"

static const unsigned char code[] = {
	0x55,		  /* push %rbp */
	0x48, 0x89, 0xe5, /* mov %rsp, %rbp */
	0x48, 0x89, 0xf8, /* mov %rdi, %rax */
	0x48, 0x89, 0xf7, /* mov %rsi, %rdi */
	0xff, 0xd0,	  /* call *%rax */
	0x5d,		  /* pop %rbp */
	0xc3,		  /* ret */
};

static void *volatile kept;

static void *map_memory(void)
{
	int file = memfd_create("vmem", 0);

	if (file < 0 || ftruncate(file, 4096))
		return MAP_FAILED;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, file, 0);
}

/* False: it cannot be written, as where another user's process of that number has left one. */
static bool write_map(const void *place)
{
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "w");
	if (!map)
		return false;
	fprintf(map, "%jx %zx made_while_running\n", (uintmax_t)(uintptr_t)place, sizeof(code));
	return !fclose(map);
}

int main(int argc, char **argv)
{
	bool named = argc > 1 && !strcmp(argv[1], "named");
	void *place = argc > 1 && !named ? map_memory()
					 : mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
						MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *(*made)(void *(*allocate)(size_t), size_t size) = (void *(*)(void *(*)(size_t), size_t))place;

	if (place == MAP_FAILED || (named && !write_map(place)))
		return 1;
	memcpy(place, code, sizeof(code));
	target_await();
	for (int i = 0; i < 10; i++)
		kept = made(malloc, 1001);
	return 0;
}
