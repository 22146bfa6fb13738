/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where a Go program's runtime keeps its heap profile (runtime/mprof.go): by symbols; in a stripped program by the instructions of
 * functions that use the variables, found by go_lines.h. And where the linker put the program, from memory.
 */
#include "binary/elf.h"
#include "binary/go_lines.h"
#include "system/process_memory.h"

struct go_variables {
	u64 buckets; /* runtime.mbuckets, as linked, like the others: a pointer to the newest bucket */
	u64 cycle; /* runtime.mProfCycle: 32 bits, the number of the cycle times two, plus one when it has been published */
	u64 rate; /* runtime.MemProfileRate */
};

/*
 * Find runtime.firstmoduledata in the memory of a process that has the program at its linked addresses plus `bias`. *ret_module is as
 * linked. 0; -ENOENT: it is not there (yet); -ENOTSUP: of a Go whose layout is not known; -ENOMEM, or an error of reading.
 */
int go_module_find(const struct go_image *image, const struct process_memory *memory, u64 bias,
		   struct go_module *ret_module);

/*
 * Does the program keep a heap profile? Go's linker turns it off (runtime.disableMemoryProfiling) where nothing in the program can ask for it:
 * where runtime.MemProfile, or from Go 1.23 on what is behind it, is not there (cmd/link/internal/ld/deadcode.go). True also where that cannot be
 * told; false for what is no program of Go's.
 */
bool go_keeps_profile(const struct elf *elf, struct go_image *ret_image);

/* 0; -ENOENT: they cannot be found; -ENOMEM. */
int go_variables_find(struct elf *elf, const struct go_image *image, const struct go_lines *lines,
		      struct go_variables *ret_variables);
