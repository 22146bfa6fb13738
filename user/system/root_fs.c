/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heaptap looks up files for a process and has more rights than it. The owner of that file system may have put anything
 * under a name: a link to a file of the host, a device that acts when it is opened, a FIFO that blocks. So a name is first
 * resolved without opening the file (O_PATH), the kernel keeps the resolution inside the root, and only a regular file is
 * then opened.
 */
#include "system/root_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "system/procfs.h"

int root_fs_open(pid_t pid, struct root_fs *ret_root)
{
	char path[PATH_MAX];

	*ret_root = (struct root_fs){.fd = -1, .pid = pid};
	ret_root->fd = open(text_path(path, "/proc/%d/root", pid), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return ret_root->fd < 0 ? procfs_failure() : 0;
}

int root_fs_open_own(struct root_fs *ret_root)
{
	*ret_root = (struct root_fs){.pid = getpid(), .inner_pid = getpid(), .uid = geteuid()};
	ret_root->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return ret_root->fd < 0 ? -errno : 0;
}

void root_fs_look(struct root_fs *root)
{
	pid_t inner = 0;
	uid_t uid = 0;

	if (root->fd < 0 || procfs_identity(root->pid, &uid, &inner))
		return;
	/* The PID may have been reused: the other process very likely has another number in its namespace. */
	if (root->inner_pid && inner != root->inner_pid)
		return;
	root->inner_pid = inner;
	root->uid = uid;
}

void root_fs_close(struct root_fs *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}

/* Open the file of an O_PATH descriptor for reading. */
static int reopen(int fd)
{
	char path[PATH_MAX];
	int opened = open(text_path(path, "/proc/self/fd/%d", fd), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return opened < 0 ? -errno : opened;
}

int root_fs_open_file(const struct root_fs *root, const char *path, enum root_fs_links links, u64 size_max,
		      struct stat *ret_status)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	struct stat status;
	int fd, ret;

	if (root->fd < 0)
		return -ENOENT;
	if (links == ROOT_LINKS_NONE)
		how.resolve |= RESOLVE_NO_SYMLINKS;
	fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status))
		ret = -errno;
	else if (!S_ISREG(status.st_mode))
		ret = -EINVAL;
	else if ((u64)status.st_size > size_max)
		ret = -EFBIG;
	else
		ret = reopen(fd);
	close(fd);
	if (ret >= 0 && ret_status)
		*ret_status = status;
	return ret;
}
