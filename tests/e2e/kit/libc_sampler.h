/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* target_patient, and the sampler brought into its C library. Functions fail the running test themselves. */
#include <stdbool.h>

#include "injected.h"
#include "inline/running_sampler.h"
#include "probe/plan.h"
#include "system/address_map.h"

#define LIBC_SAMPLER_BYTES 16384 /* mean bytes between samples */

struct libc_sampler {
	struct injected injected;
	struct mapping mapping; /* of the C library */
	struct elf *elf;
	struct plan plan;
	struct running_sampler sampler;
};

/* Start the target with the words of its command line, and wait until it works. */
void libc_sampler_begin(struct libc_sampler *in, const char *const *words);
void libc_sampler_end(struct libc_sampler *in);

/* In the place of one that was released; nothing leads to it yet. */
void libc_sampler_load(struct libc_sampler *in);

/* May what has failed just now pass? */
bool libc_sampler_is_busy(const struct libc_sampler *in);
