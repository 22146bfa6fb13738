/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The breakpoints in the code of a process: bytes 0xcc where the file that it maps has others. Only pages that the process no
 * longer shares with the file are compared, so that a look costs little. Who set them cannot be seen.
 */
#include <sys/types.h>

#include "include/types.h"

struct mapping;

/*
 * Call `each` for every breakpoint until it returns non-zero: `offset` in the file behind `file`, a descriptor that is closed
 * afterwards. A page that differs in other ways too is left out. Returns what `each` did, or 0, or a negative errno: -ESRCH, or
 * -EACCES and -EPERM where the process may not be looked at.
 */
int breakpoints_for_each(pid_t pid, int (*each)(const struct mapping *mapping, int file, u64 offset, void *arg),
			 void *arg);
