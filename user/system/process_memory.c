/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/process_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "system/capability.h"
#include "system/procfs.h"

/* The file in /proc is its user's alone, whoever may trace him. */
static bool is_foreign(const char *path, int flags)
{
	const u64 to_write = 1ULL << CAP_DAC_OVERRIDE, to_read = to_write | 1ULL << CAP_DAC_READ_SEARCH;
	struct privileges privileges;
	struct stat status;

	return !stat(path, &status) && status.st_uid != geteuid() && !privileges_read(&privileges) &&
	       !(privileges.effective & (flags == O_RDONLY ? to_read : to_write));
}

int process_memory_open(pid_t pid, int flags)
{
	char path[PATH_MAX];
	pid_t tid = procfs_live_thread(pid);
	int memory = tid ? open(text_path(path, "/proc/%d/mem", tid), flags | O_CLOEXEC) : -ESRCH;

	if (memory != -1)
		return memory;
	memory = procfs_failure();
	return memory == -EACCES && is_foreign(path, flags) ? PROCESS_MEMORY_FOREIGN : memory;
}

int process_memory_read(const struct process_memory *memory, u64 address, void *buffer, size_t size)
{
	return memory->read(memory->arg, address, buffer, size);
}

int process_memory_word(const struct process_memory *memory, u64 address, u64 *ret_word)
{
	return process_memory_read(memory, address, ret_word, sizeof(*ret_word));
}

/* How many bytes there are, up to `size`; negative errno. */
static ssize_t read_at(int fd, u64 address, void *buffer, size_t size)
{
	ssize_t count;

	if (address > (u64)INT64_MAX - size)
		return -EFAULT;
	do
		count = pread(fd, buffer, size, (off_t)address);
	while (count < 0 && errno == EINTR);
	return count < 0 ? (errno == EIO ? -EFAULT : -errno) : count;
}

static int read_directly(int fd, u64 address, u8 *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = read_at(fd, address + done, buffer + done, size - done);

		if (count <= 0)
			return count < 0 ? (int)count : -EFAULT;
		done += (size_t)count;
	}
	return 0;
}

static bool holds(const struct memory_pieces *pieces, u64 address, size_t size)
{
	return address >= pieces->start && size <= pieces->size && address - pieces->start <= pieces->size - size;
}

/* The piece around an address begins where memory may not: then what is wanted is read alone. */
int memory_pieces_read(void *arg, u64 address, void *buffer, size_t size)
{
	struct memory_pieces *pieces = arg;
	ssize_t count;

	if (!holds(pieces, address, size) && size < MEMORY_PIECE / 2) {
		pieces->start = address & ~(u64)(MEMORY_PIECE - 1);
		count = read_at(pieces->fd, pieces->start, pieces->bytes, MEMORY_PIECE);
		pieces->size = count > 0 ? (size_t)count : 0;
	}
	if (!holds(pieces, address, size))
		return read_directly(pieces->fd, address, buffer, size);
	memcpy(buffer, pieces->bytes + (address - pieces->start), size);
	return 0;
}

void memory_pieces_drop(struct memory_pieces *pieces)
{
	pieces->size = 0;
}
