/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BINARY_MANGLED_H
#define BINARY_MANGLED_H
/* Linker names as a person writes them: C++ (Itanium), Rust (both schemes) and D, by libiberty. Used by symbolizer.c. */

/*
 * With parameters, so that overloads stay apart. Caller frees. NULL: no mangled name, or one that unfolds to something
 * absurd, or no memory.
 */
char *symbol_readable(const char *mangled);

#endif
