/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room binary/ reads one ELF file at a time and finds names and source lines for addresses in it. It traces nothing,
 * and keeps nothing about processes.
 *
 * One file that a process maps: its identity (device, inode, build id), an open descriptor that outlives the process
 * and the path, and bounds-checked access to its symbols and code. Files are hostile: nothing here trusts an offset.
 */
#include <sys/types.h>

#include "include/types.h"

#define BUILD_ID_MAX 20

struct elf;

/*
 * Open the file behind descriptor `fd` (taken over; closed by elf_free, and on error). `path` is what to call it: kept
 * as a copy, never opened. 0, or -ENOEXEC (no ELF), -EBADMSG (corrupt), or another negative errno. An ELF file of
 * another machine or word size opens: ask elf_is_64bit_x86.
 */
int elf_open(int fd, const char *path, struct elf **ret_elf);

/*
 * The same for a file that holds only what is known of another one's code (a separate debug file): its program headers
 * describe that other file and are not looked at.
 */
int elf_open_debug(int fd, const char *path, struct elf **ret_elf);

void elf_free(struct elf *elf);

const char *elf_path(const struct elf *elf);
int elf_fd(const struct elf *elf);
dev_t elf_device(const struct elf *elf);
ino_t elf_inode(const struct elf *elf);
const u8 *elf_build_id(const struct elf *elf, unsigned int *ret_size); /* NULL and 0 when it has none */
const char *elf_interpreter(const struct elf *elf);		       /* PT_INTERP, NULL when none */
bool elf_is_64bit_x86(const struct elf *elf);

/* Virtual address of a file offset through the executable PT_LOAD segments: 0, or -ENOENT. And back. */
int elf_offset_to_vaddr(const struct elf *elf, u64 offset, u64 *ret_vaddr);
int elf_vaddr_to_offset(const struct elf *elf, u64 vaddr, u64 *ret_offset);

/* Read up to `size` bytes of the file at `offset`; the number of bytes read, or negative errno. */
ssize_t elf_read(const struct elf *elf, u64 offset, void *buffer, size_t size);

/*
 * Read exactly `size` bytes at `offset`; *ret_bytes is one allocation for the caller to free, and 64 zeros follow the
 * bytes, so that a number or string cut off ends. 0; -EFBIG: over `size_max`; -EBADMSG: the file has no such bytes, or
 * `size` is 0; -ENOMEM or an error of reading.
 */
int elf_read_bytes(const struct elf *elf, u64 offset, u64 size, u64 size_max, u8 **ret_bytes);

/*
 * The same for the whole section `name`, unpacked. -ENOENT: there is none, or it is empty. *ret_address: its virtual
 * address; NULL: not asked for.
 */
int elf_read_section(const struct elf *elf, const char *name, u64 size_max, u8 **ret_bytes, u64 *ret_size,
		     u64 *ret_address);
