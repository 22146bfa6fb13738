/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "orphans.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"

void orphans_adopt(void)
{
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/* A child of `pid` for which `wanted` is true; 0: none. */
static pid_t find_child(pid_t pid, bool (*wanted)(pid_t pid, const void *arg), const void *arg)
{
	FILE *file = fopen(format("/proc/%d/task/%d/children", pid, pid), "re");
	pid_t child, found = 0;

	while (file && !found && fscanf(file, "%d", &child) == 1)
		found = wanted(child, arg) ? child : 0;
	if (file)
		fclose(file);
	return found;
}

static bool is_orphan(pid_t pid, const void *arg)
{
	const struct child *target = arg;

	return pid != target->pid;
}

unsigned int orphans_await(const struct child *target)
{
	unsigned int count = 0;
	pid_t pid;

	/* Each may leave children of its own when it ends. */
	for (; (pid = find_child(getpid(), is_orphan, target)); count++) {
		struct child orphan = {.pid = pid};

		if (!child_reap(&orphan))
			fail_msg("process %d, which heaptap left, does not end", pid);
	}
	return count;
}

static bool holds_links(pid_t pid, const void *arg)
{
	FILE *file = fopen(format("/proc/%d/comm", pid), "re");
	char comm[16] = "";
	bool right;

	(void)arg;
	right = file && fscanf(file, "%15s", comm) == 1 && !strcmp(comm, "heaptap-links");
	if (file)
		fclose(file);
	return right;
}

pid_t orphans_keeper(pid_t pid)
{
	return find_child(pid, holds_links, NULL);
}
