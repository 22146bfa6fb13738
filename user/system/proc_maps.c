/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing trusts no byte of a line: the process whose maps they are chooses its paths. */
#include "system/proc_maps.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/stream.h"
#include "base/text.h"
#include "system/address_map.h"
#include "system/procfs.h"

/* A number that ends exactly in front of `terminator`, which is consumed too. */
static bool parse_number(const char **cursor, int base, char terminator, u64 *ret_number)
{
	const char *end = *cursor + strspn(*cursor, base == 10 ? "0123456789" : "0123456789abcdefABCDEF");

	errno = 0;
	*ret_number = strtoull(*cursor, NULL, base);
	if (end == *cursor || *end != terminator || errno)
		return false;
	*cursor = end + 1;
	return true;
}

/* Four letters and a space. */
static bool parse_permissions(const char **cursor, bool *ret_executable)
{
	const char *letters = *cursor;

	if ((letters[0] != 'r' && letters[0] != '-') || (letters[1] != 'w' && letters[1] != '-') ||
	    (letters[2] != 'x' && letters[2] != '-') || (letters[3] != 'p' && letters[3] != 's') || letters[4] != ' ')
		return false;
	*cursor = letters + 5;
	*ret_executable = letters[2] == 'x';
	return true;
}

/* The rest of the line with newlines restored and the kernel's mark of a deleted file cut. */
static char *parse_path(const char *text, bool *ret_deleted)
{
	size_t length;
	char *path, *to;

	text += strspn(text, " ");
	length = strcspn(text, "\n");
	if (length == 0)
		return strdup(MAPPING_ANONYMOUS);
	path = strndup(text, length);
	if (!path)
		return NULL;
	*ret_deleted = procfs_cut_deleted(path);
	to = path;
	for (const char *from = path; *from; to++) {
		bool newline = strncmp(from, "\\012", 4) == 0;

		*to = newline ? '\n' : *from;
		from += newline ? 4 : 1;
	}
	*to = '\0';
	return path;
}

int proc_maps_parse(const char *line, struct mapping *ret_mapping)
{
	struct mapping mapping = {0};
	u64 major_number, minor_number, inode;
	bool executable;

	if (!parse_number(&line, 16, '-', &mapping.start) || !parse_number(&line, 16, ' ', &mapping.end) ||
	    mapping.start >= mapping.end || !parse_permissions(&line, &executable))
		return -EINVAL;
	if (!executable)
		return -ENOENT;
	if (!parse_number(&line, 16, ' ', &mapping.file_offset) || !parse_number(&line, 16, ':', &major_number) ||
	    !parse_number(&line, 16, ' ', &minor_number) || !parse_number(&line, 10, ' ', &inode) ||
	    major_number > UINT32_MAX || minor_number > UINT32_MAX)
		return -EINVAL;
	mapping.device = makedev((unsigned int)major_number, (unsigned int)minor_number);
	mapping.inode = (ino_t)inode;
	mapping.path = parse_path(line, &mapping.deleted);
	if (!mapping.path)
		return -ENOMEM;
	*ret_mapping = mapping;
	return 0;
}

int proc_maps_read(const char *path, int (*each)(struct mapping *mapping, void *arg), void *arg)
{
	FILE *maps = fopen(path, "re");
	char *line = NULL;
	size_t capacity = 0;
	int ret = 0;

	if (!maps)
		return -errno;
	while (!ret && getline(&line, &capacity, maps) > 0) {
		struct mapping mapping;

		ret = proc_maps_parse(line, &mapping);
		if (!ret) {
			ret = each(&mapping, arg);
			free(mapping.path);
		} else if (ret != -ENOMEM) {
			ret = 0;
		}
	}
	if (!ret)
		ret = stream_read_failure(maps);
	free(line);
	fclose(maps);
	return ret;
}

int proc_maps_for_each(pid_t pid, int (*each)(struct mapping *mapping, void *arg), void *arg)
{
	pid_t tid = procfs_live_thread(pid);
	char path[PATH_MAX];

	/* The maps of a main thread that has exited are empty; /proc/TID exists for every thread. */
	return tid ? proc_maps_read(text_path(path, "/proc/%d/maps", tid), each, arg) : -ESRCH;
}

/*
 * st_dev cannot tell files of overlay and btrfs apart: inode and, later, build id decide there. Where the side-band gave a
 * build id instead of an inode, the caller compares that.
 */
