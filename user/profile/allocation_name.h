/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Functions that allocate, by name: those of C and C++, of allocators, and those that programs and libraries have put around
 * them (xmalloc, g_malloc, PyMem_Malloc, palloc ...).
 */
#include "profile/profile.h"

/*
 * Which arguments of the line's function say how much is asked for, as bits from the first on; several are multiplied. 0: it is
 * none of them.
 */
u8 allocation_name_sizes(const struct profile_line *line);

/* The same by the name that the symbol table has. */
u8 allocation_name_sizes_of(const char *system_name);

/*
 * Is the line of what its language or allocator puts before malloc (operator new, __rust_alloc and their like), which is no
 * part of the program?
 */
bool allocation_name_is_internal(const struct profile_line *line);

/* Is the file of that path an allocator and nothing else? */
bool allocation_name_is_library(const char *path);
