/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libelf finds symbols by section headers only, which a loaded file need not have. This reads as ld.so does: the dynamic
 * segment names the tables by virtual address, and the hash table says how many symbols there are.
 */
#include "binary/elf_dynamic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "binary/elf_internal.h"

#define TABLE_BYTES_MAX ((u64)256 << 20) /* of symbols, names or relocations; the largest browsers stay below */
#define ENTRIES_MAX	4096		 /* of the dynamic segment */
#define CHAIN_MAX	65536		 /* symbols of one bucket */
#define SLOTS_MAX	(1u << 20)	 /* sorted when the file is opened; libLLVM has some thousands */

/* A PT_LOAD, executable or not. */
struct load {
	u64 vaddr, offset, size;
};

struct slot {
	u64 vaddr;
	u32 symbol;
};

struct elf_dynamic {
	const struct elf *elf;
	struct load *loads;
	size_t load_count;
	u64 tag[DT_NUM]; /* of the entries that matter, 0: not there */
	u64 gnu_hash;
	GElf_Sym *symbols;
	u64 symbol_count;
	char *names; /* ends in 0 */
	u64 names_size, names_offset;
	struct slot *slots; /* by vaddr */
	size_t slot_count;
};

/* The file offset of `vaddr` with `size` bytes behind it; -EBADMSG: the file has no such bytes. */
static int find(const struct elf_dynamic *dynamic, u64 vaddr, u64 size, u64 *ret_offset)
{
	for (size_t i = 0; i < dynamic->load_count; i++) {
		const struct load *load = &dynamic->loads[i];

		if (vaddr < load->vaddr || !elf_holds(vaddr - load->vaddr, size, load->size))
			continue;
		*ret_offset = load->offset + (vaddr - load->vaddr);
		return 0;
	}
	return -EBADMSG;
}

static int read_at(const struct elf_dynamic *dynamic, u64 vaddr, u64 size, void *ret_bytes)
{
	u64 offset;
	int err = find(dynamic, vaddr, size, &offset);

	if (err)
		return err;
	return elf_read(dynamic->elf, offset, ret_bytes, size) == (ssize_t)size ? 0 : -EBADMSG;
}

static int read_table(const struct elf_dynamic *dynamic, u64 vaddr, u64 size, void *ret_bytes)
{
	u64 offset;
	int err = find(dynamic, vaddr, size, &offset);

	return err ? err : elf_read_bytes(dynamic->elf, offset, size, TABLE_BYTES_MAX, ret_bytes);
}

/* --- the dynamic segment --- */

static int read_entries(struct elf_dynamic *dynamic, const GElf_Phdr *header)
{
	u64 count = header->p_filesz / sizeof(Elf64_Dyn);
	Elf64_Dyn *entries;
	u8 *bytes;
	int err;

	if (count > ENTRIES_MAX)
		count = ENTRIES_MAX;
	err = elf_read_bytes(dynamic->elf, header->p_offset, count * sizeof(*entries), TABLE_BYTES_MAX, &bytes);
	if (err)
		return err;
	entries = (void *)bytes;
	for (u64 i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
		if (entries[i].d_tag > 0 && entries[i].d_tag < DT_NUM)
			dynamic->tag[entries[i].d_tag] = entries[i].d_un.d_val;
		else if (entries[i].d_tag == DT_GNU_HASH)
			dynamic->gnu_hash = entries[i].d_un.d_val;
	}
	free(bytes);
	return 0;
}

static int add_load(struct elf_dynamic *dynamic, const GElf_Phdr *header)
{
	if (!elf_holds(header->p_offset, header->p_filesz, dynamic->elf->file_size) ||
	    !elf_holds(header->p_vaddr, header->p_filesz, UINT64_MAX))
		return 0;
	if (dynamic->load_count == SEGMENTS_MAX)
		return -EFBIG;
	if (array_grow(&dynamic->loads, dynamic->load_count, 1))
		return -ENOMEM;
	dynamic->loads[dynamic->load_count++] = (struct load){header->p_vaddr, header->p_offset, header->p_filesz};
	return 0;
}

static int read_segments(struct elf_dynamic *dynamic, Elf *handle)
{
	GElf_Phdr header, segment = {0};
	size_t count;
	int err = 0;

	if (elf_getphdrnum(handle, &count) != 0)
		return -EBADMSG;
	for (int i = 0; (size_t)i < count && i < UINT16_MAX && !err; i++) {
		if (!gelf_getphdr(handle, i, &header))
			return -EBADMSG;
		if (header.p_type == PT_LOAD)
			err = add_load(dynamic, &header);
		else if (header.p_type == PT_DYNAMIC)
			segment = header;
	}
	if (!err && !segment.p_filesz)
		err = -ENOENT;
	return err ? err : read_entries(dynamic, &segment);
}

