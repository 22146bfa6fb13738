/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From mappings to files; owned by the tracer (and by doctor). */
#include "probe/binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <elf.h>
#include <linux/magic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "binary/elf.h"
#include "system/proc_maps.h"
#include "system/root_fs.h"
#include "system/file_copies.h"
#include "probe/binary_table.h"

struct binaries {
	struct binary_table files;
	char *denied;
	struct binary *vdso; /* NULL until first seen */
};

#define VDSO "[vdso]"

struct binaries *binaries_new(const struct custom_allocator *pools)
{
	struct binaries *binaries = calloc(1, sizeof(*binaries));

	if (binaries)
		binaries->files.pools = pools;
	return binaries;
}

void binaries_free(struct binaries *binaries)
{
	if (!binaries)
		return;
	binary_table_release(&binaries->files);
	free(binaries->denied);
	free(binaries);
}

const char *binaries_denied(const struct binaries *binaries)
{
	return binaries->denied;
}

struct binary *binaries_files(const struct binaries *binaries)
{
	return binaries->files.files;
}

u32 binaries_count(const struct binaries *binaries)
{
	return binaries->files.count;
}

void binaries_close(struct binaries *binaries, struct binary *file)
{
	if (file == binaries->vdso)
		binaries->vdso = NULL;
	binary_table_close(&binaries->files, file);
}

const char *binaries_names(const struct binaries *binaries)
{
	static char names[1024];
	size_t length = 0;

	names[0] = '\0';
	for (const struct binary *file = binaries->files.files; file && length < sizeof(names); file = file->next)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", length ? ", " : "",
					   elf_path(file->elf));
	return names;
}

/* The build id of the side-band and that of the file must not contradict each other. */
static bool same_build(const struct mapping *mapping, const struct elf *elf)
{
	unsigned int size;
	const u8 *id = elf_build_id(elf, &size);

	if (!mapping->build_id_size)
		return true;
	/* Of a file found by name, without knowing its inode, the build id is all there is to know it by. */
	if (!size)
		return mapping->inode;
	return mapping->build_id_size == size && !memcmp(mapping->build_id, id, size);
}

static void describe(struct mapping *mapping, struct elf *elf)
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

/* The kernel's own little library is the same in every process: ours is read from memory. */
static int open_vdso(void)
{
	const Elf64_Ehdr *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t size = image ? image->e_shoff + (size_t)image->e_shnum * image->e_shentsize : 0;
	int fd = image ? memfd_create("vdso", MFD_CLOEXEC) : -1;

	if (fd < 0)
		return image ? -errno : -ENOENT;
	if (write(fd, image, size) != (ssize_t)size) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static int open_file(pid_t pid, const struct mapping *mapping)
{
	return strcmp(mapping->path, VDSO) ? proc_maps_open(pid, mapping) : open_vdso();
}

static bool is_of_build(int fd, const struct mapping *mapping)
{
	struct elf *elf;
	bool same;

	if (elf_open(fcntl(fd, F_DUPFD_CLOEXEC, 0), mapping->path, &elf))
		return false;
	same = same_build(mapping, elf);
	elf_free(elf);
	return same;
}

/*
 * A process that has ended cannot be asked any more. Under the name that it knew, heaptap may see the same file: the
 * build id decides, and nothing else that lies there is kept, as a container's names mean something else out here.
 */
static int open_own_name(const struct mapping *mapping)
{
	struct root_fs root;
	int fd = root_fs_open_own(&root);

	if (!fd)
		fd = root_fs_open_file(&root, mapping->path, ROOT_LINKS_INSIDE, UINT64_MAX, NULL);
	root_fs_close(&root);
	if (fd >= 0 && !is_of_build(fd, mapping)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

/* By the path alone: only of a mapping that is known by its build id. */
static int open_name(pid_t pid, const struct mapping *mapping)
{
	int fd = proc_maps_open_name(pid, mapping);

	return fd < 0 && !mapping->inode ? open_own_name(mapping) : fd;
}

/* Intern what was opened, if anything was and if it is what was mapped; else *ret_file stays. 0 or -ENOMEM. */
static int take(struct binaries *binaries, int fd, const struct mapping *mapping, struct binary **ret_file)
{
	struct binary *file = NULL;
	int err;

	if (fd < 0)
		return 0;
	err = binary_table_intern(&binaries->files, fd, mapping->path, &file);
	if (err)
		return err == -ENOMEM ? err : 0;
	if (file && same_build(mapping, file->elf))
		*ret_file = file;
	return 0;
}

int binaries_open_mapping(struct binaries *binaries, pid_t pid, struct mapping *mapping, struct binary **ret_file)
{
	struct binary *file = NULL;
	bool mapped;
	int fd, err;

	*ret_file = NULL;
	mapping->elf = NULL;
	if (!mapping->path || (mapping->path[0] != '/' && strcmp(mapping->path, VDSO)))
		return 0;
	if (!strcmp(mapping->path, VDSO) && binaries->vdso) {
		describe(mapping, binaries->vdso->elf);
		return 0;
	}
	fd = open_file(pid, mapping);
	err = take(binaries, fd, mapping, &file);
	if (err)
		return err;
	/* Gone again, or another file is at its addresses by now. */
	if (!file && fd < 0 && !mapping->build_id_size)
		file = binary_table_find(&binaries->files, mapping->device, mapping->inode);
	/* What is like it has its names and tables, but is not what the process runs: others may run it. */
	mapped = file;
	if (!file && mapping->build_id_size)
		file = binary_table_find_build(&binaries->files, mapping->build_id, mapping->build_id_size);
	if (!file && mapping->build_id_size) {
		err = take(binaries, open_name(pid, mapping), mapping, &file);
		if (err)
			return err;
	}
	if (!file && fd < 0 && fd != -ESRCH && !binaries->denied)
		binaries->denied = strdup(mapping->path);
	if (!file || !same_build(mapping, file->elf))
		return 0;
	file->recent = true;
	describe(mapping, file->elf);
	if (!strcmp(mapping->path, VDSO))
		binaries->vdso = file;
	*ret_file = mapped ? file : NULL;
	return 0;
}

int binaries_copy(const struct binaries *binaries, struct file_copies *set)
{
	int err = 0;

	for (const struct binary *file = binaries->files.files; file && !err; file = file->next)
		if (file->plan)
			err = file_copies_add(set, elf_fd(file->elf));
	return err;
}

/* The plan stays: it speaks of offsets, and the bytes are the same. */
int binaries_file_copy(struct binaries *binaries, const struct file_copies *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		const struct file_copy *copy = &set->files[i];
		struct binary *file = binary_table_find(&binaries->files, copy->device, copy->inode);
		int fd = file ? fcntl(copy->fd, F_DUPFD_CLOEXEC, 0) : -1, err;
		struct elf *elf;

		if (fd < 0)
			return file ? -errno : -ENOENT;
		err = elf_open(fd, copy->path, &elf);
		if (err)
			return err;
		elf_free(file->elf);
		file->elf = elf;
	}
	return 0;
}

int binaries_open_path(struct binaries *binaries, const char *path, struct binary **ret_file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	return binary_table_intern(&binaries->files, fd, path, ret_file);
}
