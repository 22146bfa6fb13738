/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The inside of struct kernel, for bpf_object.c, bpf_config.c and bpf_maps.c alone. */
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
};

/* Constants and sizes, between open and load. 0 or negative errno. */
int kernel_configure(struct kernel *kernel, const struct kernel_options *options);
