/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target_libraries LIBRARY...: loads one after the other, stands ready each time, and has it keep ten blocks: of 1 001
 * bytes the first, of 1 002 bytes the second.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "target.h"

static void *volatile kept;

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		void *library = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL), *(*keep)(size_t);

		keep = library ? (void *(*)(size_t))dlsym(library, "keep") : NULL;
		if (!keep)
			return 1;
		target_await();
		for (int j = 0; j < 10; j++)
			kept = keep(1000 + (size_t)i);
	}
	return 0;
}
