/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Whether a mapping is of the build of a file, by device and inode or the build id, as the side-band and /proc tell them. */
#include <stdbool.h>

#include "binary/elf.h"
#include "system/address_map.h"

/* Both have the same build id. */
bool mapped_build_is(const struct mapping *mapping, const struct elf *elf);

/* They do not contradict each other. */
bool mapped_build_fits(const struct mapping *mapping, const struct elf *elf);

/*
 * For a process that has ended: the file that heaptap itself sees under the name that the process knew, if it fits. Names of a container
 * mean something else out here. A descriptor; -ESTALE: the file is of another build, or another negative errno: it cannot be told.
 */
int mapped_build_open_own(const struct mapping *mapping);

/* The mapping is of this file: it has device and inode, and the build id unless it is known. */
void mapped_build_describe(struct mapping *mapping, struct elf *elf);
