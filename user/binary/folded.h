/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Identical code folding (gold's and lld's --icf, GCC's -fipa-icf, LLVM's MergeFunctions): several functions whose
 * instructions are the same share one address, and nothing tells which one a caller meant. But one function may have
 * several names as well:
 *
 * - Mangled names are counted as they read. A name says all that tells C++ and Rust functions apart, and the variants that
 *   compilers make of one (constructors C1 and C2, clones) read the same. operator new and delete are left out: allocators
 *   give all of them one body by hand.
 * - Plain names (C) are counted only where none of them is weak, exported or begins with an underscore: libraries have
 *   such aliases for compatibility (malloc, __libc_malloc; glob, glob64), and programs have none.
 */
#include <stdbool.h>
#include <stddef.h>

struct folded_name {
	const char *name; /* without version */
	bool weak, exported;
};

#define FOLDED_MAX 4096 /* names that are looked at */

/* How many functions these names of one address are, 1 where they may be one. -ENOMEM. */
int folded_count(const struct folded_name *names, size_t count);
