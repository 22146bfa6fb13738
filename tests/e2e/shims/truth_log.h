/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The file in which the preload shim writes down what one image of a process asked of the allocator: one header page,
 * then records in the order in which they took effect. An exec begins another image, and a fork does in the child, with
 * its first call; a vfork child books to its parent. Shared by shim.c, which writes it, and truth.c, which reads it.
 */
#include <stdint.h>

#define TRUTH_VARIABLE	   "HEAPTAP_TRUTH" /* environment: prefix of the file names <prefix>.<pid>.<n> */
#define TRUTH_MAGIC	   0x6874727574683031u
#define TRUTH_FILE_BYTES   (4ull << 30) /* sparse: what is never written takes no room */
#define TRUTH_HEADER_BYTES 4096

enum truth_function {
	TRUTH_NO_FUNCTION,
	TRUTH_MALLOC,
	TRUTH_CALLOC,
	TRUTH_REALLOC,
	TRUTH_REALLOCARRAY,
	TRUTH_ALIGNED_ALLOC,
	TRUTH_MEMALIGN,
	TRUTH_POSIX_MEMALIGN,
	TRUTH_VALLOC,
	TRUTH_PVALLOC,
	TRUTH_FREE,
	TRUTH_CFREE,
};

enum truth_phase {
	TRUTH_NO_PHASE, /* a record never completed: its thread died within the call */
	TRUTH_ENTER,	/* about to give back `old`: free, or realloc with a block */
	TRUTH_RETURN,	/* came back with `addr` */
};

struct truth_record {
	uint64_t caller; /* return address into the caller */
	uint64_t size;	 /* as requested; products that overflow count as 0 and fail */
	uint64_t addr;	 /* result, 0 when the call failed */
	uint64_t old;	 /* block given back, 0 for none */
	uint32_t function;
	uint32_t phase; /* written last */
	uint32_t pid;	/* of the log, so a vfork child's is its parent's */
	uint32_t tid;
};

struct truth_header {
	uint64_t magic;
	uint64_t count;	 /* records claimed */
	uint64_t missed; /* calls that could not be written down */
	uint64_t shim_start, shim_end;
	uint32_t pid;
	char exe[2048];
};
