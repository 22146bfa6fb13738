/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is put into the memory of a process that runs: fast paths, and behind them the sampler's image, for one file that it maps. */
#include "inline/patches.h"
#include "inline/sampler_config.h"
#include "system/injection.h"

struct mapping;

struct process_image {
	struct elf *elf; /* borrowed, like the next two: set by the caller */
	const struct plan *plan;
	const struct sampler_settings *settings;
	u64 near, near_end; /* addresses of the file in the process */
	u64 paths_bytes;    /* whole pages; the sampler's image follows */
	u64 bytes;	    /* of both */
	u8 *contents;	    /* all zero before they are filled */
	u64 address;	    /* in the process, that they are filled for */
	u64 bias;	    /* from virtual addresses of the file to those of the process */
	struct program_headers headers;
	struct patches patches;
};

/* Whole pages. */
u64 process_image_data_bytes(const struct sampler_settings *settings);

/*
 * How large it is, by one mapping of the file, and whether there can be one: else why not is in ret_reason. 0, -EBADMSG: the file is
 * corrupt; -ENOMEM, or an error of reading. Release in any case.
 */
int process_image_begin(struct process_image *image, const struct mapping *mapping,
			char ret_reason[SAMPLER_REASON_MAX]);

/* Fill the contents for that address in the process. The same results. */
int process_image_fill(struct process_image *image, u64 address, char ret_reason[SAMPLER_REASON_MAX]);

/* The jumps to what was filled, allocated; functions that end objects come first. The same results, without reasons. */
int process_image_jumps(const struct process_image *image, struct injection_patch **ret_jumps, u32 *ret_count);

void process_image_release(struct process_image *image);
