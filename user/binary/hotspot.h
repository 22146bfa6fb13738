/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* OpenJDK's virtual machine, HotSpot: what the variables of its library say about the code that it makes. */
#include <sys/types.h>

#include "system/address_map.h"

/* Whether the mapping is of that library. */
bool hotspot_has(const struct mapping *mapping);

/* Where the variable is in the process, all 0 at first: looking for it takes milliseconds. */
struct hotspot {
	u64 library, option;
};

/*
 * Whether compiled Java keeps frame pointers in process `pid`, which maps the library there (-XX:+PreserveFramePointer): 1, 0 (also
 * while it has not read its options), or -ENOENT: the library has no .symtab, or the process is gone.
 */
int hotspot_keeps_frame_pointers(struct hotspot *hotspot, pid_t pid, const struct mapping *library);
