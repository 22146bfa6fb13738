/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MANGLED_H
#define MANGLED_H
/* Linker names as a person writes them: C++ (Itanium), Rust (both schemes) and D, by libiberty. Used by symbol.c. */

/*
 * With parameters, so that overloads stay apart. Caller frees. NULL: no mangled name, or one that unfolds to something
 * absurd, or no memory.
 */
char *mangled_readable(const char *mangled);

#endif
