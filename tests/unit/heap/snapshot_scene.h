/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One process with a program and a library, and the profile taken of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "system/address_map.h"
#include "heap/snapshot.h"

#define PROGRAM 0x400000
#define LIBRARY 0x7f0000000000

static struct image *process;
static struct profile *profile;

static inline void add_mapping(u64 start, u64 from_ns, const char *path)
{
	struct mapping mapping = {
		.start = start,
		.end = start + 0x10000,
		.file_offset = 0x1000,
		.from_ns = from_ns,
		.device = 5,
		.inode = 77,
		.path = (char *)path,
		.build_id = {1, 2, 3},
		.build_id_size = 3,
	};

	assert_int_equal(address_map_add(process->mappings, &mapping), 0);
}

static inline int setup(void **state)
{
	(void)state;
	process = image_new(9, 1234, 2, 1, 1000);
	if (!process)
		return -1;
	add_mapping(PROGRAM, 0, "/bin/program");
	add_mapping(LIBRARY, 0, "/lib/library");
	image_set_comm(process, "program");
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	profile = NULL;
	image_free(process);
	return 0;
}

static inline void add_stack(u64 hash, u64 time_ns, u32 depth, const u64 *ip)
{
	assert_int_equal(stack_table_add(&process->stacks, hash, time_ns, ip, depth), 0);
}

static inline void allocate(u64 id, u64 size, u64 stack)
{
	assert_int_equal(heap_alloc(&process->heap, id, 16 * id, size, stack, true, 1000 + id), 0);
}

static inline void take(u64 now_ns)
{
	struct recorder_options options = {.sample_bytes = 1, .alloc_hit_ns = 1000, .free_hit_ns = 500};

	profile_free(profile);
	profile = NULL;
	assert_int_equal(snapshot_take(&options, process, now_ns, 99, &profile), 0);
}

/* The one sample of that size and depth. */
static inline const struct profile_sample *sample_of(u64 size, u32 depth)
{
	const struct profile_sample *found = NULL;

	for (u32 i = 0; i < profile->sample_count; i++) {
		if (profile->samples[i].size == size && profile->samples[i].depth == depth) {
			assert_null(found);
			found = &profile->samples[i];
		}
	}
	assert_non_null(found);
	return found;
}
