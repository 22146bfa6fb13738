/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One writer, and programs that read at any time: the table is there before the file's name is, and gone before it. */
#include "unwind/file_rows.h"

#include <stddef.h>
#include <sys/sysmacros.h>

/* As the kernel writes a device number. */
static u64 kernel_device(dev_t device)
{
	return (u64)major(device) << 20 | minor(device);
}

/* The row of that inode and device, both 0 for a free one; NULL: none of those it may be in. `near`: the file looked for. */
static struct unwind_file *find(struct unwind_file *rows, const struct unwind_file *near, u64 inode, u64 device)
{
	u32 first = unwind_file_place(near->inode, near->device);

	for (u32 i = 0; i < UNWIND_FILE_PROBES; i++) {
		struct unwind_file *row = &rows[(first + i) % UNWIND_FILES_MAX];

		if (row->inode == inode && row->device == device)
			return row;
	}
	return NULL;
}

bool file_rows_enter(struct unwind_file *rows, dev_t device, ino_t inode, u64 table_and_flags)
{
	struct unwind_file file = {.inode = inode, .device = kernel_device(device)};
	struct unwind_file *row = find(rows, &file, file.inode, file.device);

	if (!row)
		row = find(rows, &file, 0, 0);
	if (!row)
		return false;
	__atomic_store_n(&row->table_and_flags, table_and_flags, __ATOMIC_RELEASE);
	__atomic_store_n(&row->device, file.device, __ATOMIC_RELEASE);
	__atomic_store_n(&row->inode, file.inode, __ATOMIC_RELEASE);
	return true;
}

void file_rows_remove(struct unwind_file *rows, dev_t device, ino_t inode)
{
	struct unwind_file file = {.inode = inode, .device = kernel_device(device)};
	struct unwind_file *row = find(rows, &file, file.inode, file.device);

	if (!row)
		return;
	__atomic_store_n(&row->table_and_flags, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&row->inode, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&row->device, 0, __ATOMIC_SEQ_CST);
}
