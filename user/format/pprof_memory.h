/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* heaptap's own field of a .pb.gz: what the resident memory consists of. */
#include "pprof.pb-c.h"
#include "profile/memory_parts.h"

/* The message, and what it points to; in one piece, so that it may lie on the stack. */
struct pprof_memory {
	Pprof__Memory message;
	Pprof__Amount part[MEMORY_PART_MAX], *parts[MEMORY_PART_MAX];
	Pprof__Other other[MEMORY_OTHERS_MAX], *others[MEMORY_OTHERS_MAX];
	Pprof__Amount amount[MEMORY_OTHERS_MAX];
};

/* It points into itself and the parts, which must outlive it. NULL where they are unknown. */
Pprof__Memory *pprof_memory_pack(const struct memory_parts *parts, struct pprof_memory *memory);

/* The file may be hostile. NULL: unknown. 0 or -EBADMSG. */
int pprof_memory_unpack(const Pprof__Memory *message, struct memory_parts *ret_parts);
