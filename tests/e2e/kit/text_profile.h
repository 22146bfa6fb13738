/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Readers of the text format and of pprof files of the tests' own, so that heaptap's writers are not judged by heaptap's
 * readers. Both fill one struct, so that one expectation judges both formats.
 */
#include "tally.h"

#define TEXT_DEPTH_MAX 129 /* 128 and what says that there were more */

struct text_frame {
	char *function; /* "" when unknown */
	char *file;	/* "" when unknown */
	unsigned int line;
	uint64_t pc; /* of the call; equal for what is inlined into one another */
};

struct text_record {
	uint64_t inuse_objects, inuse_bytes, alloc_objects, alloc_bytes;
	uint64_t pc[TEXT_DEPTH_MAX];
	unsigned int pc_count;
	struct text_frame *frames; /* of the # lines, leaf first */
	unsigned int frame_count;
};

struct text_profile {
	uint64_t inuse_objects, inuse_bytes, alloc_objects, alloc_bytes; /* as the header line says; pprof: the sums */
	uint64_t twice_interval;
	uint64_t duration_ns; /* pprof alone has it */
	struct text_record *records;
	size_t count;
	size_t mapping_count; /* lines of MAPPED_LIBRARIES */
};

/* 0; -EBADMSG and the offending line on stderr; or negative errno. */
int text_profile_read(const char *path, struct text_profile *ret_profile);
/*
 * The same from a .pb.gz, and as strict: Go's four sample types; identifiers dense from 1 (mappings in any order); every
 * reference resolved; no two locations of one address in one mapping, so that frames of equal pc in it are lines of one
 * location; at interval 1, `bytes` labels that are the size of each object; every location has a line.
 */
int pprof_profile_read(const char *path, struct text_profile *ret_profile);
void text_profile_release(struct text_profile *profile);

/*
 * Objects by size and by the first return address outside [skip_start, skip_end). Sizes are bytes over objects: right
 * at interval 1 only.
 */
void text_profile_tally(const struct text_profile *profile, uint64_t skip_start, uint64_t skip_end,
			struct tally *ret_tally);
