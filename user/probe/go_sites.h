/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where in Go's runtime the births and deaths of the objects pass that its heap profiler has sampled: two functions that run for few
 * others (runtime/mheap.go), and how the second tells what it is called for.
 *
 * Every function begins with a look at the end of the goroutine's stack. Where there is no room, or the scheduler wants the thread, the
 * function is entered once more after that, so a probe at its first byte would count such calls twice. Behind the branch it counts each once;
 * arguments are still in their registers, and nothing is on the stack. A return probe would end the program: Go copies its stacks.
 */
#include "binary/elf.h"
#include "binary/go_lines.h"

struct go_sites {
	u64 born, died;		  /* offsets in the file, behind the stack guards of setprofilebucket and freeSpecial */
	unsigned int kind;	  /* of a special that says that an object was sampled */
	unsigned int kind_offset; /* where a special has its kind */
};

/*
 * 0; -ENOTSUP: of a Go whose specials are not known; -ENOENT: the program has no such functions; -EBADMSG: their code is not what that
 * release's is; -ENOMEM.
 */
int go_sites_find(const struct elf *elf, const struct go_image *image, const struct go_lines *lines,
		  struct go_sites *ret_sites);

/* The bytes of a function's code up to behind the branch of its stack guard; 0: it does not begin with one. */
size_t go_guard_size(const u8 *code, size_t size);
