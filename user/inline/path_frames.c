/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/path_frames.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "unwind/cfi_entries.h"

#define ENTRIES_EACH	3 /* in front of the moved instructions, these, and behind them */
#define ENTRY_BYTES_MAX 128
#define ALIGNMENT	8

/* As compilers begin functions: the return address is what the stack pointer points to. */
static const struct {
	u32 length, mark;
	u8 version;
	char augmentation[3];
	u8 code_factor, data_factor, return_address, augmentation_bytes, encoding;
	u8 instructions[7];
} common_entry = {
	.length = sizeof(common_entry) - sizeof(common_entry.length),
	.version = 1,
	.augmentation = "zR",
	.code_factor = 1,
	.data_factor = -8 & 0x7f,
	.return_address = REGISTER_IP,
	.augmentation_bytes = 1,
	.encoding = DW_EH_PE_pcrel | DW_EH_PE_sdata4,
	.instructions = {DW_CFA_def_cfa, REGISTER_SP, 8, DW_CFA_offset | REGISTER_IP, 1},
};

struct writing {
	u8 *bytes;
	size_t size, limit; /* of the entry being written */
	u64 address;
	bool full;
};

static void put(struct writing *writing, const void *bytes, size_t size)
{
	if (size > writing->limit - writing->size) {
		writing->full = true;
		return;
	}
	memcpy(writing->bytes + writing->size, bytes, size);
	writing->size += size;
}

static void put_u32(struct writing *writing, u32 value)
{
	put(writing, &value, sizeof(value));
}

/* --- one entry --- */

/* What the file says of a function. */
struct source {
	const struct cfi_function *function;
	const struct cfi_common *common;
	const struct framed_path *path;
};

/* A path, and what is copied for it: what counts up to so many bytes behind the function's start. */
struct part {
	u64 start, end;
	u32 last;
};

struct copying {
	struct writing *writing;
	const struct moved_code *moved;
	u32 last;
	u8 reached; /* bytes behind the part's start, up to which rules are written */
};

/* Where in the part the instruction is that stood so many bytes behind the function's start, or the next one. */
static u8 place_of(const struct moved_code *moved, u64 distance)
{
	u32 i = 0;

	while (moved->places[i].from < distance)
		i++;
	return moved->places[i].to;
}

static int copy_instruction(void *arg, u64 distance, const u8 *instruction, size_t size)
{
	struct copying *copying = arg;
	u8 place;

	if (distance > copying->last)
		return 1;
	place = place_of(copying->moved, distance);
	if (place > copying->reached) {
		put(copying->writing, (const u8[]){DW_CFA_advance_loc1, place - copying->reached}, 2);
		copying->reached = place;
	}
	put(copying->writing, instruction, size);
	return copying->writing->full;
}

static void begin_entry(struct writing *writing, u64 start, u64 end)
{
	writing->limit = writing->size + ENTRY_BYTES_MAX;
	put_u32(writing, 0);
	put_u32(writing, (u32)writing->size); /* back to the common entry, the first */
	put_u32(writing, (u32)(start - (writing->address + writing->size)));
	put_u32(writing, (u32)(end - start));
	put(writing, "", 1); /* no more augmentation */
}

/* What the path itself has pushed. */
static void put_depths(struct writing *writing, const struct framed_path *path, const struct part *part)
{
	u64 behind = part->start;

	for (u32 i = 0; i < path->depth_count; i++) {
		const struct fast_path_depth *depth = &path->depths[i];

		if (depth->address < part->start || depth->address >= part->end)
			continue;
		if (depth->address > behind)
			put(writing, (const u8[]){DW_CFA_advance_loc1, (u8)(depth->address - behind)}, 2);
		put(writing, (const u8[]){DW_CFA_def_cfa_offset, 8 + depth->bytes}, 2);
		behind = depth->address;
	}
}

static void end_entry(struct writing *writing, size_t begin)
{
	u32 length;

	while (writing->size % ALIGNMENT)
		put(writing, (const u8[]){DW_CFA_nop}, 1);
	length = (u32)(writing->size - begin - sizeof(length));
	memcpy(writing->bytes + begin, &length, sizeof(length));
}

static void add_entry(struct writing *writing, const struct source *source, const struct part *part)
{
	struct copying copying = {.writing = writing, .moved = source->path->moved, .last = part->last};
	size_t begin = writing->size;

	if (part->start == part->end)
		return;
	writing->full = false;
	begin_entry(writing, part->start, part->end);
	put_depths(writing, source->path, part);
	if (cfi_function_copy(source->function, source->common, copy_instruction, &copying) < 0 || writing->full)
		writing->size = begin;
	else
		end_entry(writing, begin);
}

/* --- all of them --- */

static bool is_as_ours(const struct cfi_common *common)
{
	const struct cfi_frame *initial = &common->initial;

	return common->code_factor == 1 && common->data_factor == -8 && !common->is_signal &&
	       initial->cfa_register == REGISTER_SP && initial->cfa_offset == 8 && initial->ip.kind == PLACE_OFFSET &&
	       initial->ip.offset == -8 && initial->bp.kind == PLACE_SAME && initial->bx.kind == PLACE_SAME;
}

static const struct cfi_function *find(const struct cfi_entries *entries, u64 address)
{
	for (u32 i = 0; i < entries->function_count; i++)
		if (entries->functions[i].address == address)
			return &entries->functions[i];
	return NULL;
}

/* At the jump to the path all is as at the function's first instruction that is moved. */
static void add_path(struct writing *writing, const struct cfi_entries *entries, const struct framed_path *path)
{
	const struct moved_code *moved = path->moved;
	struct source source = {.function = find(entries, path->function), .path = path};
	u64 behind = path->original + moved->size;
	const struct part parts[ENTRIES_EACH] = {
		{path->start, path->original, moved->skip},
		{path->original, behind, moved->skip + moved->taken},
		{behind, path->end, moved->skip},
	};

	if (!source.function)
		return;
	source.common = &entries->commons[source.function->common];
	for (u32 i = 0; i < ENTRIES_EACH && is_as_ours(source.common); i++)
		add_entry(writing, &source, &parts[i]);
}

u32 path_frames_count(u32 count)
{
	return count * ENTRIES_EACH;
}

size_t path_frames_room(u32 count)
{
	return sizeof(common_entry) + (size_t)path_frames_count(count) * ENTRY_BYTES_MAX;
}

int path_frames_make(const struct elf *elf, const struct framed_path *paths, u32 count, u64 address, u8 *ret_bytes,
		     size_t *ret_size)
{
	struct cfi_section sections[CFI_SECTION_COUNT];
	struct writing writing = {.bytes = ret_bytes, .limit = sizeof(common_entry), .address = address};
	struct cfi_entries entries;
	int err = cfi_sections_read(elf, sections);

	*ret_size = 0;
	if (err)
		return err == -ENODATA || err == -EBADMSG || err == -EFBIG ? 0 : err;
	err = cfi_entries_read(elf, sections, &entries);
	if (!err) {
		put(&writing, &common_entry, sizeof(common_entry));
		for (u32 i = 0; i < count; i++)
			add_path(&writing, &entries, &paths[i]);
		*ret_size = writing.size;
	}
	cfi_entries_release(&entries);
	cfi_sections_release(sections);
	return err == -EFBIG ? 0 : err;
}
