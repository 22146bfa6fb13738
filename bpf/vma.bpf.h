/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The mapping of an address as the kernel has it at this moment, for walks of processes whose list of mappings is not there yet: in
 * their first milliseconds short programs make most of their stacks, and to send those as bytes fills the ring.
 */
#include <bpf/bpf_core_read.h>

#include "map.bpf.h"

#define VMA_EXECUTABLE 4 /* VM_EXEC of linux/mm.h; no types describe it */
#define VMA_PAGE_BYTES 4096

/*
 * The row of that file; UNWIND_NOTHING: its table is not known. Inlined, as the stacks of all functions on the way here may have 512 bytes
 * together.
 */
static __always_inline u32 unwind_find_file(u64 inode, u64 device)
{
	u32 first = unwind_file_place(inode, device);

	for (u32 i = 0; i < UNWIND_FILE_PROBES; i++) {
		u32 place = (first + i) % UNWIND_FILES_MAX;
		const struct unwind_file *file = bpf_map_lookup_elem(&unwind_files, &place);

		if (file && file->inode == inode && file->device == device)
			return place;
	}
	return UNWIND_NOTHING;
}

/* Read after the row is known, and before it is known to be still this file's. 0: not. */
static __always_inline u64 unwind_file_table(u32 place, u64 inode, u64 device)
{
	const volatile struct unwind_file *file = bpf_map_lookup_elem(&unwind_files, &place);
	u64 table_and_flags;

	if (!file)
		return 0;
	table_and_flags = file->table_and_flags;
	return file->inode == inode && file->device == device ? table_and_flags : 0;
}

static long unwind_note_vma(struct task_struct *task, struct vm_area_struct *vma, void *arg)
{
	struct scratch *scratch = *(struct scratch **)arg;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct inode *inode;
	u64 number, device;

	(void)task;
	if (!(BPF_CORE_READ(vma, vm_flags) & VMA_EXECUTABLE))
		return 0;
	scratch->vma.start = BPF_CORE_READ(vma, vm_start);
	scratch->vma.end = BPF_CORE_READ(vma, vm_end);
	/* JIT code, whose rules user space knows, or something of the kernel's. */
	if (!file)
		return 0;
	scratch->vma.file_offset = BPF_CORE_READ(vma, vm_pgoff) * VMA_PAGE_BYTES;
	inode = BPF_CORE_READ(file, f_inode);
	number = BPF_CORE_READ(inode, i_ino);
	device = BPF_CORE_READ(inode, i_sb, s_dev);
	scratch->walk.file = unwind_find_file(number, device);
	scratch->vma.table_and_flags = unwind_file_table(scratch->walk.file, number, device);
	return 0;
}

/* The mapping of the code at `addr` into scratch->vma. False: there is none, or the kernel is busy with the mappings. */
__weak __noinline int unwind_find_vma(struct scratch *scratch, u64 addr)
{
	if (!scratch)
		return false;
	if (addr >= scratch->vma.start && addr < scratch->vma.end)
		return true;
	scratch->vma = (struct unwind_mapping){};
	bpf_find_vma(bpf_get_current_task_btf(), addr, unwind_note_vma, &scratch, 0);
	return scratch->vma.end != 0;
}

/* Has the table that scratch->vma names been in force up to now? */
static __always_inline bool unwind_table_stayed(const struct scratch *scratch)
{
	u32 place = scratch->walk.file;
	const volatile struct unwind_file *file = bpf_map_lookup_elem(&unwind_files, &place);

	return file && file->table_and_flags == scratch->vma.table_and_flags;
}
