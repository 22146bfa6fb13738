/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Whether a process may make the system calls of the sampler (inline/blob/). A seccomp filter can kill at one where it could
 * refuse it; one that heaptap runs under is COMMAND's as well, so a child of heaptap tries.
 */
#include <stdbool.h>

/* False: the child was killed by it. */
bool filter_trial_passed(void);
