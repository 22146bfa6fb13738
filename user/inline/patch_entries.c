/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/patch_entries.h"

#include <errno.h>
#include <stdlib.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"

/* Code is read in pieces, which overlap by what a branch has at most. */
#define PIECE_BYTES  (1U << 20)
#define BRANCH_BYTES 6

/* All segments that are executed have so much at most. Browsers have 0.25 GiB; several segments of a hostile file may be the same bytes, or a hole. */
#define CODE_BYTES_MAX ((u64)1 << 30)

struct search {
	const struct patch_surroundings *surroundings;
	int number; /* -1: nothing was found yet */
};

static bool is_within(const struct elf_symbol *symbol, const struct patch *patch)
{
	return symbol->offset > patch->offset && symbol->offset < patch->offset + patch->size;
}

/* A function with a name may be entered from another file. */
static int check_symbol(const struct elf_symbol *symbol, void *arg)
{
	struct search *search = arg;
	const struct patches *patches = search->surroundings->patches;

	for (u32 i = 0; i < patches->count && search->number < 0; i++)
		if (is_within(symbol, &patches->patch[i]) || is_within(symbol, &patches->landing[i]))
			search->number = (int)i;
	return 0;
}

static int check_short(struct search *search, const Elf64_Phdr *segment, u32 number)
{
	const struct branch_range *range = &search->surroundings->taken[number];
	u8 around[INCOMING_BRANCH_BEFORE + MOVED_CODE_RANGE_MAX + INCOMING_BRANCH_BEHIND];
	u64 start = range->start - segment->p_vaddr, end = range->end - segment->p_vaddr + INCOMING_BRANCH_BEHIND;
	ssize_t size;
	int found;

	if (range->start < segment->p_vaddr || start >= segment->p_filesz)
		return 0;
	start = start > INCOMING_BRANCH_BEFORE ? start - INCOMING_BRANCH_BEFORE : 0;
	end = end < segment->p_filesz ? end : segment->p_filesz;
	if (end - start > sizeof(around)) { /* no range is so long, and nothing was looked at */
		search->number = (int)search->surroundings->taken_by[number];
		return 0;
	}
	size = elf_read(search->surroundings->elf, segment->p_offset + start, around, end - start);
	if (size < 0)
		return (int)size;
	found = incoming_branch_short(around, (size_t)size, segment->p_vaddr + start, range);
	if (found > 0)
		search->number = (int)search->surroundings->taken_by[number];
	return found < 0 ? found : 0;
}

static int check_near(struct search *search, const Elf64_Phdr *segment, u8 *piece)
{
	const struct patch_surroundings *surroundings = search->surroundings;

	for (u64 at = 0; at < segment->p_filesz && search->number < 0; at += PIECE_BYTES - BRANCH_BYTES) {
		u64 left = segment->p_filesz - at, wanted = left < PIECE_BYTES ? left : PIECE_BYTES;
		ssize_t count = elf_read(surroundings->elf, segment->p_offset + at, piece, wanted);
		int range;

		if (count < 0)
			return (int)count;
		range = incoming_branch_near(piece, (size_t)count, segment->p_vaddr + at, surroundings->taken,
					     surroundings->taken_count);
		if (range >= 0)
			search->number = (int)surroundings->taken_by[range];
		if ((u64)count < wanted) /* the file ends there */
			break;
	}
	return 0;
}

static int check_segment(struct search *search, const Elf64_Phdr *segment, u8 *piece)
{
	int err = check_near(search, segment, piece);

	for (u32 i = 0; i < search->surroundings->taken_count && !err && search->number < 0; i++)
		err = check_short(search, segment, i);
	return err;
}

static bool is_executed(const Elf64_Phdr *row)
{
	return row->p_type == PT_LOAD && row->p_flags & PF_X;
}

static bool has_too_much_code(const struct program_headers *headers)
{
	u64 left = CODE_BYTES_MAX;

	for (u32 i = 0; i < headers->count; i++) {
		if (!is_executed(&headers->rows[i]))
			continue;
		if (headers->rows[i].p_filesz > left)
			return true;
		left -= headers->rows[i].p_filesz;
	}
	return false;
}

int patch_entries_find(const struct patch_surroundings *surroundings, int *ret_number)
{
	const struct program_headers *headers = surroundings->headers;
	struct search search = {.surroundings = surroundings, .number = -1};
	u8 *piece;
	int err = 0;

	if (has_too_much_code(headers))
		return -E2BIG;
	piece = malloc(PIECE_BYTES);
	if (!piece)
		return -ENOMEM;
	for (u32 i = 0; i < headers->count && !err && search.number < 0; i++)
		if (is_executed(&headers->rows[i]))
			err = check_segment(&search, &headers->rows[i], piece);
	free(piece);
	if (!err && search.number < 0)
		err = elf_for_each_function(surroundings->elf, check_symbol, &search);
	*ret_number = search.number;
	return err;
}
