/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What heaptap leaves running when it is killed: the process that holds its links, for as long as it takes to close them. */
#include <sys/types.h>

struct child;

/* From now on such processes become children of this one. */
void orphans_adopt(void);

/* Wait until they have ended; `target` is the only child that is none. The number of them. */
unsigned int orphans_await(const struct child *target);

/* The process that holds the links of heaptap `pid`; 0: none yet. */
pid_t orphans_keeper(pid_t pid);
