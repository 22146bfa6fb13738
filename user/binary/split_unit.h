/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Split DWARF: a skeleton unit in the program, and its body in a .dwo file, which libdw knows as one unit. */
#include <elfutils/libdw.h>
#include <stddef.h>

#include "include/types.h"

struct elf;

/* The name of the body's file as the skeleton has it, and the directory that it is relative to (NULL: unknown). NULL: none. */
const char *split_unit_name(Dwarf_Die *skeleton, const char **ret_directory);

/*
 * The body of `skeleton` in `file`, a .dwo or a package of them, as dwarf_copy_read copies it; which .dwo it is, split_unit_link says.
 * -ENOENT: the package has no such unit; or the errors of dwarf_copy_read.
 */
int split_unit_copy(Dwarf_Die *skeleton, const struct elf *file, u8 **ret_body, size_t *ret_size);

/*
 * Make `body`, an image that split_unit_copy has made, the body of `skeleton`, whose own sections must lie in `image`
 * (writable). 0; -ENOENT: it is not its body, or libdw cannot read it; or a negative errno.
 */
int split_unit_link(Dwarf_Die *skeleton, u8 *image, size_t image_size, const u8 *body, size_t body_size,
		    Dwarf_Die *ret_body);
