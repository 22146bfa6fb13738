/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Whether exceptions may pass functions of a file. */

struct elf;

/*
 * 1: it has, or asks another file for, what C++, Rust and others need to throw, or to clean up when something is thrown. 0: nothing
 * of that. -ENOMEM, or an error of reading. A file of too many functions may have it.
 */
int exceptions_possible(struct elf *elf);
