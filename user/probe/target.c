/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From mappings to files; owned by the tracer (and by doctor). */
#include "probe/target.h"

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
#include "system/procfs.h"
#include "system/root_fs.h"
#include "system/file_copies.h"
#include "probe/targetfile.h"

struct target {
	struct targetfile_table files;
	char *denied;
	struct target_file *vdso; /* NULL until first seen */
};

#define VDSO "[vdso]"

struct target *target_new(const struct pool *pools)
{
	struct target *target = calloc(1, sizeof(*target));

	if (target)
		target->files.pools = pools;
	return target;
}

void target_free(struct target *target)
{
	if (!target)
		return;
	targetfile_table_release(&target->files);
	free(target->denied);
	free(target);
}

const char *target_denied(const struct target *target)
{
	return target->denied;
}

struct target_file *target_files(const struct target *target)
{
	return target->files.files;
}

u32 target_count(const struct target *target)
{
	return target->files.count;
}

void target_close(struct target *target, struct target_file *file)
{
	if (file == target->vdso)
		target->vdso = NULL;
	targetfile_close(&target->files, file);
}

const char *target_names(const struct target *target)
{
	static char names[1024];
	size_t length = 0;

	names[0] = '\0';
	for (const struct target_file *file = target->files.files; file && length < sizeof(names); file = file->next)
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
	return strcmp(mapping->path, VDSO) ? procfs_open_mapping(pid, mapping) : open_vdso();
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
	int fd = procfs_open_name(pid, mapping);

	return fd < 0 && !mapping->inode ? open_own_name(mapping) : fd;
}

/* Intern what was opened, if anything was and if it is what was mapped; else *ret_file stays. 0 or -ENOMEM. */
static int take(struct target *target, int fd, const struct mapping *mapping, struct target_file **ret_file)
{
	struct target_file *file = NULL;
	int err;

	if (fd < 0)
		return 0;
	err = targetfile_intern(&target->files, fd, mapping->path, &file);
	if (err)
		return err == -ENOMEM ? err : 0;
	if (file && same_build(mapping, file->elf))
		*ret_file = file;
	return 0;
}

int target_open_mapping(struct target *target, pid_t pid, struct mapping *mapping, struct target_file **ret_file)
{
	struct target_file *file = NULL;
	bool mapped;
	int fd, err;

	*ret_file = NULL;
	mapping->elf = NULL;
	if (!mapping->path || (mapping->path[0] != '/' && strcmp(mapping->path, VDSO)))
		return 0;
	if (!strcmp(mapping->path, VDSO) && target->vdso) {
		describe(mapping, target->vdso->elf);
		return 0;
	}
	fd = open_file(pid, mapping);
	err = take(target, fd, mapping, &file);
	if (err)
		return err;
	/* Gone again, or another file is at its addresses by now. */
	if (!file && fd < 0 && !mapping->build_id_size)
		file = targetfile_find(&target->files, mapping->device, mapping->inode);
	/* What is like it has its names and tables, but is not what the process runs: others may run it. */
	mapped = file;
	if (!file && mapping->build_id_size)
		file = targetfile_find_build(&target->files, mapping->build_id, mapping->build_id_size);
	if (!file && mapping->build_id_size) {
		err = take(target, open_name(pid, mapping), mapping, &file);
		if (err)
			return err;
	}
	if (!file && fd < 0 && fd != -ESRCH && !target->denied)
		target->denied = strdup(mapping->path);
	if (!file || !same_build(mapping, file->elf))
		return 0;
	file->recent = true;
	describe(mapping, file->elf);
	if (!strcmp(mapping->path, VDSO))
		target->vdso = file;
	*ret_file = mapped ? file : NULL;
	return 0;
}

int target_copy(const struct target *target, struct file_copies *set)
{
	int err = 0;

	for (const struct target_file *file = target->files.files; file && !err; file = file->next)
		if (file->plan)
			err = file_copies_add(set, elf_fd(file->elf));
	return err;
}

/* The plan stays: it speaks of offsets, and the bytes are the same. */
int target_stand_in(struct target *target, const struct file_copies *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		const struct file_copy *copy = &set->files[i];
		struct target_file *file = targetfile_find(&target->files, copy->device, copy->inode);
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

int target_open_path(struct target *target, const char *path, struct target_file **ret_file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	return targetfile_intern(&target->files, fd, path, ret_file);
}
