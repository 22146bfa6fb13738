/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the kernel's uprobes make of the x86-64 instruction under a breakpoint. */
#include <stddef.h>

#include "include/types.h"

#define INSN_UPROBE_BYTES_MAX 15 /* bytes of the longest x86 instruction */

/* Does every kernel from 6.1 on emulate the instruction of exactly `length` bytes? Later kernels emulate more nops. */
bool insn_uprobe_emulates(const u8 *bytes, size_t length);

/*
 * Does the kernel take a probe on the first instruction? It refuses a lock or segment prefix and a branch with a 66 prefix.
 * More code may follow: `length` is all there is, INSN_UPROBE_BYTES_MAX at most.
 */
bool insn_uprobe_accepts(const u8 *bytes, size_t length);
