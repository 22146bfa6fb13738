/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The functions of a file that get a fast path: those paths, and the jumps to them. */
#include <stddef.h>

#include "include/config.h"
#include "include/sampler.h"
#include "inline/moved_code.h"
#include "inline/path_frames.h"
#include "inline/program_headers.h"

struct elf;
struct plan;

/* What a function's first bytes become. */
struct patch {
	u64 offset; /* in the file */
	u8 bytes[MOVED_CODE_TAKEN_MAX];
	size_t size;
};

struct patches {
	struct patch patch[RANGES_MAX];
	struct patch landing[RANGES_MAX]; /* where patch i is a short jump, it leads there first; size 0: it is not */
	struct framed_path paths[RANGES_MAX]; /* where patch i leads to */
	struct moved_code moved[RANGES_MAX];
	u32 count;
};

struct patch_scene {
	struct elf *elf;
	const struct program_headers *headers; /* the file's own */
	const struct plan *plan;
	const struct sampler_header *sampler;
	enum moved_code_jump jump;
	bool has_frames; /* whoever looks for a frame of the sampler's code finds it, so that exceptions can pass */
	u64 image;	 /* virtual address of the sampler's image */
	u64 address;	 /* where the fast paths are to run, patches_room() bytes */
	u8 *bytes;	 /* where they are written to */
};

/* Bytes of the fast paths of that many functions. */
size_t patches_room(u32 count);

/*
 * 0, also if a function cannot have one, and then `ret_reason` says why, "its free ..."; else it is left alone. -ENOMEM, or an
 * error of reading.
 */
int patches_make(const struct patch_scene *scene, struct patches *ret_patches, char *ret_reason, size_t reason_size);
