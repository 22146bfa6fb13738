/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_INSN_UPROBE_H
#define PROBE_INSN_UPROBE_H
/* What the kernel's uprobes make of the x86-64 instruction under a breakpoint. */
#include <stddef.h>

#include "include/types.h"

#define INSN_UPROBE_BYTES_MAX 15 /* bytes of the longest x86 instruction */

/* Every kernel from 6.1 on emulates it, of exactly `length` bytes; later ones know more nops. */
bool insn_uprobe_emulates(const u8 *bytes, size_t length);

/*
 * It has no lock or segment prefix and is no branch with a 66 prefix: the kernel refuses probes on those. It may be
 * followed by others: `length` is what there is of code, INSN_UPROBE_BYTES_MAX at most.
 */
bool insn_uprobe_accepts(const u8 *bytes, size_t length);

#endif
