/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * An allocator's file with the sampler in it: what a copy of the file has to be changed to. Two segments are added, and the first
 * instructions of each function that would have a probe become a jump to its fast path:
 *
 *   executable: program headers | note | table of frames | frames of the fast paths | those | pages of the sampler's image
 *               (include/sampler.h)
 *   data, not in the file: the sampler's
 *
 * The file's end is given a section that debuggers look for.
 *
 * The file is read, and nothing is written: file_copies_add does that. All functions of a file or none.
 */
#include "inline/sampler_config.h"
#include "system/file_copies.h"

struct elf;
struct plan;

#define GRAFT_REASON_MAX SAMPLER_REASON_MAX

struct graft {
	char reason[GRAFT_REASON_MAX]; /* why the file cannot have the sampler, "its strdup ..."; empty: it can */
	struct file_change change;     /* valid until graft_release */
	u64 sites[SAMPLER_SITES];      /* file offsets in the grown file */
	u64 config;		       /* likewise, of struct sampler_config */
	struct graft_parts *parts;     /* what `change` consists of */
};

/*
 * 0, whether it can or not, as a corrupt file cannot; -ENOMEM, or an error of reading. Release in any case.
 */
int graft_make(struct elf *elf, const struct plan *plan, const struct sampler_settings *settings,
	       struct graft *ret_graft);
void graft_release(struct graft *graft);
