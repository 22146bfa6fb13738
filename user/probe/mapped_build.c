/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/mapped_build.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "system/root_fs.h"

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

static int check_build(int fd, const struct mapping *mapping)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), err;
	struct elf *elf = NULL;

	if (copy < 0)
		return -errno;
	err = elf_open(copy, mapping->path, &elf);
	if (!err && !mapped_build_fits(mapping, elf))
		err = -ESTALE;
	elf_free(elf);
	return err;
}

int mapped_build_open_own(const struct mapping *mapping)
{
	struct root_fs root;
	int fd = root_fs_open_own(&root), err;

	if (!fd)
		fd = root_fs_open_file(&root, mapping->path, ROOT_LINKS_INSIDE, UINT64_MAX, NULL);
	root_fs_close(&root);
	if (fd < 0)
		return fd;
	err = check_build(fd, mapping);
	if (err)
		close(fd);
	return err ? err : fd;
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
