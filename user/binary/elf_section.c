/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of a file by name, read whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf_internal.h"

/* The header of the first section of that name that has bytes in the file. */
static bool find_section(Elf *handle, const char *name, GElf_Shdr *ret_header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(handle, &names) != 0)
		return false;
	while ((section = elf_nextscn(handle, section))) {
		const char *own;

		if (!gelf_getshdr(section, ret_header) || ret_header->sh_type == SHT_NOBITS)
			continue;
		own = elf_strptr(handle, names, ret_header->sh_name);
		if (own && strcmp(own, name) == 0)
			return ret_header->sh_size > 0;
	}
	return false;
}

int elf_read_section(const struct elf *elf, const char *name, size_t size_max, u8 **ret_bytes, size_t *ret_size)
{
	Elf *handle = elffile_handle(elf);
	GElf_Shdr header;
	ssize_t count;
	bool found;
	u8 *bytes;

	found = handle && find_section(handle, name, &header);
	elf_end(handle);
	if (!found)
		return -ENOENT;
	if (header.sh_size > size_max)
		return -EFBIG;
	if (!elf_holds(header.sh_offset, header.sh_size, elf->file_size))
		return -EBADMSG;
	bytes = malloc(header.sh_size);
	if (!bytes)
		return -ENOMEM;
	count = elf_read(elf, header.sh_offset, bytes, header.sh_size);
	if (count < 0 || (u64)count != header.sh_size) {
		free(bytes);
		return -EBADMSG;
	}
	*ret_bytes = bytes;
	*ret_size = header.sh_size;
	return 0;
}
