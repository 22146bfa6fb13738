/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections by their names. libelf would read the table of names whole, however long it says that it is, and look for its last NUL
 * with each name; and a packed section whole before its size could be asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf_internal.h"

#define NAMES_BYTES_MAX ((u64)1 << 20) /* real ones have some hundred bytes */

int elf_section_names(const struct elf *elf, Elf *handle, struct section_names *ret_names)
{
	Elf_Scn *section;
	GElf_Shdr header;
	size_t number;
	int err;

	*ret_names = (struct section_names){0};
	if (elf_getshdrstrndx(handle, &number) != 0)
		return -EBADMSG;
	section = elf_getscn(handle, number);
	if (!section || !gelf_getshdr(section, &header) || header.sh_type != SHT_STRTAB)
		return -EBADMSG;
	err = elf_read_bytes(elf, header.sh_offset, header.sh_size, NAMES_BYTES_MAX, (u8 **)&ret_names->bytes);
	if (!err)
		ret_names->size = header.sh_size;
	return err;
}

const char *elf_section_name(const struct section_names *names, u64 offset)
{
	return offset < names->size ? names->bytes + offset : NULL;
}

/* The first section of that name that has bytes in the file; -ENOENT: none. */
static int find_section(const struct elf *elf, Elf *handle, const char *name, Elf_Scn **ret_section)
{
	struct section_names names;
	GElf_Shdr header;
	Elf_Scn *section = NULL;
	int err = elf_section_names(elf, handle, &names);

	while (!err && (section = elf_nextscn(handle, section))) {
		const char *own;

		if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS || header.sh_size == 0)
			continue;
		own = elf_section_name(&names, header.sh_name);
		if (own && strcmp(own, name) == 0)
			break;
	}
	free(names.bytes);
	*ret_section = section;
	return err == -ENOMEM ? err : section ? 0 : -ENOENT;
}

static int read_packed(Elf_Scn *section, u64 section_size, u64 size_max, u8 **ret_bytes, u64 *ret_size)
{
	GElf_Chdr packed;
	Elf_Data *data;

	if (section_size > size_max) /* libelf reads all of it to tell how it is packed */
		return -EFBIG;
	if (!gelf_getchdr(section, &packed) || packed.ch_size == 0)
		return -EBADMSG;
	if (packed.ch_size > size_max || !elf_packs(section_size, packed.ch_size))
		return -EFBIG;
	if (elf_compress(section, 0, 0) < 0 || !(data = elf_rawdata(section, NULL)) || data->d_size != packed.ch_size)
		return -EBADMSG;
	*ret_bytes = calloc(1, packed.ch_size + ELF_GUARD_BYTES);
	if (!*ret_bytes)
		return -ENOMEM;
	memcpy(*ret_bytes, data->d_buf, data->d_size);
	*ret_size = packed.ch_size;
	return 0;
}

int elf_read_section(const struct elf *elf, const char *name, u64 size_max, u8 **ret_bytes, u64 *ret_size,
		     u64 *ret_address)
{
	Elf *handle = elffile_handle(elf);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	int err = handle ? find_section(elf, handle, name, &section) : -ENOENT;

	if (!err && !gelf_getshdr(section, &header))
		err = -ENOENT;
	if (err) {
		elf_end(handle);
		return err;
	}
	if (header.sh_flags & SHF_COMPRESSED) {
		err = read_packed(section, header.sh_size, size_max, ret_bytes, ret_size);
	} else {
		*ret_size = header.sh_size;
		err = elf_read_bytes(elf, header.sh_offset, header.sh_size, size_max, ret_bytes);
	}
	if (!err && ret_address)
		*ret_address = header.sh_addr;
	elf_end(handle);
	return err;
}
