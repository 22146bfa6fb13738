/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * heaptap's second process, "heaptap-links", which makes, holds and closes all links on targets. heaptap itself may be killed at
 * any moment, by a user or for want of memory, and the kernel does not remove the breakpoints of a link that is being made or
 * closed in a process that is killed (trace/kept_links.h). The second process is small, in a session of its own, ignores every
 * signal that can be ignored, asks the kernel not to choose it for want of memory, and has nothing open but its links. When
 * heaptap has gone, however that came, it closes them and ends.
 *
 * There is one; it is used by one thread. Errors are negative errnos, -EOWNERDEAD when it has been killed.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "trace/kept_links.h"

/* Begin, unless it runs. Early, while heaptap is small and has one thread. 0 or negative errno. */
int link_keeper_start(void);

/* Make a leg for the program and the file behind these descriptors: 0 with its number in *ret_number, or negative errno. */
int link_keeper_open(const struct link_leg *leg, int program, int file, u32 *ret_number);

/* Begin to remove the probes of a leg. Hits stop at once; the kernel takes 30 to 100 ms more, or seconds for many events. */
void link_keeper_close(u32 number);

/* Wait until all legs that were closed are gone. */
void link_keeper_wait(void);

/* Close what is open, wait, and end the process. */
void link_keeper_stop(void);

/* Has it ended although it was not stopped? Then all its links are gone. */
bool link_keeper_lost(void);

pid_t link_keeper_pid(void);	    /* 0: it does not run */
bool link_keeper_is_own(pid_t pid); /* is it that process, or a child of it? */
