/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/elf_data.h"

#include <errno.h>
#include <stdlib.h>

#include "binary/elf_internal.h"

#define DATA_BYTES_MAX ((u64)64 << 20) /* of all pieces: in a hostile file they may be the same bytes */
#define PIECES_MAX     16	       /* for each all that the loader writes is walked through; linkers make two */
#define WORD	       sizeof(u64)

struct pieces {
	GElf_Phdr loads[PIECES_MAX];
	unsigned int count;
	u64 relro_start, relro_end; /* the loader takes the right to write there away */
};

static int read_headers(Elf *handle, struct pieces *pieces)
{
	GElf_Phdr header;
	size_t count;

	if (elf_getphdrnum(handle, &count) != 0)
		return -EBADMSG;
	for (int i = 0; (size_t)i < count && i < UINT16_MAX; i++) {
		if (!gelf_getphdr(handle, i, &header) || !elf_holds(header.p_vaddr, header.p_memsz, UINT64_MAX))
			return -EBADMSG;
		if (header.p_type == PT_GNU_RELRO) {
			pieces->relro_start = header.p_vaddr;
			pieces->relro_end = header.p_vaddr + header.p_memsz;
		} else if (header.p_type == PT_LOAD && header.p_flags & PF_W && header.p_filesz) {
			if (pieces->count == PIECES_MAX)
				return -EFBIG;
			pieces->loads[pieces->count++] = header;
		}
	}
	return 0;
}

/* What of the segment is written while the program runs, in whole words. RELRO stands at its beginning, where linkers put it. */
static void cut(const struct pieces *pieces, GElf_Phdr *load)
{
	u64 start = load->p_vaddr, end = load->p_vaddr + load->p_filesz;

	if (pieces->relro_start <= start && pieces->relro_end > start)
		start = pieces->relro_end < end ? pieces->relro_end : end;
	start = (start + WORD - 1) / WORD * WORD;
	load->p_offset += start - load->p_vaddr;
	load->p_filesz = end > start ? (end - start) / WORD * WORD : 0;
	load->p_vaddr = start;
}

static int look(const struct elf *elf, const struct elf_addresses *addresses, const GElf_Phdr *load,
		int (*each)(u64 vaddr, const u64 *words, u64 count, void *arg), void *arg)
{
	u8 *bytes;
	int err = elf_read_bytes(elf, load->p_offset, load->p_filesz, DATA_BYTES_MAX, &bytes);

	if (err)
		return err;
	elf_addresses_place(addresses, load->p_vaddr, (void *)bytes, load->p_filesz / WORD);
	err = each(load->p_vaddr, (void *)bytes, load->p_filesz / WORD, arg);
	free(bytes);
	return err;
}

int elf_data_for_each(const struct elf *elf, const struct elf_dynamic *dynamic,
		      int (*each)(u64 vaddr, const u64 *words, u64 count, void *arg), void *arg)
{
	Elf *handle = elffile_handle(elf);
	struct pieces pieces = {.count = 0};
	struct elf_addresses addresses = {0};
	u64 left = DATA_BYTES_MAX;
	int err = handle ? read_headers(handle, &pieces) : -EBADMSG;

	elf_end(handle);
	for (unsigned int i = 0; i < pieces.count && !err; i++) {
		cut(&pieces, &pieces.loads[i]);
		err = elf_spend(&left, pieces.loads[i].p_filesz) ? 0 : -EFBIG;
	}
	if (!err && dynamic)
		err = elf_dynamic_addresses(dynamic, &addresses);
	for (unsigned int i = 0; i < pieces.count && !err; i++)
		if (pieces.loads[i].p_filesz)
			err = look(elf, &addresses, &pieces.loads[i], each, arg);
	free(addresses.relocations);
	return err;
}
