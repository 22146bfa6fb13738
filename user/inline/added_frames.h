/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Call frame information of what is added to a file, the fast paths and the sampler: in the table that the C++ unwinder and
 * profilers within a program go by (.eh_frame_hdr), which takes the place of the file's own, and as debuggers read it.
 */
#include "inline/debug_frame.h"
#include "inline/frame_header.h"
#include "inline/patches.h"

struct elf;
struct program_headers;
struct sampler_header;

struct added_frames {
	struct frame_header header;
	bool has_header; /* else it had none, or one of another form, which stays */
	struct debug_frame debug;
};

/* Read the file's own table. 0, also if it has none; -EBADMSG, -ENOMEM, or an error of reading. Release in any case. */
int added_frames_read(struct elf *elf, const struct program_headers *headers, struct added_frames *ret_frames);
void added_frames_release(struct added_frames *frames);

/* Bytes that the new table has at most when so many functions get paths. */
size_t added_frames_header_room(const struct added_frames *frames, const struct sampler_header *sampler, u32 count);

/* Where it is all put. Addresses are virtual ones. */
struct added_frames_scene {
	const struct elf *elf;
	const struct patches *patches;
	const struct sampler_header *sampler;
	u64 image;   /* the sampler's */
	u64 entries; /* of the paths, path_frames_room() bytes */
	u8 *entry_bytes;
	u64 header; /* the new table */
	u8 *header_bytes;
};

/* 0; -EBADMSG, -EOPNOTSUPP, -ERANGE as frame_header has them; -ENOMEM, or an error of reading. */
int added_frames_put(struct added_frames *frames, const struct added_frames_scene *scene);
