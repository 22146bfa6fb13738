/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What system calls mapped in a process: by the program at two sites, and by its allocator. */
#include "unit/profile/golden.h"

#define MAPPED_MIB (1ULL << 20)

/* Locations. */
enum {
	MAPPED_CACHE,
	MAPPED_SCRATCH,
	MAPPED_MAIN,
	MAPPED_ALLOCATOR,
	MAPPED_LOCATIONS
};

/* The tables are static: it is never given to profile_free. */
static inline struct profile mapped_profile(void)
{
	static struct profile_line lines[MAPPED_LOCATIONS] = {
		[MAPPED_CACHE] = {(char *)"map_cache", (char *)"map_cache", (char *)"/src/cache.c", 12, 10,
				  FRAME_PROGRAM},
		[MAPPED_SCRATCH] = {(char *)"map_scratch", (char *)"map_scratch", (char *)"/src/cache.c", 40, 38,
				    FRAME_PROGRAM},
		[MAPPED_MAIN] = {(char *)"main", (char *)"main", (char *)"/src/main.c", 5, 3, FRAME_PROGRAM},
		[MAPPED_ALLOCATOR] = {(char *)PROFILE_ALLOCATOR, (char *)PROFILE_ALLOCATOR, NULL, 0, 0, FRAME_PROGRAM},
	};
	static struct profile_mapping program = {.start = 0x401000,
						 .end = 0x402000,
						 .file_offset = 0x1000,
						 .path = (char *)"/usr/bin/mapper",
						 .build_id = {1, 2, 3},
						 .build_id_size = 3,
						 .has_functions = true,
						 .has_filenames = true,
						 .has_line_numbers = true};
	static struct profile_location locations[MAPPED_LOCATIONS];
	static u32 cache[] = {MAPPED_CACHE, MAPPED_MAIN}, scratch[] = {MAPPED_SCRATCH, MAPPED_MAIN},
		   allocator[] = {MAPPED_ALLOCATOR, MAPPED_MAIN};
	static struct profile_sample samples[] = {
		{.location = cache, .depth = 2, .size = 4 * MAPPED_MIB, .alloc_count = 3, .inuse_count = 2},
		{.location = cache, .depth = 2, .size = MAPPED_MIB, .alloc_count = 0, .inuse_count = 1},
		{.location = scratch, .depth = 2, .size = 8192, .alloc_count = 100, .inuse_count = 1},
		{.location = allocator, .depth = 2, .size = 64 * MAPPED_MIB, .alloc_count = 1, .inuse_count = 1},
	};
	struct profile profile = {
		.kind = PROFILE_REGIONS,
		.pid = 77,
		.image = 1,
		.comm = (char *)"mapper",
		.exe = (char *)"/usr/bin/mapper",
		.start_unix_ns = 1700000000123456789,
		.duration_ns = 5000000000,
		.sample_bytes = 1,
		.mappings = &program,
		.mapping_count = 1,
		.locations = locations,
		.location_count = MAPPED_LOCATIONS,
		.samples = samples,
		.sample_count = sizeof(samples) / sizeof(*samples),
	};

	for (u32 i = 0; i < MAPPED_LOCATIONS; i++)
		locations[i] = (struct profile_location){
			.address = 0x401010 + 16 * i, .mapping = 0, .line_count = 1, .lines = &lines[i]};
	locations[MAPPED_ALLOCATOR].address = UINT64_MAX - 1;
	locations[MAPPED_ALLOCATOR].mapping = MAPPING_UNKNOWN;
	profile.ledger[COUNTER_MAPPING_CALLS] = 207;
	profile.ledger[COUNTER_MAPPING_UNPAIRED] = 2;
	profile.ledger[COUNTER_MAPPING_PARTIAL] = 1;
	return profile;
}
