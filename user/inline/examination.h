/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Can a process that runs have the sampler for one of its files (running_sampler.h)? Found out without stopping or changing it. */
#include <sys/types.h>

#include "inline/sampler_config.h"

struct elf;
struct mapping;
struct plan;

/*
 * `mapping` is one of the file's; why not is in ret_reason, empty: as far as can be seen, it can. 0, whether it can or not; -EBUSY: not at the
 * moment, for that reason; -ENOMEM, or another negative errno.
 */
int examination_make(pid_t pid, const struct mapping *mapping, struct elf *elf, const struct plan *plan,
		     char ret_reason[SAMPLER_REASON_MAX]);
