/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/graft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "inline/added_frames.h"
#include "inline/patches.h"
#include "inline/program_headers.h"
#include "inline/sampler_config.h"
#include "inline/sampler_image.h"
#include "inline/section_headers.h"
#include "probe/plan.h"

#define FILLED_BYTES_MAX (64U << 20)

/* For whoever finds a copy that has got out. */
static const struct marker {
	Elf64_Nhdr header;
	char name[8];
	char text[96];
} marker = {
	.header = {.n_namesz = sizeof("heaptap"), .n_descsz = 96, .n_type = 1},
	.name = "heaptap",
	.text = "A copy for one recording: heaptap's allocation sampler was put into it. Use the original.",
};

struct graft_parts {
	struct patches patches;
	struct file_edit edits[RANGES_MAX + 4]; /* patches, added, filled, sections, header */
	Elf64_Ehdr header;
	struct section_addition sections; /* at the file's end */
	u8 *filled;			  /* bytes of a segment that have another place in the file; NULL: none have */
	u8 added[];			  /* the executable segment */
};

/* One file on its way. Addresses are virtual ones. */
struct grafting {
	struct elf *elf;
	const struct plan *plan;
	const struct sampler_settings *settings;
	struct graft *graft;
	struct program_headers headers;
	struct added_frames frames;
	const struct sampler_header *sampler;
	struct program_addition at;
	u64 path_frames, paths, image;
	u64 sections; /* file offset of what debuggers read */
};

static int refuse(struct grafting *grafting, const char *reason)
{
	snprintf(grafting->graft->reason, GRAFT_REASON_MAX, "%s", reason);
	return 0;
}

static bool is_refused(const struct grafting *grafting)
{
	return grafting->graft->reason[0];
}

static u64 round_up(u64 value, u64 unit)
{
	return (value + unit - 1) / unit * unit;
}

/* --- what the file has --- */

static int read_file(struct grafting *grafting)
{
	const char *refusal;
	int err;

	sampler_config_check(grafting->plan, grafting->graft->reason);
	if (is_refused(grafting))
		return 0;
	err = program_headers_read(grafting->elf, &grafting->headers, &refusal);
	if (err)
		return err;
	if (refusal)
		return refuse(grafting, refusal);
	return added_frames_read(grafting->elf, &grafting->headers, &grafting->frames);
}

/* --- where everything goes --- */

static void lay_out(struct grafting *grafting)
{
	const struct sampler_header *sampler = grafting->sampler;
	struct program_addition *at = &grafting->at;
	const Elf64_Phdr *filled = program_headers_to_fill(&grafting->headers);
	u32 count = grafting->plan->probe_count;

	at->headers = grafting->headers.next;
	at->note = at->headers + program_headers_size(&grafting->headers);
	at->note_bytes = sizeof(marker);
	at->eh_frame_hdr = at->note + at->note_bytes;
	grafting->path_frames =
		round_up(at->eh_frame_hdr + added_frames_header_room(&grafting->frames, sampler, count), 8);
	grafting->paths = round_up(grafting->path_frames + path_frames_room(count), 64);
	grafting->image = round_up(grafting->paths + patches_room(count), SAMPLER_PAGE);
	at->data = grafting->image + sampler->slots;
	at->data_bytes = sampler_config_data_bytes(grafting->settings);
	grafting->sections = at->data - grafting->headers.base;
	if (filled) {
		at->filled = grafting->sections + filled->p_vaddr % SAMPLER_PAGE;
		grafting->sections = round_up(at->filled + filled->p_memsz, 8);
	}
}

/* --- what is put there --- */

static u8 *place(const struct grafting *grafting, u64 address)
{
	return grafting->graft->parts->added + (address - grafting->at.headers);
}

static int put_frames(struct grafting *grafting)
{
	struct program_addition *at = &grafting->at;
	const struct added_frames_scene scene = {
		.elf = grafting->elf,
		.patches = &grafting->graft->parts->patches,
		.sampler = grafting->sampler,
		.image = grafting->image,
		.entries = grafting->path_frames,
		.entry_bytes = place(grafting, grafting->path_frames),
		.header = at->eh_frame_hdr,
		.header_bytes = place(grafting, at->eh_frame_hdr),
	};
	int err = added_frames_put(&grafting->frames, &scene);

	at->eh_frame_hdr_bytes = frame_header_size(&grafting->frames.header);
	if (!grafting->frames.has_header)
		at->eh_frame_hdr = 0;
	return err;
}

static int put_headers(struct grafting *grafting)
{
	struct graft_parts *parts = grafting->graft->parts;
	const struct debug_frame *debug = &grafting->frames.debug;

	program_headers_write(&grafting->headers, &grafting->at, &parts->header, (Elf64_Phdr *)parts->added);
	return section_headers_add(grafting->elf, &parts->header, debug->bytes, debug->size, grafting->sections,
				   &parts->sections);
}