/* --- symbols --- */

/* The last chain of DT_GNU_HASH ends at the last symbol. */
static int count_by_gnu_hash(const struct elf_dynamic *dynamic, u64 *ret_count)
{
	u32 header[4], *buckets, first, last = 0, link;
	u64 at = dynamic->gnu_hash + sizeof(header);
	int err = read_at(dynamic, dynamic->gnu_hash, sizeof(header), header);

	if (err)
		return err;
	at += header[2] * (u64)sizeof(u64);
	err = read_table(dynamic, at, header[0] * (u64)sizeof(u32), &buckets);
	if (err)
		return err;
	for (u32 i = 0; i < header[0]; i++)
		last = buckets[i] > last ? buckets[i] : last;
	free(buckets);
	*ret_count = header[1];
	if (last < header[1])
		return 0;
	at += header[0] * (u64)sizeof(u32);
	first = last;
	do
		err = read_at(dynamic, at + (last++ - header[1]) * (u64)sizeof(u32), sizeof(link), &link);
	while (!err && !(link & 1) && last - first < CHAIN_MAX);
	*ret_count = last;
	return err;
}

static int count_symbols(const struct elf_dynamic *dynamic, u64 *ret_count)
{
	u32 header[2] = {0};
	int err;

	if (dynamic->gnu_hash)
		return count_by_gnu_hash(dynamic, ret_count);
	*ret_count = 0;
	if (!dynamic->tag[DT_HASH])
		return 0;
	err = read_at(dynamic, dynamic->tag[DT_HASH], sizeof(header), header);
	*ret_count = header[1];
	return err;
}

static int read_symbols(struct elf_dynamic *dynamic)
{
	u64 count = 0;
	int err;

	dynamic->names_size = dynamic->tag[DT_STRSZ];
	err = find(dynamic, dynamic->tag[DT_STRTAB], dynamic->names_size, &dynamic->names_offset);
	if (!err)
		err = read_table(dynamic, dynamic->tag[DT_STRTAB], dynamic->names_size, &dynamic->names);
	if (!err)
		err = count_symbols(dynamic, &count);
	if (err || !count)
		return err;
	err = read_table(dynamic, dynamic->tag[DT_SYMTAB], count * sizeof(GElf_Sym), &dynamic->symbols);
	if (!err)
		dynamic->symbol_count = count;
	return err;
}

static const char *name_at(const struct elf_dynamic *dynamic, u64 offset)
{
	return offset < dynamic->names_size ? dynamic->names + offset : "";
}

/* --- slots --- */

static int compare_slots(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;

	return a->vaddr < b->vaddr ? -1 : a->vaddr > b->vaddr;
}

static int add_slots(struct elf_dynamic *dynamic, u64 vaddr, u64 size)
{
	u64 count = size / sizeof(Elf64_Rela);
	Elf64_Rela *relocations;
	int err;

	if (!count)
		return 0;
	err = read_table(dynamic, vaddr, count * sizeof(*relocations), &relocations);
	if (err)
		return err;
	for (u64 i = 0; i < count && !err; i++) {
		u64 type = ELF64_R_TYPE(relocations[i].r_info);

		if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
			continue;
		err = dynamic->slot_count < SLOTS_MAX ? array_grow(&dynamic->slots, dynamic->slot_count, 1) : -EFBIG;
		if (!err)
			dynamic->slots[dynamic->slot_count++] = (struct slot){
				.vaddr = relocations[i].r_offset,
				.symbol = (u32)ELF64_R_SYM(relocations[i].r_info),
			};
	}
	free(relocations);
	return err;
}

static int read_slots(struct elf_dynamic *dynamic)
{
	int err = add_slots(dynamic, dynamic->tag[DT_RELA], dynamic->tag[DT_RELASZ]);

	if (!err && dynamic->tag[DT_PLTREL] == DT_RELA)
		err = add_slots(dynamic, dynamic->tag[DT_JMPREL], dynamic->tag[DT_PLTRELSZ]);
	if (!err && dynamic->slot_count)
		qsort(dynamic->slots, dynamic->slot_count, sizeof(*dynamic->slots), compare_slots);
	return err;
}

