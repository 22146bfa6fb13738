/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Processes whose mappings were not read for want of descriptors or memory, so that their allocations may not be seen. */
#include <sys/types.h>

#include "include/types.h"

struct tracer;

struct unread {
	u32 processes; /* so far */
	u32 said;      /* of these, when that was said last */
	int err;       /* of the last one */
};

/* One more. The first is named, others are counted: in a shortage all that begin are such, and a build begins thousands. */
void unread_add(struct tracer *tracer, pid_t pid, int err);

/* Say how many there are, if there are more than was said. At the end of a recording. */
void unread_say(struct unread *unread);
