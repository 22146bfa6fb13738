/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/return_site.h"

#include <errno.h>
#include <stdlib.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "probe/insn_return.h"
#include "unwind/cfi_entries.h"

#define PIECES_MAX	8
#define PIECE_BYTES_MAX 65536

/* Code that the function goes through, by the symbol that names it. */
struct piece {
	u64 offset, size;
};

struct search {
	struct elf *elf;
	struct return_sites *sites;
	struct piece pieces[PIECES_MAX];
	unsigned int piece_count;
	/* For stripped files, whose functions have no names. */
	bool has_entries;
	struct cfi_section sections[CFI_SECTION_COUNT];
	struct cfi_entries entries;
};

struct lookup {
	u64 offset;
	struct piece found; /* size 0: no symbol names the code there */
};

static int match(const struct elf_symbol *symbol, void *arg)
{
	struct lookup *lookup = arg;

	if (lookup->offset - symbol->offset >= symbol->size)
		return 0;
	lookup->found = (struct piece){symbol->offset, symbol->size};
	return 0;
}

/* The code around `offset` that unwind information takes for one function; it tells the PLT so too. Size 0: none. */
static struct piece find_entry(struct search *search, u64 offset)
{
	const struct cfi_entries *entries = &search->entries;

	if (!search->has_entries) {
		search->has_entries = true;
		if (cfi_sections_read(search->elf, search->sections) ||
		    cfi_entries_read(search->elf, search->sections, &search->entries))
			return (struct piece){0};
	}
	for (u32 i = 0; i < entries->function_count; i++) {
		const struct cfi_function *function = &entries->functions[i];

		if (offset - function->offset < function->size)
			return (struct piece){function->offset, function->size};
	}
	return (struct piece){0};
}

static bool is_known(const struct search *search, u64 offset)
{
	for (unsigned int i = 0; i < search->piece_count; i++)
		if (offset - search->pieces[i].offset < search->pieces[i].size)
			return true;
	return false;
}

static int follow(struct search *search, u64 offset)
{
	struct lookup lookup = {.offset = offset};
	int err;

	if (is_known(search, offset))
		return 0;
	err = elf_for_each_function(search->elf, match, &lookup);
	if (err)
		return err;
	if (!lookup.found.size)
		lookup.found = find_entry(search, offset);
	if (!lookup.found.size)
		search->sites->unseen = "it jumps to code that nothing describes";
	else if (search->piece_count == PIECES_MAX)
		search->sites->unseen = "it goes through too many functions";
	else
		search->pieces[search->piece_count++] = lookup.found;
	return 0;
}

static void add(struct return_sites *sites, u64 offset)
{
	for (unsigned int i = 0; i < sites->count; i++)
		if (sites->offset[i] == offset)
			return;
	if (sites->count == RETURN_SITES_MAX)
		sites->unseen = "it returns at too many places";
	else
		sites->offset[sites->count++] = offset;
}

static int take(struct search *search, struct piece piece, const struct insn_returns *returns)
{
	int err = 0;

	if (returns->unseen)
		search->sites->unseen = returns->unseen;
	for (unsigned int i = 0; i < returns->count; i++)
		add(search->sites, piece.offset + returns->at[i]);
	for (unsigned int i = 0; i < returns->leave_count && !err && !search->sites->unseen; i++)
		err = follow(search, piece.offset + (u64)returns->leaves[i]);
	return err;
}

static int look_through(struct search *search, struct piece piece)
{
	struct insn_returns returns;
	ssize_t length;
	u8 *code;
	int err;

	if (!piece.size || piece.size > PIECE_BYTES_MAX) {
		search->sites->unseen = piece.size ? "it is too long" : "its end is not known";
		return 0;
	}
	code = malloc(piece.size);
	if (!code)
		return -ENOMEM;
	length = elf_read(search->elf, piece.offset, code, piece.size);
	err = length < 0 ? (int)length : insn_return_scan(code, (size_t)length, &returns);
	free(code);
	return err ? err : take(search, piece, &returns);
}

int return_site_find(struct elf *elf, u64 offset, u64 size, struct return_sites *ret_sites)
{
	struct search search = {.elf = elf, .sites = ret_sites, .pieces = {{offset, size}}, .piece_count = 1};
	int err = 0;

	*ret_sites = (struct return_sites){.count = 0};
	for (unsigned int i = 0; i < search.piece_count && !err && !ret_sites->unseen; i++)
		err = look_through(&search, search.pieces[i]);
	cfi_entries_release(&search.entries);
	cfi_sections_release(search.sections);
	if (!err && !ret_sites->count && !ret_sites->unseen)
		ret_sites->unseen = "it has no instruction that returns";
	return err;
}
