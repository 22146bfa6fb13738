/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/types.h"
#include "system/memory_room.h"

#define MIB		  (1ULL << 20)
#define DESCRIPTORS_SPARE 16
#define DESCRIPTORS_SEEN  (1 << 16) /* of a larger number the rest is not counted */
#define NOFILE_SUGGESTED  4096

bool shortage_is(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EAGAIN;
}

bool shortage_takes_spare(int fd)
{
	struct rlimit limit;

	/* The kernel gives the lowest number that is free. */
	return !getrlimit(RLIMIT_NOFILE, &limit) && (rlim_t)fd + DESCRIPTORS_SPARE >= limit.rlim_cur;
}

int shortage_check(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), err = fd < 0 || shortage_takes_spare(fd) ? -EMFILE : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* Number by number: without a descriptor left, /proc/self/fd cannot be listed. */
static void count_open(rlim_t limit, unsigned int *ret_files, unsigned int *ret_others)
{
	struct stat status;

	*ret_files = *ret_others = 0;
	for (int fd = 0; (rlim_t)fd < limit && fd < DESCRIPTORS_SEEN; fd++)
		if (!fstat(fd, &status))
			++*(S_ISREG(status.st_mode) ? ret_files : ret_others);
}

static struct shortage_text explain_descriptors(void)
{
	struct shortage_text text;
	unsigned int files, others;
	struct rlimit limit = {0};

	getrlimit(RLIMIT_NOFILE, &limit);
	count_open(limit.rlim_cur, &files, &others);
	snprintf(
		text.text, sizeof(text.text),
		"the hard limit of %llu file descriptors (RLIMIT_NOFILE) is too low: %u are open for files that "
		"processes map, and %u for all else, as one for each processor (%ld); %d are kept for writing, and each "
		"further file takes one; raise it as root: ulimit -Hn %llu",
		(unsigned long long)limit.rlim_cur, files, others, sysconf(_SC_NPROCESSORS_CONF), DESCRIPTORS_SPARE,
		limit.rlim_cur < NOFILE_SUGGESTED ? NOFILE_SUGGESTED : 4ULL * limit.rlim_cur);
	return text;
}

/* What the kernel compares with the limits of memory, in MiB: the address space, and of it data and stacks. Else 0. */
static void read_mapped(unsigned long long *ret_all, unsigned long long *ret_data)
{
	unsigned long long page = (unsigned long long)sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%llu %*u %*u %*u %*u %llu", ret_all, ret_data) != 2)
		*ret_all = *ret_data = 0;
	*ret_all = *ret_all * page / MIB;
	*ret_data = *ret_data * page / MIB;
	if (file)
		fclose(file);
}

static bool explain_limit(int resource, const char *name, char letter, unsigned long long taken,
			  struct shortage_text *text)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return false;
	snprintf(
		text->text, sizeof(text->text),
		"memory is limited to %llu MiB (%s), of which heaptap has taken %llu, and it needs more at a time than "
		"is left; raise it: ulimit -%c unlimited",
		(unsigned long long)(limit.rlim_cur / MIB), name, taken, letter);
	return true;
}

static bool explain_limited_memory(struct shortage_text *text)
{
	unsigned long long all, data;

	read_mapped(&all, &data);
	return explain_limit(RLIMIT_AS, "RLIMIT_AS", 'v', all, text) ||
	       explain_limit(RLIMIT_DATA, "RLIMIT_DATA", 'd', data, text);
}

/* BPF maps count for the group of the process that makes them. */
static bool explain_group(struct shortage_text *text)
{
	struct memory_room room = memory_room_read("");

	if (!room.limit)
		return false;
	snprintf(
		text->text, sizeof(text->text),
		"heaptap's control group may have %llu MiB of memory (memory.max, or memory.limit_in_bytes), of which %llu "
		"are left; raise the limit, or start heaptap in another group",
		(unsigned long long)(room.limit / MIB), (unsigned long long)(memory_room_left(&room) / MIB));
	return true;
}

bool shortage_memory_is_limited(void)
{
	struct shortage_text text;

	return explain_limited_memory(&text);
}

/* Threads have stacks, so both ENOMEM and EAGAIN may come of a limit. */
static struct shortage_text explain_memory(int err)
{
	struct shortage_text text;

	if (explain_limited_memory(&text) || (err == -ENOMEM && explain_group(&text)))
		return text;
	snprintf(text.text, sizeof(text.text), "%s",
		 err == -EAGAIN ? "no thread or process can be started: RLIMIT_NPROC (ulimit -u) or the control "
				  "group's pids.max is reached; raise it"
				: "no memory is left on this machine; free some");
	return text;
}

struct shortage_text shortage_explain(int err)
{
	struct shortage_text text;

	if (err == -EMFILE)
		return explain_descriptors();
	if (err == -ENOMEM || err == -EAGAIN)
		return explain_memory(err);
	snprintf(text.text, sizeof(text.text), "%s",
		 err == -ENFILE ? "no process of this machine can open another file; raise it: sysctl fs.file-max"
				: strerror(-err));
	return text;
}
