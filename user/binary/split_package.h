/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A package of split DWARF (.dwp): the bodies of a program's units, section by section one behind the other, and an index that says by a
 * unit's id which part of each section is its own. DWARF 5, section 7.3.5.3; version 2 is GNU's, for DWARF 4.
 */
#include "include/types.h"

struct elf;

/* Sections by their number in the index; others are not read. */
enum split_section {
	SPLIT_SHARED = 0, /* strings, which the units have in common */
	SPLIT_INFO = 1,
	SPLIT_ABBREV = 3,
	SPLIT_LINE = 4,
	SPLIT_STR_OFFSETS = 6,
	SPLIT_RNGLISTS = 8, /* of version 5 */
	SPLIT_SECTIONS,
};

/* What a unit has of each section; of size 0 for what it has not. */
struct split_parts {
	struct {
		u64 offset, size;
	} of[SPLIT_SECTIONS];
};

/* 0; -ENODATA: it is no package, or its index cannot be read; -ENOENT: it has no such unit; -ENOMEM. */
int split_package_find(const struct elf *package, u64 id, struct split_parts *ret_parts);
