/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Split DWARF: a skeleton unit in the program, and its body in a .dwo file, which libdw knows as one unit. */
#include <elfutils/libdw.h>
#include <stddef.h>

#include "include/types.h"

/* The name of the body's file as the skeleton has it, and the directory that it is relative to (NULL: unknown). NULL: none. */
const char *split_unit_name(Dwarf_Die *skeleton, const char **ret_directory);

/*
 * Make `body`, an image of the file that dwarf_copy_read has made, the body of `skeleton`, whose own sections must lie in `image`
 * (writable). 0; -ENOENT: it is not its body, or libdw cannot read it; or a negative errno.
 */
int split_unit_link(Dwarf_Die *skeleton, u8 *image, size_t image_size, const u8 *body, size_t body_size,
		    Dwarf_Die *ret_body);
