/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/python_pointers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "system/interruption.h"
#include "system/process_memory.h"
#include "system/shared_memory.h"
#include "system/stopped_threads.h"

#define LIMIT_NS 200000000ULL /* that threads stand still while one of them does not stop */

/* NULL: it has none. */
static const struct pymalloc *pymalloc_of(const struct binary *file)
{
	if (file->python_left.table_count)
		return &file->python_left;
	return file->plan && file->plan->pymalloc.table_count ? &file->plan->pymalloc : NULL;
}

bool python_pointers_find(const struct binary *file, const struct mapping *mapping, struct python_pointers *ret)
{
	const struct pymalloc *pymalloc = pymalloc_of(file);
	u64 vaddr = pymalloc ? pymalloc->functions[0] : 0, offset;

	if (!vaddr || elf_vaddr_to_offset(file->elf, vaddr, &offset) ||
	    offset - mapping->file_offset >= mapping->end - mapping->start)
		return false;
	*ret = (struct python_pointers){pymalloc, mapping->start + (offset - mapping->file_offset) - vaddr};
	return true;
}

static u32 count_of(const struct python_pointers *pointers)
{
	return pointers->pymalloc->table_count * PYMALLOC_FUNCTIONS;
}

static u64 address_of(const struct python_pointers *pointers, u32 pointer)
{
	return pointers->moved_by + pointers->pymalloc->tables[pointer / PYMALLOC_FUNCTIONS] +
	       pointer % PYMALLOC_FUNCTIONS * sizeof(u64);
}

static int read_state(int memory, const struct python_pointers *pointers, u32 pointer,
		      enum python_pointer_state *ret_state)
{
	const struct pymalloc *pymalloc = pointers->pymalloc;
	u32 function = pointer % PYMALLOC_FUNCTIONS;
	u64 value;
	ssize_t length = pread(memory, &value, sizeof(value), (off_t)address_of(pointers, pointer));

	if (length != sizeof(value))
		return length < 0 ? -errno : -EIO;
	value -= pointers->moved_by;
	*ret_state = value == pymalloc->functions[function] ? PYTHON_POINTER_DEFAULT
		     : value == pymalloc->entries[function] ? PYTHON_POINTER_TURNED
							    : PYTHON_POINTER_OTHER;
	return 0;
}

/* One store of eight bytes, which begin at a multiple of eight. */
static int write_one(int memory, const struct python_pointers *pointers, u32 pointer, bool back)
{
	const struct pymalloc *pymalloc = pointers->pymalloc;
	u64 value = pointers->moved_by + (back ? pymalloc->functions : pymalloc->entries)[pointer % PYMALLOC_FUNCTIONS];
	ssize_t length = pwrite(memory, &value, sizeof(value), (off_t)address_of(pointers, pointer));

	if (length != sizeof(value))
		return length < 0 ? -errno : -EIO;
	interruption_point();
	return 0;
}

int python_pointers_write(int memory, const struct python_pointers *pointers, bool back)
{
	enum python_pointer_state wanted = back ? PYTHON_POINTER_TURNED : PYTHON_POINTER_DEFAULT, state;
	int err = 0;

	for (u32 i = 0; i < count_of(pointers) && !err; i++) {
		err = read_state(memory, pointers, i, &state);
		if (!err && state == wanted)
			err = write_one(memory, pointers, i, back);
	}
	return err;
}

int python_pointers_count(pid_t pid, const struct python_pointers *pointers, u32 ret_counts[PYTHON_POINTER_STATES])
{
	int memory = process_memory_open(pid, O_RDONLY), err = memory < 0 ? memory : 0;
	enum python_pointer_state state = PYTHON_POINTER_OTHER;

	memset(ret_counts, 0, PYTHON_POINTER_STATES * sizeof(*ret_counts));
	for (u32 i = 0; i < count_of(pointers) && !err; i++) {
		err = read_state(memory, pointers, i, &state);
		if (!err)
			ret_counts[state]++;
	}
	if (memory >= 0)
		close(memory);
	return err;
}

struct turning {
	const struct python_pointers *pointers;
	bool back;
};

static int turn_all(struct stopped_threads *threads, void *arg)
{
	const struct turning *turning = arg;

	return python_pointers_write(threads->memory, turning->pointers, turning->back);
}

int python_pointers_turn(pid_t pid, const struct python_pointers *pointers, bool back, u64 *ret_stopped_ns)
{
	struct turning turning = {pointers, back};

	/* A child that runs in its memory would not stop. */
	if (shared_memory_has_others(pid))
		return -EBUSY;
	return stopped_threads_do(pid, STOPPED_ALL, LIMIT_NS, turn_all, &turning, ret_stopped_ns);
}
