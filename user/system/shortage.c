/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "include/types.h"

#define MIB		  (1ULL << 20)
#define DESCRIPTORS_SPARE 16
/* Measured with one process (tests/e2e/suites/test_shortage.c); each file that it maps takes one more. */
#define DESCRIPTORS_NEEDED 64
#define ADDRESS_MIB_NEEDED 256
#define NOFILE_SUGGESTED   4096

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

static const char *explain_descriptors(char text[SHORTAGE_TEXT_MAX])
{
	struct rlimit limit = {0};

	getrlimit(RLIMIT_NOFILE, &limit);
	snprintf(
		text, SHORTAGE_TEXT_MAX,
		"no file descriptor is left of the %llu that the hard limit (RLIMIT_NOFILE) allows; heaptap needs about "
		"%d, one for each processor and one for each file that the processes map; raise it as root: ulimit -Hn "
		"%d",
		(unsigned long long)limit.rlim_cur, DESCRIPTORS_NEEDED, NOFILE_SUGGESTED);
	return text;
}

static const char *explain_limit(int resource, const char *name, char letter, char text[SHORTAGE_TEXT_MAX])
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return NULL;
	snprintf(text, SHORTAGE_TEXT_MAX,
		 "memory is limited to %llu MiB (%s), of which heaptap needs about %d MiB; raise it: ulimit -%c "
		 "unlimited",
		 (unsigned long long)(limit.rlim_cur / MIB), name, ADDRESS_MIB_NEEDED, letter);
	return text;
}

static const char *explain_limited_memory(char text[SHORTAGE_TEXT_MAX])
{
	const char *sentence = explain_limit(RLIMIT_AS, "RLIMIT_AS", 'v', text);

	return sentence ? sentence : explain_limit(RLIMIT_DATA, "RLIMIT_DATA", 'd', text);
}

bool shortage_memory_is_limited(void)
{
	char text[SHORTAGE_TEXT_MAX];

	return explain_limited_memory(text);
}

/* Threads have stacks, so both ENOMEM and EAGAIN may come of a limit. */
static const char *explain_memory(int err, char text[SHORTAGE_TEXT_MAX])
{
	if (explain_limited_memory(text))
		return text;
	if (err == -EAGAIN)
		snprintf(
			text, SHORTAGE_TEXT_MAX,
			"no thread or process can be started: RLIMIT_NPROC (ulimit -u) or the control group's pids.max "
			"is reached; raise it");
	else
		snprintf(
			text, SHORTAGE_TEXT_MAX,
			"no memory is left on this machine, or in heaptap's own control group (memory.max); free some, "
			"or start heaptap outside");
	return text;
}

const char *shortage_explain(int err, char text[SHORTAGE_TEXT_MAX])
{
	if (err == -EMFILE)
		return explain_descriptors(text);
	if (err == -ENOMEM || err == -EAGAIN)
		return explain_memory(err, text);
	if (err == -ENFILE)
		snprintf(text, SHORTAGE_TEXT_MAX,
			 "no process of this machine can open another file; raise it: sysctl fs.file-max");
	else
		snprintf(text, SHORTAGE_TEXT_MAX, "%s", strerror(-err));
	return text;
}
