/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * CPython's allocator of small objects (Objects/obmalloc.c, 3.8 to 3.14). PyObject_Malloc, PyMem_Malloc and so on call it through the pointers
 * of two tables, those of the domains "mem" and "obj" (PyMemAllocatorEx: a context, malloc, calloc, realloc, free). It serves 1 to
 * 512 bytes itself (SMALL_REQUEST_THRESHOLD); everything else it gets from the domain "raw", which is libc's malloc.
 *
 * Its functions have no names in a stripped file. They are found by what stands in the tables before the interpreter runs. A third
 * kind of table tells which words are tables: that of the debug hooks, whose entries begin with the letters 'r', 'm' and 'o' of
 * the domains. A build in which all domains share functions (--without-pymalloc), or "mem" and "obj" do not (free-threaded: mimalloc), is none of these.
 *
 * A compiler that was given a profile (PGO, which Debian, python.org's images and most others are built with) puts the body of these functions into
 * the callers, behind a comparison of the pointer: `if (table.malloc == _PyObject_Malloc) body else table.malloc()`. No probe sees such a
 * call: in Debian's python3.11 that comparison stands at some 260 places (findings/python_pgo_copies.sh). An entry is another way into the same function: the padding before
 * its first byte, which does nothing, or a jump to it. With that in the table, every comparison fails and every call is one
 * (trace/python_tables.h). Nothing else calls these functions, but for realloc, which calls the first and the last of them for itself.
 */
#include "binary/elf_data.h"

#define PYMALLOC_FUNCTIONS  4 /* malloc, calloc, realloc, free */
#define PYMALLOC_TABLES_MAX 4 /* a file has two */
#define PYMALLOC_JUMPS_MAX  8

struct pymalloc {
	u64 functions[PYMALLOC_FUNCTIONS];     /* virtual addresses, in the order of the table */
	u64 entries[PYMALLOC_FUNCTIONS];       /* the other way in; 0: there is none */
	bool entry_is_nop[PYMALLOC_FUNCTIONS]; /* it is an instruction at which a breakpoint is cheap (site.h) */
	u64 sizes[PYMALLOC_FUNCTIONS];	       /* in bytes, by unwind information */
	u64 tables[PYMALLOC_TABLES_MAX];       /* virtual addresses of the pointers to malloc; the others follow */
	u32 table_count;
	u64 jumps
		[PYMALLOC_JUMPS_MAX]; /* by which realloc hands calls on, so that the stack is as at its entry: virtual addresses */
	u32 jump_count;
	u64 malloc_jump; /* the one of realloc that leads to malloc, for NULL; 0: realloc serves NULL in code of its own */
};

/* 0; -ENOENT: the file has none, or one whose code cannot be followed; or an error of elf. `dynamic` may be NULL. */
int pymalloc_find(const struct elf *elf, const struct elf_dynamic *dynamic, struct pymalloc *ret_pymalloc);
