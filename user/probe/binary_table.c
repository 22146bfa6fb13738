/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files themselves: found again, planned, numbered and closed. Owned by target. */
#include "probe/binary_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "binary/elf.h"
#include "probe/binaries.h"

static void file_free(struct binary *file)
{
	elf_free(file->elf);
	free(file->plan);
	free(file);
}

void binary_table_release(struct binary_table *table)
{
	struct binary *file, *next;

	for (file = table->files; file; file = next) {
		next = file->next;
		file_free(file);
	}
}

struct binary *binary_table_find(const struct binary_table *table, dev_t device, ino_t inode)
{
	struct binary *file;

	for (file = table->files; file; file = file->next)
		if (elf_device(file->elf) == device && elf_inode(file->elf) == inode)
			return file;
	return NULL;
}

struct binary *binary_table_find_build(const struct binary_table *table, const u8 *id, unsigned int size)
{
	struct binary *file;
	unsigned int own_size;
	const u8 *own;

	for (file = table->files; size && file; file = file->next) {
		own = elf_build_id(file->elf, &own_size);
		if (own_size == size && !memcmp(own, id, size))
			return file;
	}
	return NULL;
}

/* The next number that no file has: one that was given back rests while all others have their turn. */
static int take_allocator(struct binary_table *table, u32 *ret_allocator)
{
	for (u32 i = 0; i < ALLOCATORS_MAX; i++) {
		u32 number = (table->allocator_next + i) % ALLOCATORS_MAX;

		if (table->allocator_taken[number])
			continue;
		table->allocator_taken[number] = true;
		table->allocator_next = number + 1;
		*ret_allocator = number;
		return 0;
	}
	return -ENOENT;
}

/* A plan for the file, if it has an allocator. Hostile or odd files have none. */
static int plan_file(struct binary_table *table, struct binary *file)
{
	struct plan *plan = malloc(sizeof(*plan));
	int err;

	if (!plan)
		return -ENOMEM;
	err = plan_make(file->elf, table->pools, plan);
	if (!err)
		err = take_allocator(table, &file->allocator);
	if (err) {
		free(plan);
		return err == -ENOMEM ? err : 0;
	}
	file->plan = plan;
	return 0;
}

static bool is_overlay(int fd)
{
	struct statfs statfs;

	return !fstatfs(fd, &statfs) && statfs.f_type == OVERLAYFS_SUPER_MAGIC;
}

/*
 * The file again, seen through another overlay: two containers of one image, or one that was started again, show the
 * same inode of the layer below under devices of their own. Probes sit on that inode: a second link would count each
 * call twice. Only where the layers are of one file system is the inode number that below, as it is with containers.
 */
static struct binary *find_below(const struct binary_table *table, const struct elf *elf, const struct stat *stat)
{
	struct binary *file;
	struct stat other;

	if (!is_overlay(elf_fd(elf)))
		return NULL;
	for (file = table->files; file; file = file->next)
		if (elf_inode(file->elf) == stat->st_ino && is_overlay(elf_fd(file->elf)) &&
		    !fstat(elf_fd(file->elf), &other) && other.st_size == stat->st_size &&
		    other.st_ctim.tv_sec == stat->st_ctim.tv_sec && other.st_ctim.tv_nsec == stat->st_ctim.tv_nsec)
			return file;
	return NULL;
}

/* Takes over `fd`. */
int binary_table_intern(struct binary_table *table, int fd, const char *path, struct binary **ret_file)
{
	struct binary *file;
	struct stat stat;
	int err;

	if (fstat(fd, &stat)) {
		err = -errno;
		close(fd);
		return err;
	}
	*ret_file = binary_table_find(table, stat.st_dev, stat.st_ino);
	if (*ret_file) {
		close(fd);
		return 0;
	}
	file = calloc(1, sizeof(*file));
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	err = elf_open(fd, path, &file->elf);
	if (err) {
		free(file);
		return err;
	}
	*ret_file = find_below(table, file->elf, &stat);
	if (*ret_file) {
		elf_free(file->elf);
		free(file);
		return 0;
	}
	err = plan_file(table, file);
	if (err) {
		elf_free(file->elf);
		free(file);
		return err;
	}
	file->next = table->files;
	table->files = file;
	table->count++;
	*ret_file = file;
	return 0;
}

void binary_table_close(struct binary_table *table, struct binary *file)
{
	struct binary **link = &table->files;

	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	table->count--;
	if (file->plan)
		table->allocator_taken[file->allocator] = false;
	file_free(file);
}
