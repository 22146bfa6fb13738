/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parent makes the tmpfs as a mount of no namespace and fills it through its descriptor. The child, in its new
 * namespace, mounts it for a moment (a kernel before 6.15 clones only what is mounted), puts a clone of each file over the
 * original, and unmounts it again.
 */
#include "system/file_copies.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/stream.h"
#include "base/text.h"

/* Where the tmpfs is mounted for a moment: a directory that exists wherever heaptap can run, with no copied file below. */
#define STAGE "/proc"

static int open_tree_of_tmpfs(void)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), tree = -1;

	if (fs < 0)
		return -errno;
	/* mountinfo shows the source, which tells whose mount it is. No process looks files up through its root. */
	if (!fsconfig(fs, FSCONFIG_SET_STRING, "source", "heaptap", 0) &&
	    !fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) && !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		tree = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (tree < 0)
		tree = -errno;
	close(fs);
	return tree;
}

/* In mountinfo (proc(5)) the fifth field is where it is mounted, and the optional fields end at a hyphen. */
static int find_root_shared(bool *ret_shared)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *options;
	size_t capacity = 0;
	int err;

	if (!mounts)
		return -errno;
	*ret_shared = false;
	/* The last one counts where several are mounted on top of each other. */
	while (getline(&line, &capacity, mounts) > 0) {
		int from = 0;

		sscanf(line, "%*s %*s %*s %*s / %n", &from);
		if (!from)
			continue;
		options = strstr(line + from, " - ");
		if (options)
			*options = '\0';
		*ret_shared = strstr(line + from, " shared:");
	}
	err = stream_read_failure(mounts);
	free(line);
	fclose(mounts);
	return err;
}

int file_copies_new(struct file_copies **ret_set)
{
	struct file_copies *set = calloc(1, sizeof(*set));
	int err;

	*ret_set = NULL;
	if (!set)
		return -ENOMEM;
	err = find_root_shared(&set->shared);
	set->tree = err ? err : open_tree_of_tmpfs();
	if (set->tree < 0) {
		err = set->tree;
		free(set);
		return err;
	}
	*ret_set = set;
	return 0;
}

void file_copies_free(struct file_copies *set)
{
	if (!set)
		return;
	for (unsigned int i = 0; i < set->count; i++) {
		close(set->files[i].fd);
		free(set->files[i].path);
	}
	close(set->tree);
	free(set);
}

static int copy_bytes(int to, int from, off_t size)
{
	off_t offset = 0;

	while (offset < size) {
		ssize_t count = sendfile(to, from, &offset, (size_t)(size - offset));

		if (count < 0 && errno != EINTR)
			return -errno;
		if (!count)
			return -ESTALE;
	}
	return 0;
}

static int write_bytes(int to, const u8 *bytes, size_t size, u64 offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = pwrite(to, bytes + done, size - done, (off_t)(offset + done));

		if (count < 0 && errno != EINTR)
			return -errno;
		done += count > 0 ? (size_t)count : 0;
	}
	return 0;
}

static int change_bytes(int to, const struct file_change *change)
{
	int err = ftruncate(to, (off_t)change->size) ? -errno : 0;

	for (size_t i = 0; i < change->edit_count && !err; i++)
		err = write_bytes(to, change->edits[i].bytes, change->edits[i].size, change->edits[i].offset);
	return err;
}

/* Labels, capabilities and access lists must be kept; other attributes are kept if a tmpfs takes them. */
static bool decides_access(const char *name)
{
	return !strncmp(name, "security.", 9) || !strcmp(name, "system.posix_acl_access");
}

/* A signature of the bytes: a kernel that asks for one would take the changed ones for an attack. */
static bool is_signature(const char *name)
{
	return !strcmp(name, "security.ima") || !strcmp(name, "security.evm");
}

static int copy_attribute(int to, int from, const char *name)
{
	static char value[XATTR_SIZE_MAX];
	ssize_t size = fgetxattr(from, name, value, sizeof(value));

	if (size >= 0 && !fsetxattr(to, name, value, (size_t)size, 0))
		return 0;
	return decides_access(name) ? -errno : 0;
}

static int copy_attributes(int to, int from, bool changed)
{
	static char names[XATTR_LIST_MAX];
	ssize_t size = flistxattr(from, names, sizeof(names));
	int err = 0;

	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (ssize_t at = 0; at < size && !err; at += (ssize_t)strlen(names + at) + 1)
		err = changed && is_signature(names + at) ? -EOPNOTSUPP : copy_attribute(to, from, names + at);
	return err;
}

static bool unchanged(int fd, const struct stat *before)
{
	struct stat now;

	return !fstat(fd, &now) && now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == before->st_mtim.tv_nsec && now.st_ctim.tv_sec == before->st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == before->st_ctim.tv_nsec;
}

/* In this order: chown removes set-user-ID bits and capabilities, and every step but the last changes the times. */
static int fill(int to, int from, const struct stat *status, const struct file_change *change)
{
	const struct timespec times[2] = {status->st_atim, status->st_mtim};
	int err = copy_bytes(to, from, status->st_size);

	if (!err && change)
		err = change_bytes(to, change);
	if (err)
		return err;
	if (fchown(to, status->st_uid, status->st_gid) || fchmod(to, status->st_mode & 07777))
		return -errno;
	err = copy_attributes(to, from, change);
	if (err)
		return err;
	if (futimens(to, times))
		return -errno;
	return unchanged(from, status) ? 0 : -ESTALE;
}

