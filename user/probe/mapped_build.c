/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/mapped_build.h"

#include <string.h>

bool mapped_build_is(const struct mapping *mapping, const struct elf *elf)
{
	unsigned int size;
	const u8 *id = elf_build_id(elf, &size);

	return size && mapping->build_id_size == size && !memcmp(mapping->build_id, id, size);
}

bool mapped_build_fits(const struct mapping *mapping, const struct elf *elf)
{
	unsigned int size;

	elf_build_id(elf, &size);
	if (!mapping->build_id_size)
		return true;
	/* A file that was found by name, without an inode, is known by its build id only. */
	return size ? mapped_build_is(mapping, elf) : mapping->inode;
}

void mapped_build_describe(struct mapping *mapping, struct elf *elf)
{
	unsigned int size;
	const u8 *id = elf_build_id(elf, &size);

	mapping->elf = elf;
	mapping->device = elf_device(elf);
	mapping->inode = elf_inode(elf);
	if (!mapping->build_id_size && size && size <= sizeof(mapping->build_id)) {
		memcpy(mapping->build_id, id, size);
		mapping->build_id_size = (u8)size;
	}
}
