/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Says who it is and what it sees of its own file. Linked statically, so that the executable itself is an allocator's
 * file; 20 000 bytes are left allocated. Ends with status 7.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *volatile kept;

static void print_status(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[512];

	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, "Name:", 5) || !strncmp(line, "Cap", 3) || !strncmp(line, "NoNewPrivs", 10) ||
		    !strncmp(line, "Uid:", 4) || !strncmp(line, "Gid:", 4))
			fputs(line, stdout);
	if (status)
		fclose(status);
}

int main(int argc, char **argv)
{
	char exe[4096] = "";
	struct stat own;

	kept = malloc(20000);
	if (!kept || readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		return 1;
	printf("argv[0] %s of %d, exe %s\n", argv[0], argc, exe);
	/* Where it has been chrooted to, the name may not be there. */
	if (!stat(argv[0], &own))
		printf("file %o %u:%u %lld bytes, modified %lld.%09ld\n", own.st_mode, own.st_uid, own.st_gid,
		       (long long)own.st_size, (long long)own.st_mtim.tv_sec, own.st_mtim.tv_nsec);
	print_status();
	return 7;
}
