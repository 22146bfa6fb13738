/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps every file it is given as if it were code, with any content and any name, one before it stands
 * ready and the others before it does again, and keeps ten blocks of 1 000 bytes each time. For hostile names and corrupt files.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "target.h"

static void *volatile kept;

static void keep_ten(void)
{
	for (int i = 0; i < 10; i++)
		kept = malloc(1000);
}

static void map_as_code(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || mmap(NULL, 1 << 16, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		_exit(1);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		map_as_code(argv[1]);
	target_await();
	keep_ten();
	for (int i = 2; i < argc; i++)
		map_as_code(argv[i]);
	target_await();
	keep_ten();
	return 0;
}
