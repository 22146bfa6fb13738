/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of files, and the one way from a mapping to its file: open_mapped, or else open_same_build. */
#include "probe/binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "system/file_copies.h"
#include "system/proc_maps.h"
#include "system/shortage.h"
#include "binary/elf.h"
#include "binary/language_runtime.h"
#include "include/config.h"
#include "probe/mapped_build.h"
#include "probe/pymalloc_plan.h"

#define VDSO "[vdso]"

struct binaries {
	struct custom_allocator *pools; /* of --alloc, borrowed */
	bool inlined;
	struct binary *files; /* newest first, by next */
	u32 count, allocator_next;
	bool allocator_taken[ALLOCATORS_MAX];
	struct unopened_files unopened;
	struct binary *vdso; /* NULL until first seen */
};

static void file_free(struct binary *file)
{
	elf_free(file->elf);
	free(file->plan);
	free(file);
}

void binaries_close(struct binaries *binaries, struct binary *file)
{
	struct binary **link = &binaries->files;

	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	binaries->count--;
	if (file->plan)
		binaries->allocator_taken[file->allocator] = false;
	if (file == binaries->vdso)
		binaries->vdso = NULL;
	file_free(file);
}

void binaries_free(struct binaries *binaries)
{
	if (!binaries)
		return;
	while (binaries->files)
		binaries_close(binaries, binaries->files);
	unopened_release(&binaries->unopened);
	free(binaries);
}

const struct unopened_files *binaries_unopened(const struct binaries *binaries)
{
	return &binaries->unopened;
}

const struct custom_allocator *binaries_pools(const struct binaries *binaries)
{
	return binaries->pools;
}

struct binary *binaries_files(const struct binaries *binaries)
{
	return binaries->files;
}

u32 binaries_count(const struct binaries *binaries)
{
	return binaries->count;
}

const char *binaries_names(const struct binaries *binaries)
{
	static char names[1024];
	size_t length = 0;

	names[0] = '\0';
	for (const struct binary *file = binaries->files; file && length < sizeof(names); file = file->next)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", length ? ", " : "",
					   elf_path(file->elf));
	return names;
}

/* --- opening a file and planning its probes --- */

static struct binary *find(const struct binaries *binaries, dev_t device, ino_t inode)
{
	struct binary *file = binaries->files;

	while (file && (elf_device(file->elf) != device || elf_inode(file->elf) != inode))
		file = file->next;
	return file;
}

/* The next number that no file has: one that was given back waits until all others have been used. */
static int take_allocator(struct binaries *binaries, u32 *ret_allocator)
{
	for (u32 i = 0; i < ALLOCATORS_MAX; i++) {
		u32 number = (binaries->allocator_next + i) % ALLOCATORS_MAX;

		if (binaries->allocator_taken[number])
			continue;
		binaries->allocator_taken[number] = true;
		binaries->allocator_next = number + 1;
		*ret_allocator = number;
		return 0;
	}
	return -ENOENT;
}

/* A plan for the file, if it has an allocator. Hostile or odd files have none. */
static int plan_file(struct binaries *binaries, struct binary *file)
{
	int err;

	file->plan = malloc(sizeof(*file->plan));
	if (!file->plan)
		return -ENOMEM;
	err = plan_make(file->elf, binaries->pools, file->plan);
	file->python_left = !err && binaries->inlined ? file->plan->pymalloc : (struct pymalloc){0};
	if (file->python_left.table_count && !pymalloc_plan_leave(file->plan))
		err = -ENOENT;
	file->hands_on = file->plan->hands_on;
	file->heap = file->plan->heap;
	file->too_large = err == -EFBIG || err == -E2BIG;
	if (!err)
		err = take_allocator(binaries, &file->allocator);
	if (err) {
		free(file->plan);
		file->plan = NULL;
	}
	return err == -ENOMEM ? err : 0;
}

static bool is_overlay(int fd)
{
	struct statfs statfs;

	return !fstatfs(fd, &statfs) && statfs.f_type == OVERLAYFS_SUPER_MAGIC;
}

