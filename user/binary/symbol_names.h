/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Names of functions and of source files, each kept and demangled once. */

/*
 * A linker name as a person writes it: C++ (Itanium), Rust (both schemes) and D, by libiberty; with parameters, so that
 * overloads stay apart. Caller frees. NULL: not mangled, or it unfolds to more than 16 KiB, or no memory.
 */
char *symbol_names_demangle(const char *mangled);

/*
 * A linker name without what compilers append to those of a function's parts and copies (".cold", ".constprop.0",
 * ".llvm.123"): the name of the function that stands in the source. Caller frees. NULL: no memory.
 */
char *symbol_names_base(const char *mangled);

struct name;

struct symbol_names {
	struct name *names; /* NULL: none yet */
};

void symbol_names_release(struct symbol_names *table);

/*
 * Both names live as long as the table, and equal names are one pointer. *ret_readable is *ret_name where the name is
 * not mangled. 0 or -ENOMEM.
 */
int symbol_names_function(struct symbol_names *table, const char *mangled, const char **ret_name,
			  const char **ret_readable);

/* The same for a text that is no function's name. NULL remains NULL. */
int symbol_names_keep(struct symbol_names *table, const char *text, const char **ret_text);