int elf_dynamic_open(const struct elf *elf, struct elf_dynamic **ret_dynamic)
{
	struct elf_dynamic *dynamic = calloc(1, sizeof(*dynamic));
	Elf *handle = dynamic ? elffile_handle(elf) : NULL;
	int err = dynamic ? handle && elf->is_64bit_x86 ? 0 : -EBADMSG : -ENOMEM;

	if (!err) {
		dynamic->elf = elf;
		err = read_segments(dynamic, handle);
	}
	elf_end(handle);
	if (!err)
		err = read_symbols(dynamic);
	if (!err)
		err = read_slots(dynamic);
	if (err)
		elf_dynamic_free(dynamic);
	else
		*ret_dynamic = dynamic;
	return err;
}

void elf_dynamic_free(struct elf_dynamic *dynamic)
{
	if (!dynamic)
		return;
	free(dynamic->loads);
	free(dynamic->symbols);
	free(dynamic->names);
	free(dynamic->slots);
	free(dynamic);
}

int elf_dynamic_addresses(const struct elf_dynamic *dynamic, struct elf_addresses *ret_addresses)
{
	u64 count = dynamic->tag[DT_RELASZ] / sizeof(Elf64_Rela);
	int err;

	*ret_addresses = (struct elf_addresses){0};
	if (!count)
		return 0;
	err = read_table(dynamic, dynamic->tag[DT_RELA], count * sizeof(Elf64_Rela), &ret_addresses->relocations);
	if (!err)
		ret_addresses->count = count;
	return err;
}

void elf_addresses_place(const struct elf_addresses *addresses, u64 vaddr, u64 *words, u64 count)
{
	for (u64 i = 0; i < addresses->count; i++) {
		const Elf64_Rela *relocation = &addresses->relocations[i];
		u64 at = relocation->r_offset - vaddr;

		if (ELF64_R_TYPE(relocation->r_info) == R_X86_64_RELATIVE && !(at % sizeof(u64)) &&
		    at / sizeof(u64) < count)
			words[at / sizeof(u64)] = (u64)relocation->r_addend;
	}
}

/* --- asking --- */

const char *elf_dynamic_soname(const struct elf_dynamic *dynamic)
{
	return dynamic->tag[DT_SONAME] ? name_at(dynamic, dynamic->tag[DT_SONAME]) : NULL;
}

bool elf_dynamic_imports(const struct elf_dynamic *dynamic, const char *name)
{
	for (u64 i = 1; i < dynamic->symbol_count; i++)
		if (dynamic->symbols[i].st_shndx == SHN_UNDEF &&
		    !strcmp(name_at(dynamic, dynamic->symbols[i].st_name), name))
			return true;
	return false;
}

int elf_dynamic_for_each_function(const struct elf_dynamic *dynamic,
				  int (*each)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	u64 walk_left = WALK_BYTES_MAX;
	int err = 0;

	for (u64 i = 1; i < dynamic->symbol_count && !err; i++) {
		const GElf_Sym *entry = &dynamic->symbols[i];
		struct elf_symbol symbol = {.name = name_at(dynamic, entry->st_name),
					    .weak = GELF_ST_BIND(entry->st_info) == STB_WEAK,
					    .exported = true};
		u64 left;

		if (GELF_ST_TYPE(entry->st_info) != STT_FUNC || entry->st_shndx == SHN_UNDEF ||
		    elf_find_vaddr(dynamic->elf, entry->st_value, &symbol.offset, &left))
			continue;
		symbol.size = entry->st_size < left ? entry->st_size : left;
		if (!elf_spend(&walk_left, strnlen(symbol.name, walk_left) + WALK_SYMBOL_BYTES))
			return -EFBIG;
		err = each(&symbol, arg);
	}
	return err;
}

int elf_dynamic_slot(const struct elf_dynamic *dynamic, u64 vaddr, const char **ret_name, u64 *ret_vaddr)
{
	const struct slot key = {.vaddr = vaddr};
	const struct slot *slot =
		dynamic->slot_count ? bsearch(&key, dynamic->slots, dynamic->slot_count, sizeof(key), compare_slots)
				    : NULL;
	const GElf_Sym *symbol;

	if (!slot || !slot->symbol || slot->symbol >= dynamic->symbol_count)
		return -ENOENT;
	symbol = &dynamic->symbols[slot->symbol];
	*ret_name = name_at(dynamic, symbol->st_name);
	*ret_vaddr = symbol->st_shndx == SHN_UNDEF ? 0 : symbol->st_value;
	return 0;
}

bool elf_dynamic_is_name(const struct elf_dynamic *dynamic, u64 offset)
{
	return offset >= dynamic->names_offset && offset - dynamic->names_offset < dynamic->names_size;
}
