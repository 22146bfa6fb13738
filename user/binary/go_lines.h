/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Functions, files and lines of a Go program, as its own runtime finds them (runtime/symtab.go, findfunc, pcvalue, funcline1;
 * runtime/symtabinl.go): from the table that Go's linker makes, which strip leaves. The table may be anybody's: every offset is checked.
 *
 * Go's stacks have one address for each *logical* frame: a function that was inlined has one of its own, and its caller's is then
 * `parent` below. Addresses are as linked; a return address must have one subtracted.
 */
#include "binary/go_image.h"

/* Where the linker put the program, from runtime.firstmoduledata. */
struct go_module {
	u64 text, etext; /* code; offsets in the table are from `text` on */
	u64 gofunc;	 /* functions' data, of which the trees of inlined calls are read */
};

struct go_line {
	const char *function; /* "main.(*T).run"; valid until go_lines_free */
	const char *file;     /* NULL: unknown */
	u32 line;	      /* 0: unknown */
	u32 start_line;	      /* of the function; 0: unknown, as before Go 1.20 */
	u64 entry;	      /* of the physical function that the code is in */
	u64 parent; /* the address in it that stands for the call of this inlined function; 0: it is not inlined */
};

struct go_lines;

/* Read the table of `elf`, which must outlive it. 0; -ENOTSUP: of a Go whose tables are not known; -EBADMSG: corrupt; -ENOMEM ... */
int go_lines_open(const struct elf *elf, const struct go_image *image, const struct go_module *module,
		  struct go_lines **ret_lines);
void go_lines_free(struct go_lines *lines);

/* 0, or -ENOENT: no function of Go is there, or the table is corrupt there. */
int go_lines_find(struct go_lines *lines, u64 address, struct go_line *ret_line);

/* The function of that name: its first byte and the next function's. 0 or -ENOENT. */
int go_lines_function(const struct go_lines *lines, const char *name, u64 *ret_start, u64 *ret_end);