/*
 * The same file, seen through another overlay: two containers of one image, or one that was started again, show the same
 * inode of the layer below under devices of their own. Probes sit on that inode: a second link would count each call
 * twice. The inode number is that of the layer below only where all layers are of one file system, as with containers.
 */
static struct binary *find_below(const struct binaries *binaries, const struct elf *elf, const struct stat *stat)
{
	struct binary *file;
	struct stat other;

	if (!is_overlay(elf_fd(elf)))
		return NULL;
	for (file = binaries->files; file; file = file->next)
		if (elf_inode(file->elf) == stat->st_ino && is_overlay(elf_fd(file->elf)) &&
		    !fstat(elf_fd(file->elf), &other) && other.st_size == stat->st_size &&
		    other.st_ctim.tv_sec == stat->st_ctim.tv_sec && other.st_ctim.tv_nsec == stat->st_ctim.tv_nsec)
			return file;
	return NULL;
}

/* The file behind `fd`, which is taken over: opened and planned unless it is there. 0 or negative errno. */
static int intern(struct binaries *binaries, int fd, const char *path, struct binary **ret_file)
{
	struct stat stat;
	struct binary *file;
	int err = shortage_takes_spare(fd) ? -EMFILE : fstat(fd, &stat) ? -errno : 0;

	*ret_file = err ? NULL : find(binaries, stat.st_dev, stat.st_ino);
	file = err || *ret_file ? NULL : calloc(1, sizeof(*file));
	if (!file) {
		close(fd);
		return err || *ret_file ? err : -ENOMEM;
	}
	err = elf_open(fd, path, &file->elf);
	if (!err)
		*ret_file = find_below(binaries, file->elf, &stat);
	if (!err && !*ret_file)
		err = plan_file(binaries, file);
	file->go = !err && !*ret_file && language_runtime_of_program(file->elf);
	if (err || *ret_file) {
		file_free(file);
		return err;
	}
	file->next = binaries->files;
	binaries->files = *ret_file = file;
	binaries->count++;
	return 0;
}

int binaries_open_path(struct binaries *binaries, const char *path, struct binary **ret_file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char real[PATH_MAX];
	const char *name = *path != '/' && realpath(path, real) ? real : path;
	int err = fd < 0 ? -errno : intern(binaries, fd, name, ret_file);

	if (shortage_is(err))
		unopened_add(&binaries->unopened, 0, path, err);
	return err;
}

static void open_named(struct binaries *binaries)
{
	for (const struct custom_allocator *pool = binaries->pools; pool; pool = pool->next) {
		struct binary *file = NULL;

		if (pool->real_path)
			binaries_open_path(binaries, pool->real_path, &file);
		if (file)
			file->named = true;
	}
}

struct binaries *binaries_new(struct custom_allocator *pools, bool inlined)
{
	struct binaries *binaries = calloc(1, sizeof(*binaries));

	if (!binaries)
		return NULL;
	*binaries = (struct binaries){.pools = pools, .inlined = inlined};
	open_named(binaries);
	return binaries;
}

/* --- from a mapping to its file --- */

/* Intern what was opened, and keep it if it is of the build that was mapped. 0, or what shortage_is names. */
static int intern_same_build(struct binaries *binaries, int fd, const struct mapping *mapping, struct binary **ret_file)
{
	struct binary *file;
	int err = intern(binaries, fd, mapping->path, &file);

	if (!err && mapped_build_fits(mapping, file->elf))
		*ret_file = file;
	return shortage_is(err) ? err : 0;
}

/* The very file that is mapped, if it is known: then it need not be opened. */
static struct binary *find_mapped(const struct binaries *binaries, pid_t pid, const struct mapping *mapping)
{
	struct stat stat;
	struct binary *file = proc_maps_stat(pid, mapping, &stat) ? NULL : find(binaries, stat.st_dev, stat.st_ino);

	return file && mapped_build_fits(mapping, file->elf) ? file : NULL;
}

