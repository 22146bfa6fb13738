/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The process that makes, holds and closes links for heaptap (trace/link_keeper.h), from the inside.
 *
 * Removing a breakpoint fails in a task that a fatal signal has reached: the kernel then leaves it in the traced process for
 * good ("failed to unregister, leaking uprobe"). A process that exits by itself is safe: the kernel takes no more signals for
 * it. So a link is never closed by a system call. A child is forked that has the last descriptor, and exits.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "include/config.h"

#define LINK_SITES_MAX 256

/* One link, or one perf event with a link on top: what is closed together. */
struct link_leg {
	u32 attach_type; /* of its program; 0: a perf-event uprobe at the first offset */
	u32 count;
	bool event_only; /* a perf-event uprobe without a program */
	pid_t pid;	 /* as for uprobe_link_create_multi */
	bool ret;
	u64 offsets[LINK_SITES_MAX], cookies[LINK_SITES_MAX];
};

enum link_verb {
	LINK_OPEN,  /* make a leg; answered */
	LINK_CLOSE, /* begin to close one */
	LINK_WAIT,  /* answered when all that is being closed is gone */
};

/* A message to the process; with LINK_OPEN it brings two descriptors: the program's and the file's. */
struct link_request {
	enum link_verb verb;
	u32 number; /* of the leg; the sender chooses it, and uses none twice */
	struct link_leg leg;
};

/*
 * Answer the requests that come through the SOCK_SEQPACKET socket, each answer an int, 0 or negative errno. Ends the process when
 * the other end is closed; its links go with it.
 */
_Noreturn void kept_links_serve(int socket);
