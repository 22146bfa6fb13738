/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target_tables swap A B: calls into library A, unloads it, calls into B at the same addresses, a hundred times over.
 * Ends with 7 when they never were at the same addresses. target_tables many LIBRARY...: loads them all (those that can
 * be), stands ready, then allocates 1 000 blocks of 3 000 bytes.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define ROUNDS 100
#define CALLS  10

static unsigned long last_address;
static int same;
static void *volatile kept;

__attribute__((noinline)) static int call_plugin(const char *path, int number)
{
	void *library = dlopen(path, RTLD_NOW);
	int (*call)(int) = library ? (int (*)(int))dlsym(library, "plugin_call") : NULL;
	struct link_map *map = library;
	int result = 0;

	if (!call)
		_exit(6);
	same += map->l_addr == last_address;
	last_address = map->l_addr;
	for (int i = 0; i < CALLS; i++)
		result += call(number + i);
	dlclose(library);
	return result;
}

__attribute__((noinline)) static void keep_one(int level)
{
	volatile char room[24] = {0};

	if (level)
		keep_one(level - 1);
	else
		kept = malloc(3000);
	room[0]++;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "swap")) {
		for (int i = 0; i < ROUNDS; i++) {
			call_plugin(argv[2], i);
			call_plugin(argv[3], i);
		}
		return same ? 0 : 7;
	}
	for (int i = 2; i < argc; i++)
		dlopen(argv[i], RTLD_NOW);
	target_await();
	for (int i = 0; i < 1000; i++)
		keep_one(5);
	return 0;
}
