/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Profiles of made-up processes that share a library, and have generated code of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/merge.h"

#define LIBRARY "/usr/lib/libmerge.so"

/* One process: a library at `base`, JIT code at one address, and samples of its own. */
struct made {
	struct profile profile;
	struct profile_mapping mappings[2];
	struct profile_location locations[3];
	struct profile_line lines[3];
	u32 stacks[2][2];
	struct profile_sample samples[8];
};

enum {
	LEAF,
	ROOT,
	JIT
};

#define JIT_ADDRESS 0x7000001234ULL

static inline void make(struct made *made, u32 pid, u64 base, const char *jit_name)
{
	static const struct profile empty;

	*made = (struct made){.profile = empty};
	made->mappings[0] = (struct profile_mapping){.start = base,
						     .end = base + 0x8000,
						     .file_offset = 0x1000,
						     .path = (char *)LIBRARY,
						     .build_id = {1, 2, 3},
						     .build_id_size = 3,
						     .has_functions = true,
						     .has_filenames = true};
	made->mappings[1] =
		(struct profile_mapping){.start = 0x7000000000, .end = 0x7000010000, .path = (char *)"//anon"};
	made->lines[LEAF] =
		(struct profile_line){(char *)"leaf", (char *)"leaf", (char *)"/src/leaf.c", 3, 1, FRAME_PROGRAM};
	made->lines[ROOT] =
		(struct profile_line){(char *)"root", (char *)"root", (char *)"/src/leaf.c", 30, 20, FRAME_PROGRAM};
	made->lines[JIT] = (struct profile_line){(char *)jit_name, (char *)jit_name, NULL, 0, 0, FRAME_PROGRAM};
	made->locations[LEAF] = (struct profile_location){.address = base + 0x10,
							  .mapping = 0,
							  .line_count = 1,
							  .lines = &made->lines[LEAF],
							  .function_offset = 4};
	made->locations[ROOT] = (struct profile_location){.address = base + 0x100,
							  .mapping = 0,
							  .line_count = 1,
							  .lines = &made->lines[ROOT],
							  .function_offset = 8};
	made->locations[JIT] = (struct profile_location){
		.address = JIT_ADDRESS, .mapping = 1, .line_count = 1, .lines = &made->lines[JIT]};
	made->stacks[0][0] = LEAF;
	made->stacks[0][1] = ROOT;
	made->stacks[1][0] = JIT;
	made->stacks[1][1] = ROOT;
	made->profile.pid = pid;
	made->profile.comm = (char *)"made";
	made->profile.sample_bytes = 1000;
	made->profile.start_unix_ns = 1000 * pid;
	made->profile.duration_ns = 500;
	made->profile.cpu_ns = 100;
	made->profile.hit_cost_ns = pid;
	made->profile.ledger[COUNTER_HITS_ALLOC] = 10;
	made->profile.ledger[COUNTER_LOST_RING] = pid;
	made->profile.mappings = made->mappings;
	made->profile.mapping_count = 2;
	made->profile.locations = made->locations;
	made->profile.location_count = 3;
	made->profile.samples = made->samples;
}

static inline void sample(struct made *made, u32 stack, u64 size, u64 alloc, u64 inuse)
{
	made->samples[made->profile.sample_count++] = (struct profile_sample){
		.location = made->stacks[stack], .depth = 2, .size = size, .alloc_count = alloc, .inuse_count = inuse};
}

static inline void add(struct merge *merge, struct made *made)
{
	struct profile_labels labels = {.pid = made->profile.pid, .comm = made->profile.comm};

	assert_int_equal(merge_add(merge, &made->profile, &labels), 0);
}

static inline struct merge *new_merge(void)
{
	struct merge *merge = merge_new();

	assert_non_null(merge);
	return merge;
}

static inline const struct profile_location *frame(const struct profile *profile, u32 sample, u32 depth)
{
	assert_true(sample < profile->sample_count && depth < profile->samples[sample].depth);
	assert_true(profile->samples[sample].location[depth] < profile->location_count);
	return &profile->locations[profile->samples[sample].location[depth]];
}
