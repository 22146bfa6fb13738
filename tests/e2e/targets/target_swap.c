/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target_swap ROUNDS LIBRARY...: loads the libraries one after the other, ROUNDS times, each where the one before was,
 * and allocates at once in each, two by two: number N of them 1 000 + N bytes from within, and 2 000 + N through a
 * function of this program that it calls. Exit status 3: they did not come to lie at one address.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>

struct library {
	void *(*outer)(void *(*allocate)(size_t size), size_t size);
};

static void *volatile kept;

__attribute__((noinline)) static void *called_back(size_t size)
{
	kept = malloc(size);
	return kept;
}

/* Where it was loaded; 0: it could not be. */
__attribute__((noinline)) static ElfW(Addr) allocate_in(const char *path, size_t number)
{
	struct link_map *map = dlopen(path, RTLD_NOW);
	const struct library *library = map ? dlsym(map, "library") : NULL;
	ElfW(Addr) address;

	if (!library)
		return 0;
	for (int i = 0; i < 2; i++) {
		kept = library->outer(malloc, 1000 + number);
		kept = library->outer(called_back, 2000 + number);
	}
	address = map->l_addr;
	dlclose(map);
	return address;
}

int main(int argc, char **argv)
{
	ElfW(Addr) first = 0, address;

	for (int round = argc > 1 ? atoi(argv[1]) : 0; round; round--) {
		for (int i = 2; i < argc; i++) {
			address = allocate_in(argv[i], (size_t)i - 2);
			if (!address)
				return 2;
			if (first && address != first)
				return 3;
			first = address;
		}
	}
	return 0;
}
