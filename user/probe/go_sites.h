/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where in Go's runtime the births and deaths of the objects pass that its heap profiler has sampled: two functions that run for few
 * others (runtime/mheap.go), and how the second tells what it is called for.
 *
 * Every function begins with a look at the end of the goroutine's stack, and branches away where there is no room or the scheduler wants the
 * thread. After that the function is entered once more, so each call passes that branch once without taking it: the site is the branch, and
 * the BPF program knows by the flags whether it is taken. The kernel emulates a branch; the instruction behind it, which makes the frame, is one
 * that it has to single-step in Go before 1.21, for which it traps a second time. Arguments are still in their registers, and nothing is on the
 * stack. A return probe would end the program: Go copies its stacks.
 */
#include "binary/elf.h"
#include "binary/go_lines.h"

struct go_sites {
	u64 born, died;		  /* offsets in the file: the guards' branches in setprofilebucket and freeSpecial */
	unsigned int kind;	  /* of a special that says that an object was sampled */
	unsigned int kind_offset; /* where a special has its kind */
};

/*
 * 0; -ENOTSUP: of a Go whose specials are not known; -ENOENT: the program has no such functions; -EBADMSG: their code is not what that
 * release's is; -ENOMEM.
 */
int go_sites_find(const struct elf *elf, const struct go_image *image, const struct go_lines *lines,
		  struct go_sites *ret_sites);

/* The bytes of a function's code before the branch of its stack guard; 0: it does not begin with one. */
size_t go_guard_branch(const u8 *code, size_t size);
