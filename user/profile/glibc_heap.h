/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Is a mapping without a name one of glibc's? Blocks from before heaptap came are in mappings in which it may never see another one. But
 * what glibc writes at their beginnings tells them (malloc/arena.c, heap_info; malloc/malloc.c, sysmalloc_mmap; 2.26 to 2.42):
 *
 *	an arena's heap    at a multiple of 64 MiB: arena, previous heap (or 0), size, size that is writable
 *	a large block      padding in front of it, its size with bit 1 set (IS_MMAPPED), which is a multiple of a page; several may
 *			   have become one mapping, then the next one begins where it ends
 */
#include "system/smaps.h"

/* Read the process's memory: false if it cannot be read. */
typedef bool glibc_heap_read(void *arg, u64 address, void *to, u64 size);

bool glibc_heap_is(const struct smaps_area *area, glibc_heap_read *read, void *arg);
