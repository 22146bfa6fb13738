/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libdw opens a body itself, by the name in the skeleton: any file, also one that blocks, and reads it as it is. There is
 * no other way to give it one. So for the moment of that call the name is the path of a file in memory with a copy that is
 * safe to read; which of its units is the body libdw tells by the id in both.
 */
#include "binary/split_unit.h"

#include <dwarf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "binary/dwarf_copy.h"
#include "binary/split_package.h"

#define PATH_SIZE sizeof("/proc/self/fd/2147483647")

/* False: the name is no part of a string section, where what follows it may be overwritten for a moment. */
static bool find_name(Dwarf_Die *skeleton, Dwarf_Attribute *ret_name)
{
	return (dwarf_attr(skeleton, DW_AT_dwo_name, ret_name) || dwarf_attr(skeleton, DW_AT_GNU_dwo_name, ret_name)) &&
	       dwarf_whatform(ret_name) != DW_FORM_string;
}

const char *split_unit_name(Dwarf_Die *skeleton, const char **ret_directory)
{
	Dwarf_Attribute name, directory;

	*ret_directory = dwarf_formstring(dwarf_attr(skeleton, DW_AT_comp_dir, &directory));
	return find_name(skeleton, &name) ? dwarf_formstring(&name) : NULL;
}

int split_unit_copy(Dwarf_Die *skeleton, const struct elf *file, u8 **ret_body, size_t *ret_size)
{
	struct split_parts parts;
	u64 id = 0;
	int err = dwarf_cu_info(skeleton->cu, NULL, NULL, NULL, NULL, &id, NULL, NULL) ? -ENOENT : 0;

	err = err ? err : split_package_find(file, id, &parts);
	if (err && err != -ENODATA)
		return err;
	return dwarf_copy_read(file, DWARF_SPLIT, err ? NULL : &parts, ret_body, ret_size);
}

static int copy_to_memory(const u8 *body, size_t size)
{
	int fd = memfd_create("dwo", MFD_CLOEXEC), err = 0;
	size_t done = 0;

	while (fd >= 0 && !err && done < size) {
		ssize_t count = write(fd, body + done, size - done);

		if (count >= 0)
			done += (size_t)count;
		else if (errno != EINTR)
			err = -errno;
	}
	if (fd < 0)
		return -errno;
	if (err)
		close(fd);
	return err ? err : fd;
}

static int link_body(Dwarf_Die *skeleton, char *name, int fd, Dwarf_Die *ret_body)
{
	char saved[PATH_SIZE];
	int err;

	memcpy(saved, name, sizeof(saved));
	snprintf(name, PATH_SIZE, "/proc/self/fd/%d", fd);
	err = dwarf_cu_info(skeleton->cu, NULL, NULL, NULL, ret_body, NULL, NULL, NULL);
	memcpy(name, saved, sizeof(saved));
	return err || !ret_body->addr ? -ENOENT : 0;
}

int split_unit_link(Dwarf_Die *skeleton, u8 *image, size_t image_size, const u8 *body, size_t body_size,
		    Dwarf_Die *ret_body)
{
	Dwarf_Attribute attribute;
	const char *found = find_name(skeleton, &attribute) ? dwarf_formstring(&attribute) : NULL;
	char *name = (char *)found;
	int fd, err;

	if (!name || (u8 *)name < image || (u8 *)name + PATH_SIZE > image + image_size)
		return -ENOENT;
	fd = copy_to_memory(body, body_size);
	if (fd < 0)
		return fd;
	err = link_body(skeleton, name, fd, ret_body);
	close(fd);
	return err;
}
