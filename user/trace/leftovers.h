/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Breakpoints that stayed in running processes when the kernel could not remove them (kept_links.h says when). They serve nobody
 * and cost their price. Probing the same place again and removing that probe takes them out: the kernel then looks through all
 * processes that map the file. Breakpoints that serve somebody, another heaptap or perf, stay.
 */
#include "system/pid_list.h"

struct leftovers {
	unsigned int processes;	       /* in which breakpoints were taken out */
	unsigned int removed, staying; /* breakpoints */
	unsigned int looked, unread;   /* processes that were looked at, and that may not be */
	pid_t first;		       /* of the processes */
};

/*
 * Take out what is left in these processes. A process with a debugger, or with a handler of SIGTRAP, is left alone: the breakpoints
 * are the debugger's or its own. The
 * process of link_keeper.h has been started. Without a finding it takes as long as reading the mappings, else about 0.1 s for
 * each place. 0 or negative errno.
 */
int leftovers_remove(const struct pid_list *pids, struct leftovers *ret);
