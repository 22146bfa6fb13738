/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The inside of struct kernel, for bpf_object.c and bpf_maps.c alone. */
#include "trace/bpf_object.h"

/* It uses the types above. */
#include "heaptap.skel.h"

struct kernel {
	struct heaptap *skeleton;
	struct attach_programs programs;
	struct scope *scopes;
	u32 scope_count; /* rows of scopes, and of counters; a power of two */
	struct unwind_memory unwind;
	int cpus;
	struct tally *taken; /* the rows that kernel_take_tally reads: it must not fail for want of memory */
};
