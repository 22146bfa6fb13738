/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/graft.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "inline/frame_header.h"
#include "inline/patches.h"
#include "inline/program_headers.h"
#include "inline/sampler_image.h"
#include "probe/plan.h"

#define FRAMES_BYTES_MAX (64U << 20)
#define FILLED_BYTES_MAX (64U << 20)
#define FRAME_BYTES_MIN	 16 /* of a function's entry in .eh_frame */
#define TABLE_BITS_MIN	 14
#define TABLE_BITS_MAX	 17

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
	struct file_edit edits[RANGES_MAX + 3]; /* patches, added, filled, header */
	Elf64_Ehdr header;
	u8 *filled; /* bytes of a segment that have another place in the file; NULL: none have */
	u8 added[]; /* the executable segment */
};

/* One file on its way. Addresses are virtual ones. */
struct grafting {
	struct elf *elf;
	const struct plan *plan;
	const struct graft_settings *settings;
	struct graft *graft;
	struct program_headers headers;
	struct frame_header frames;
	bool has_frames;
	const struct sampler_header *sampler;
	u32 table_bits;
	struct program_addition at;
	u64 paths, image;
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

static void check_functions(struct grafting *grafting)
{
	const struct plan *plan = grafting->plan;
	char *reason = grafting->graft->reason;

	if (plan->doubtful_count)
		snprintf(reason, GRAFT_REASON_MAX, "calls of its %s may be missed", plan->doubtful);
	else if (plan->ranges.count >= RANGES_MAX)
		snprintf(reason, GRAFT_REASON_MAX, "its functions are too many");
	for (u32 i = 0; i < plan->probe_count && !is_refused(grafting); i++)
		if (plan->probes[i].kind == CALL_PASSED)
			snprintf(reason, GRAFT_REASON_MAX, "its %s hands calls on", plan->probes[i].symbol);
}

/* That others may put a function of their own in the place of what it exports. */
static bool is_library(const struct program_headers *headers)
{
	return headers->file.e_type == ET_DYN && !headers->file.e_entry && !program_headers_find(headers, PT_INTERP);
}

/*
 * A compiler that sees a function and its caller lets the caller keep values in registers that the function leaves alone (GCC's
 * -fipa-ra, from -O2 on). The sampler does not leave them alone. Nobody keeps values over a call that may end in another file's
 * code, or over one of an allocator of a known family, which is compiled apart from its callers and calls the system.
 */
static void check_callers(struct grafting *grafting)
{
	const struct plan *plan = grafting->plan;
	bool unknown = plan->unknown && !is_library(&grafting->headers);

	for (u32 i = 0; i < plan->probe_count && !is_refused(grafting); i++)
		if (plan->probes[i].pool || unknown)
			snprintf(grafting->graft->reason, GRAFT_REASON_MAX,
				 "callers of its %s may count on registers that it leaves alone",
				 plan->probes[i].symbol);
}

/* A function that throws needs a table in which the sampler's code is; for others it is enough that the file's own one stays. */
static int do_without_frames(struct grafting *grafting, const char *reason)
{
	return plan_throws(grafting->plan) ? refuse(grafting, reason) : 0;
}

/* GCC links static programs without the table: their frames are found another way, the sampler's would not be. */
static int read_frames(struct grafting *grafting)
{
	const Elf64_Phdr *row = program_headers_find(&grafting->headers, PT_GNU_EH_FRAME);
	u8 *bytes;
	int err;

	if (!row)
		return do_without_frames(grafting, "its functions may throw, and it has no .eh_frame_hdr");
	err = elf_read_bytes(grafting->elf, row->p_offset, row->p_filesz, FRAMES_BYTES_MAX, &bytes);
	if (err)
		return err;
	err = frame_header_read(bytes, row->p_filesz, row->p_vaddr, &grafting->frames);
	free(bytes);
	grafting->has_frames = !err;
	if (err != -EOPNOTSUPP)
		return err;
	return do_without_frames(grafting, "its functions may throw, and its .eh_frame_hdr is of another form");
}

static int read_file(struct grafting *grafting)
{
	const char *refusal;
	int err;

	check_functions(grafting);
	if (is_refused(grafting))
		return 0;
	err = program_headers_read(grafting->elf, &grafting->headers, &refusal);
	if (err)
		return err;
	if (refusal)
		return refuse(grafting, refusal);
	check_callers(grafting);
	return is_refused(grafting) ? 0 : read_frames(grafting);
}

/* --- where everything goes --- */

/* Twice as many buckets as are needed would be emptier; but each is memory that the program touches. */
static u32 table_bits(const struct graft_settings *settings)
{
	u64 objects = settings->memory_bytes / (settings->sample_bytes ? settings->sample_bytes : 1);
	u32 bits = TABLE_BITS_MIN;

	while (bits < TABLE_BITS_MAX && 1ULL << bits < objects)
		bits++;
	return bits;
}

/* How many functions the sampler's code has is known when it is read, at its place. */
static size_t frames_room(const struct grafting *grafting)
{
	if (!grafting->has_frames)
		return 0;
	return frame_header_size(&grafting->frames) + grafting->sampler->eh_frame_bytes / FRAME_BYTES_MIN * 8;
}

static void lay_out(struct grafting *grafting)
{
	const struct sampler_header *sampler = grafting->sampler;
	struct program_addition *at = &grafting->at;
	const Elf64_Phdr *filled;

	at->headers = grafting->headers.next;
	at->note = at->headers + program_headers_size(&grafting->headers);
	at->note_bytes = sizeof(marker);
	at->eh_frame_hdr = at->note + at->note_bytes;
	grafting->paths = round_up(at->eh_frame_hdr + frames_room(grafting), 64);
	grafting->image = round_up(grafting->paths + patches_room(grafting->plan->probe_count), SAMPLER_PAGE);
	at->data = grafting->image + sampler->slots;
	grafting->table_bits = table_bits(grafting->settings);
	at->data_bytes = sampler->table - sampler->slots + (sizeof(u64) << grafting->table_bits);
	filled = program_headers_to_fill(&grafting->headers);
	if (filled)
		at->filled = at->data - grafting->headers.base + filled->p_vaddr % SAMPLER_PAGE;
}

/* --- what is put there --- */

static u8 *place(const struct grafting *grafting, u64 address)
{
	return grafting->graft->parts->added + (address - grafting->at.headers);
}

static int put_frames(struct grafting *grafting)
{
	const struct sampler_header *sampler = grafting->sampler;
	struct program_addition *at = &grafting->at;
	int err;

	if (!grafting->has_frames) {
		at->eh_frame_hdr = 0;
		return 0;
	}
	err = frame_header_add(&grafting->frames, (const u8 *)sampler + sampler->eh_frame, sampler->eh_frame_bytes,
			       grafting->image + sampler->eh_frame);
	at->eh_frame_hdr_bytes = frame_header_size(&grafting->frames);
	return err ? err : frame_header_write(&grafting->frames, at->eh_frame_hdr, place(grafting, at->eh_frame_hdr));
}

static bool has_rdrand(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_RDRND;
}

/* `address`: the config's, from which offsets are. */
static int put_range(struct sampler_config *config, u64 address, u64 start, u64 size)
{
	s64 first = (s64)(start - address), end = first + (s64)size;

	if (first < INT32_MIN || end > INT32_MAX)
		return -ERANGE;
	config->ranges[config->range_count++] = (struct sampler_range){.start = (s32)first, .end = (s32)end};
	return 0;
}

static int put_config(struct grafting *grafting)
{
	const struct ranges *ranges = &grafting->plan->ranges;
	u64 address = grafting->image + grafting->sampler->config, start;
	struct sampler_config *config = (struct sampler_config *)place(grafting, address);
	int err;

	*config = (struct sampler_config){
		.sample_bytes = grafting->settings->sample_bytes,
		.session = grafting->settings->session,
		.table_bits = grafting->table_bits,
		.has_rdrand = has_rdrand(),
	};
	/* Where the sampler calls a function that goes on in another one. */
	err = put_range(config, address, grafting->image, grafting->sampler->config);
	for (u32 i = 0; i < ranges->count && !err; i++) {
		if (elf_offset_to_vaddr(grafting->elf, ranges->range[i].start, &start))
			return -EBADMSG;
		err = put_range(config, address, start, ranges->range[i].end - ranges->range[i].start);
	}
	return err;
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
	err = put_config(grafting);
	if (!err)
		err = put_frames(grafting);
	if (!err)
		err = read_filled(grafting);
	if (!err)
		err = put_patches(grafting);
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

	program_headers_write(&grafting->headers, at, &parts->header, (Elf64_Phdr *)parts->added);
	add_edit(graft, at->headers - base, parts->added, at->data - at->headers);
	for (u32 i = 0; i < parts->patches.count; i++)
		add_edit(graft, parts->patches.patch[i].offset, parts->patches.patch[i].bytes,
			 parts->patches.patch[i].size);
	graft->change.size = at->data - base;
	if (at->filled) {
		const Elf64_Phdr *row = program_headers_to_fill(&grafting->headers);

		add_edit(graft, at->filled, parts->filled, row->p_filesz);
		graft->change.size = at->filled + row->p_memsz;
	}
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

int graft_make(struct elf *elf, const struct plan *plan, const struct graft_settings *settings, struct graft *ret_graft)
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
	if (err == -EBADMSG)
		err = refuse(&grafting, "its headers contradict each other or its contents");
	program_headers_release(&grafting.headers);
	frame_header_release(&grafting.frames);
	return err;
}

void graft_release(struct graft *graft)
{
	if (graft->parts)
		free(graft->parts->filled);
	free(graft->parts);
	*graft = (struct graft){0};
}