/* The very file that is mapped; *ret_file stays NULL if it is no ELF file. Negative errno: it cannot be opened; -ENOMEM. */
static int open_mapped(struct binaries *binaries, pid_t pid, const struct mapping *mapping, struct binary **ret_file)
{
	bool is_vdso = !strcmp(mapping->path, VDSO);
	int fd;

	*ret_file = is_vdso ? NULL : find_mapped(binaries, pid, mapping);
	if (*ret_file)
		return 0;
	fd = is_vdso ? proc_maps_open_vdso() : proc_maps_open(pid, mapping);
	if (fd >= 0)
		return intern_same_build(binaries, fd, mapping, ret_file);
	/* Unmapped again, or another file is at its addresses by now. */
	if (!mapping->build_id_size)
		*ret_file = find(binaries, mapping->device, mapping->inode);
	return *ret_file ? 0 : fd;
}

/*
 * A file like the one that is mapped, known by its build id. It has the same names and tables, but it is not what the
 * process runs: other processes may run it, so it is not for probes. 0, or what shortage_is names.
 */
static int open_same_build(struct binaries *binaries, pid_t pid, const struct mapping *mapping,
			   struct binary **ret_file)
{
	struct binary *file = binaries->files;
	int fd;

	while (file && !mapped_build_is(mapping, file->elf))
		file = file->next;
	*ret_file = file;
	if (file)
		return 0;
	fd = proc_maps_open_name(pid, mapping);
	if (fd < 0 && !mapping->inode)
		fd = mapped_build_open_own(mapping);
	if (fd < 0)
		return shortage_is(fd) ? fd : 0;
	return intern_same_build(binaries, fd, mapping, ret_file);
}

/*
 * A file of the same build and name in which nothing is probed. Whether it is the very file matters to probes alone, and to open it takes
 * longer than all else that a new mapping asks for. NULL: there is none.
 */
static struct binary *find_unprobed(const struct binaries *binaries, const struct mapping *mapping)
{
	struct binary *file = mapping->build_id_size ? binaries->files : NULL;

	while (file &&
	       (file->plan || !mapped_build_is(mapping, file->elf) || strcmp(elf_path(file->elf), mapping->path)))
		file = file->next;
	return file;
}

int binaries_open_mapping(struct binaries *binaries, pid_t pid, struct mapping *mapping, struct binary **ret_file)
{
	bool is_vdso = mapping->path && !strcmp(mapping->path, VDSO);
	struct binary *file;
	int err = 0, similar = 0;

	*ret_file = NULL;
	mapping->elf = NULL;
	if (!mapping->path || (mapping->path[0] != '/' && !is_vdso))
		return 0;
	if (is_vdso && binaries->vdso) {
		mapped_build_describe(mapping, binaries->vdso->elf);
		return 0;
	}
	*ret_file = find_unprobed(binaries, mapping);
	if (!*ret_file)
		err = open_mapped(binaries, pid, mapping, ret_file);
	file = *ret_file;
	if (!file && err != -ENOMEM && mapping->build_id_size)
		similar = open_same_build(binaries, pid, mapping, &file);
	if (err == -ENOMEM || similar == -ENOMEM)
		return -ENOMEM;
	/* A file of the same build has the names, but is not probed. */
	if (shortage_is(err) || shortage_is(similar))
		unopened_add(&binaries->unopened, pid, mapping->path, shortage_is(err) ? err : similar);
	else if (!file && err && err != -ESRCH && !proc_maps_is_made_code(pid, mapping))
		unopened_add(&binaries->unopened, pid, mapping->path, err);
	mapping->unsearched = !file && err && !is_vdso && !proc_maps_is_made_code(pid, mapping);
	if (!file)
		return 0;
	file->recent = true;
	mapped_build_describe(mapping, file->elf);
	mapping->allocator = file->plan ? &file->plan->ranges : NULL;
	binaries->vdso = is_vdso ? file : binaries->vdso;
	return 0;
}

/* --- copies --- */

/* The plan stays: it speaks of offsets, and the sampler that a copy may have got stands behind all that is the original's. */
int binaries_file_copy(struct binaries *binaries, const struct file_copies *set)
{
	for (unsigned int i = 0; i < set->count; i++) {
		const struct file_copy *copy = &set->files[i];
		struct binary *file = find(binaries, copy->device, copy->inode);
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
