/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What doctor says of processes that are to have the sampler brought into them (inline/running_sampler.h). */
#include <sys/types.h>

struct binaries;

/* Say for each allocator file that the process maps: can it, or why not; and for how long the process would stand still. */
void doctor_inline_print(pid_t pid, struct binaries *binaries);
