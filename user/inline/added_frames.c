/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/added_frames.h"

#include <errno.h>
#include <stdlib.h>

#include "binary/elf.h"
#include "inline/path_frames.h"
#include "inline/program_headers.h"

#define FRAMES_BYTES_MAX (64U << 20)
#define ENTRY_BYTES_MIN	 16 /* of a function in .eh_frame */

/* GCC links static programs without the table: their frames are found another way, what is added would not be. */
int added_frames_read(struct elf *elf, const struct program_headers *headers, struct added_frames *ret_frames)
{
	const Elf64_Phdr *row = program_headers_find(headers, PT_GNU_EH_FRAME);
	u8 *bytes;
	int err;

	if (!row)
		return 0;
	err = elf_read_bytes(elf, row->p_offset, row->p_filesz, FRAMES_BYTES_MAX, &bytes);
	if (err)
		return err;
	err = frame_header_read(bytes, row->p_filesz, row->p_vaddr, &ret_frames->header);
	free(bytes);
	ret_frames->has_header = !err;
	return err == -EOPNOTSUPP ? 0 : err;
}

void added_frames_release(struct added_frames *frames)
{
	frame_header_release(&frames->header);
	debug_frame_release(&frames->debug);
}

/* How many functions the sampler's code has is known when it is read, at its place. */
size_t added_frames_header_room(const struct added_frames *frames, const struct sampler_header *sampler, u32 count)
{
	size_t functions = sampler->eh_frame_bytes / ENTRY_BYTES_MIN + path_frames_count(count);

	return frames->has_header ? frame_header_size(&frames->header) + frame_header_rows_size(functions) : 0;
}

static int add(struct added_frames *frames, const u8 *eh_frame, size_t size, u64 address)
{
	int err = debug_frame_add(&frames->debug, eh_frame, size, address);

	return err || !frames->has_header ? err : frame_header_add(&frames->header, eh_frame, size, address);
}

int added_frames_put(struct added_frames *frames, const struct added_frames_scene *scene)
{
	const struct patches *patches = scene->patches;
	const struct sampler_header *sampler = scene->sampler;
	size_t size;
	int err =
		path_frames_make(scene->elf, patches->paths, patches->count, scene->entries, scene->entry_bytes, &size);

	if (!err)
		err = add(frames, scene->entry_bytes, size, scene->entries);
	if (!err)
		err = add(frames, (const u8 *)sampler + sampler->eh_frame, sampler->eh_frame_bytes,
			  scene->image + sampler->eh_frame);
	return err || !frames->has_header ? err
					  : frame_header_write(&frames->header, scene->header, scene->header_bytes);
}