/* A file that is open for writing cannot be executed, so what stays open is a second descriptor. */
static int make_copy(int tree, const char *name, int from, const struct stat *status, const struct file_change *change)
{
	int to = openat(tree, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), fd, err;

	if (to < 0)
		return -errno;
	err = fill(to, from, status, change);
	close(to);
	if (err)
		return err;
	fd = openat(tree, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int resolved_path(int fd, char **ret_path)
{
	char link[PATH_MAX], path[PATH_MAX];
	ssize_t length = readlink(text_path(link, "/proc/self/fd/%d", fd), path, sizeof(path));

	if (length < 0)
		return -errno;
	if (length == sizeof(path))
		return -ENAMETOOLONG;
	path[length] = '\0';
	*ret_path = strdup(path);
	return *ret_path ? 0 : -ENOMEM;
}

/*
 * The copy's mount forbids what the original's does, and also writing: what is written would be lost with the copy.
 */
static int mount_flags(int fd, u64 *ret_flags)
{
	struct statvfs status;

	if (fstatvfs(fd, &status))
		return -errno;
	*ret_flags = MOUNT_ATTR_RDONLY | (status.f_flag & ST_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
		     (status.f_flag & ST_NODEV ? MOUNT_ATTR_NODEV : 0) |
		     (status.f_flag & ST_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
	return 0;
}

int file_copies_add(struct file_copies *set, int fd, const struct file_change *change)
{
	struct file_copy file = {.fd = -1};
	struct stat original, copy;
	struct rlimit limit;
	u64 size;
	int err;

	if (set->count == FILE_COPIES_MAX)
		return -ENOSPC;
	if (fstat(fd, &original) || getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	if (!S_ISREG(original.st_mode))
		return -EINVAL;
	size = change ? change->size : (u64)original.st_size;
	/* Writing more would send heaptap SIGXFSZ. */
	if (size > limit.rlim_cur)
		return -EFBIG;
	snprintf(file.name, sizeof(file.name), "%u", set->count % FILE_COPIES_MAX);
	err = mount_flags(fd, &file.mount_flags);
	if (err)
		return err;
	file.fd = make_copy(set->tree, file.name, fd, &original, change);
	if (file.fd < 0)
		return file.fd;
	err = fstat(file.fd, &copy) ? -errno : (u64)copy.st_size != size ? -EIO : resolved_path(fd, &file.path);
	if (err) {
		close(file.fd);
		return err;
	}
	file.device = original.st_dev;
	file.inode = original.st_ino;
	file.copy_device = copy.st_dev;
	file.copy_inode = copy.st_ino;
	set->files[set->count++] = file;
	return 0;
}

/* --- in the child: system calls only --- */

/* Open the file that a path leads to, if it is the one meant: 0 and a descriptor, or -ESTALE. */
static int open_if(const char *path, int flags, dev_t device, ino_t inode, int *ret_fd)
{
	struct stat status;

	*ret_fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0)
		return -errno;
	if (!fstat(*ret_fd, &status) && status.st_dev == device && status.st_ino == inode)
		return 0;
	close(*ret_fd);
	return -ESTALE;
}

static int put(const struct file_copies *set, const struct file_copy *file, int place)
{
	struct mount_attr attr = {.attr_set = file->mount_flags};
	int copy = open_tree(set->tree, file->name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), err = 0;

	if (copy < 0)
		return -errno;
	if (mount_setattr(copy, "", AT_EMPTY_PATH, &attr, sizeof(attr)) ||
	    move_mount(copy, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		err = -errno;
	close(copy);
	return err;
}

/* Is the copy there, and may its code be mapped? A security module may refuse, or mounts may hide each other. */
static int try_out(const struct file_copy *file)
{
	void *code;
	int fd, err = open_if(file->path, O_RDONLY, file->copy_device, file->copy_inode, &fd);

	if (err)
		return err;
	code = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (code == MAP_FAILED)
		err = -errno;
	else
		munmap(code, 1);
	close(fd);
	return err;
}

static int put_all(const struct file_copies *set, const int places[])
{
	int err = 0;

	if (move_mount(set->tree, "", AT_FDCWD, STAGE, MOVE_MOUNT_F_EMPTY_PATH))
		return -errno;
	for (unsigned int i = 0; i < set->count && !err; i++)
		err = put(set, &set->files[i], places[i]);
	/* Lazily, since heaptap's descriptors are below it. */
	if (umount2(STAGE, MNT_DETACH) && !err)
		err = -errno;
	return err;
}

int file_copies_enter(const struct file_copies *set)
{
	int places[FILE_COPIES_MAX], err = 0;
	unsigned int opened = 0;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL))
		return -errno;
	/* All are looked up before any is mounted, so that no copy hides the place of another. */
	while (opened < set->count && !err) {
		const struct file_copy *file = &set->files[opened];

		err = open_if(file->path, O_PATH, file->device, file->inode, &places[opened]);
		opened += !err;
	}
	if (!err)
		err = put_all(set, places);
	while (opened)
		close(places[--opened]);
	for (unsigned int i = 0; i < set->count && !err; i++)
		err = try_out(&set->files[i]);
	if (!err && set->shared && mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL))
		err = -errno;
	return err;
}
