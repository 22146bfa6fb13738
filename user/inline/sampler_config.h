/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the sampler is told, be it in a copy of an allocator's file or in a process that runs; and which files can have it. */
#include <stddef.h>

#include "include/sampler.h"

struct elf;
struct plan;

struct sampler_settings {
	u64 sample_bytes; /* mean bytes between samples */
	u64 session;	  /* a random number of the recording */
	u64 memory_bytes; /* that a process may have at most */
};

#define SAMPLER_REASON_MAX 160

/* Why functions of the file cannot have it, "its strdup ..."; empty: as far as is known here, they can. */
void sampler_config_check(const struct plan *plan, char ret_reason[SAMPLER_REASON_MAX]);

/* Bytes of its data, which follow its image. */
u64 sampler_config_data_bytes(const struct sampler_settings *settings);

/*
 * For an image at virtual address `image` of the file. 0; -EBADMSG: the file is corrupt; -ERANGE: the image is too far from the
 * file's functions.
 */
int sampler_config_make(const struct elf *elf, const struct plan *plan, const struct sampler_settings *settings,
			u64 image, struct sampler_config *ret_config);