static bool same_file(int fd, const struct mapping *mapping)
{
	struct stat stat;

	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode))
		return false;
	if (!mapping->inode)
		return mapping->build_id_size;
	return stat.st_ino == mapping->inode && (stat.st_dev == mapping->device || !mapping->device);
}

/* Is another file at the addresses of a mapping of some time ago by now? Without an inode this is unknown: false. */
static bool is_replaced(const struct stat *stat, const struct mapping *mapping)
{
	return mapping->from_ns && mapping->inode && stat->st_ino != mapping->inode;
}

static int open_by_name(pid_t tid, const struct mapping *mapping)
{
	char path[PATH_MAX];
	int fd = open(text_path(path, "/proc/%d/root%s", tid, mapping->path),
		      O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (!same_file(fd, mapping)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

int proc_maps_open_name(pid_t pid, const struct mapping *mapping)
{
	pid_t tid = procfs_live_thread(pid);

	return tid ? open_by_name(tid, mapping) : -ESRCH;
}

/* Where the mapping itself leads to its file. */
static const char *path_of_addresses(char path[PATH_MAX], pid_t tid, const struct mapping *mapping)
{
	return text_path(path, "/proc/%d/map_files/%llx-%llx", tid, (unsigned long long)mapping->start,
			 (unsigned long long)mapping->end);
}

/* Negative errno; -ESTALE: another file is there by now. */
static int open_at_addresses(pid_t tid, const struct mapping *mapping)
{
	char path[PATH_MAX];
	int fd = open(path_of_addresses(path, tid, mapping), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat stat;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) || !is_replaced(&stat, mapping))
		return fd;
	close(fd);
	return -ESTALE;
}

/*
 * EACCES: the directory is another user's; EPERM: the links in it take a capability of their own; ESRCH: the thread has ended, and others of
 * its process may live; ENOENT: nothing is there.
 */
static bool may_be_elsewhere(int fd)
{
	return fd == -EPERM || fd == -EACCES || fd == -ESRCH || fd == -ENOENT || fd == -ESTALE;
}

int proc_maps_stat(pid_t pid, const struct mapping *mapping, struct stat *ret_stat)
{
	char path[PATH_MAX];

	if (stat(path_of_addresses(path, pid, mapping), ret_stat))
		return -errno;
	return is_replaced(ret_stat, mapping) ? -ESTALE : 0;
}

int proc_maps_open(pid_t pid, const struct mapping *mapping)
{
	/* Nearly every main thread lives, and to ask costs more than to open. */
	int fd = open_at_addresses(pid, mapping);
	pid_t tid;

	if (!may_be_elsewhere(fd))
		return fd;
	tid = procfs_live_thread(pid);
	if (!tid)
		return -ESRCH;
	if (tid != pid)
		fd = open_at_addresses(tid, mapping);
	return may_be_elsewhere(fd) ? open_by_name(tid, mapping) : fd;
}

/* Is /proc/PID another user's? So it is where the process may not be looked at, as after set-user-ID. */
static bool is_foreign(pid_t pid)
{
	char path[PATH_MAX];
	struct stat stat_buffer;

	return !stat(text_path(path, "/proc/%d", pid), &stat_buffer) && stat_buffer.st_uid != geteuid();
}

/* Its root is where every name of a file is looked up. */
static bool is_closed(pid_t pid)
{
	char path[PATH_MAX], target[2];

	return readlink(text_path(path, "/proc/%d/root", pid), target, sizeof(target)) < 0 &&
	       (errno == EACCES || errno == EPERM);
}

u64 proc_maps_needs(pid_t pid, int err)
{
	u64 reading = 1ULL << CAP_DAC_READ_SEARCH, linked = 1ULL << CAP_CHECKPOINT_RESTORE;

	switch (err) {
	case -EACCES:
	case -EPERM:
		return is_closed(pid) ? 1ULL << CAP_SYS_PTRACE : reading;
	case -ESTALE:
	case -ENOENT:
		/* Its name leads elsewhere by now: map_files alone leads to it. */
		return linked | (is_foreign(pid) ? reading : 0);
	default:
		return 0;
	}
}

/* The kernel's own library is the same in every process: heaptap's own is read from memory. */
int proc_maps_open_vdso(void)
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

bool proc_maps_is_made_code(pid_t pid, const struct mapping *mapping)
{
	char *exe;
	bool program;

	if (!strcmp(mapping->path, MAPPING_ANONYMOUS))
		return true;
	if (!procfs_is_memory(mapping->path) || mapping->build_id_size)
		return false;
	exe = procfs_exe(pid);
	program = exe && !strcmp(exe, mapping->path);
	free(exe);
	return !program;
}