static int put_patches(struct grafting *grafting)
{
	const struct sampler_header *sampler = grafting->sampler;
	const struct patch_scene scene = {
		.elf = grafting->elf,
		.headers = &grafting->headers,
		.plan = grafting->plan,
		.address = grafting->paths,
		.bytes = place(grafting, grafting->paths),
		.image = grafting->image,
		.sampler = sampler,
		.has_frames = grafting->frames.has_header,
	};

	return patches_make(&scene, &grafting->graft->parts->patches, grafting->graft->reason, GRAFT_REASON_MAX);
}

static int read_filled(struct grafting *grafting)
{
	const Elf64_Phdr *row = program_headers_to_fill(&grafting->headers);

	if (!row || !row->p_filesz)
		return 0;
	return elf_read_bytes(grafting->elf, row->p_offset, row->p_filesz, FILLED_BYTES_MAX,
			      &grafting->graft->parts->filled);
}

static int fill(struct grafting *grafting)
{
	struct program_addition *at = &grafting->at;
	int err;

	memcpy(place(grafting, at->note), &marker, sizeof(marker));
	memcpy(place(grafting, grafting->image), grafting->sampler, grafting->sampler->slots);
	err = sampler_config_make(
		grafting->elf, grafting->plan, grafting->settings, grafting->image,
		(struct sampler_config *)place(grafting, grafting->image + grafting->sampler->config));
	if (!err)
		err = read_filled(grafting);
	if (!err)
		err = put_patches(grafting);
	if (!err && !is_refused(grafting))
		err = put_frames(grafting);
	if (!err && !is_refused(grafting))
		err = put_headers(grafting);
	return err;
}

/* --- what that makes of the file --- */

static void add_edit(struct graft *graft, u64 offset, const void *bytes, size_t size)
{
	graft->parts->edits[graft->change.edit_count++] =
		(struct file_edit){.offset = offset, .bytes = bytes, .size = size};
}

/* The ELF header is the last: until it is written, the copy is a file that nothing was added to. */
static void list_edits(struct grafting *grafting)
{
	const struct program_addition *at = &grafting->at;
	struct graft *graft = grafting->graft;
	struct graft_parts *parts = graft->parts;
	u64 base = grafting->headers.base, image = grafting->image - base;

	add_edit(graft, at->headers - base, parts->added, at->data - at->headers);
	for (u32 i = 0; i < parts->patches.count; i++)
		add_edit(graft, parts->patches.patch[i].offset, parts->patches.patch[i].bytes,
			 parts->patches.patch[i].size);
	if (at->filled)
		add_edit(graft, at->filled, parts->filled, program_headers_to_fill(&grafting->headers)->p_filesz);
	if (parts->sections.bytes)
		add_edit(graft, grafting->sections, parts->sections.bytes, parts->sections.size);
	graft->change.size = grafting->sections + parts->sections.size;
	add_edit(graft, 0, &parts->header, sizeof(parts->header));
	graft->change.edits = parts->edits;
	graft->config = image + grafting->sampler->config;
	for (int i = 0; i < SAMPLER_SITES; i++)
		graft->sites[i] = image + grafting->sampler->sites[i];
}

static int graft(struct grafting *grafting)
{
	struct graft *graft = grafting->graft;
	int err = read_file(grafting);

	if (err || is_refused(grafting))
		return err;
	lay_out(grafting);
	graft->parts = calloc(1, sizeof(*graft->parts) + (grafting->at.data - grafting->at.headers));
	if (!graft->parts)
		return -ENOMEM;
	err = fill(grafting);
	if (err == -ERANGE)
		return refuse(grafting, "it is too large for its code to reach what is added");
	if (!err && !is_refused(grafting))
		list_edits(grafting);
	return err;
}

int graft_make(struct elf *elf, const struct plan *plan, const struct sampler_settings *settings,
	       struct graft *ret_graft)
{
	struct grafting grafting = {
		.elf = elf,
		.plan = plan,
		.settings = settings,
		.graft = ret_graft,
		.sampler = sampler_image_header(),
	};
	int err;

	*ret_graft = (struct graft){0};
	err = graft(&grafting);
	/* The system's loader may not care for what is wrong with it; and other files are not to pay. */
	if (err == -EBADMSG || err == -EFBIG)
		err = refuse(&grafting, "its headers contradict each other or its contents");
	program_headers_release(&grafting.headers);
	added_frames_release(&grafting.frames);
	return err;
}

void graft_release(struct graft *graft)
{
	if (graft->parts) {
		free(graft->parts->sections.bytes);
		free(graft->parts->filled);
	}
	free(graft->parts);
	*graft = (struct graft){0};
}
