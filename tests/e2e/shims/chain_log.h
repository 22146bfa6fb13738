/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The file in which shim_unwind.c writes down where each block was allocated: one header page, then records of
 * different length, one behind the other. Shared with chains.c, which reads it.
 */
#include <stdint.h>

#define CHAIN_SUFFIX	   ".chains" /* behind the prefix that the truth's own files have (see truth_log.h) */
#define CHAIN_MAGIC	   0x6370636861696e32u
#define CHAIN_FILE_BYTES   (4ull << 30) /* sparse */
#define CHAIN_HEADER_BYTES 4096
#define CHAIN_DEPTH_MAX	   512

enum chain_end {
	CHAIN_ROOT,   /* libunwind found the outermost frame */
	CHAIN_FULL,   /* deeper than CHAIN_DEPTH_MAX */
	CHAIN_FAILED, /* libunwind gave up */
};

struct chain_record {
	uint64_t size; /* as requested */
	uint32_t pid;
	uint32_t tid;
	uint32_t depth; /* written last; 0: the thread died while it wrote */
	uint32_t end;	/* enum chain_end */
	uint64_t ip[];	/* leaf first: the shim's caller; return addresses, and where a signal struck the address plus
			   one */
};

struct chain_header {
	uint64_t magic;
	uint64_t used;	 /* bytes of records */
	uint64_t missed; /* calls without a chain: no room, or the caller was not found on the way up */
	uint64_t shim_start, shim_end;
};
