/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The small profile that every format writes, its relatives (empty, all live, allocations only), and the comparison of
 * what a writer wrote with a file of tests/golden.
 *
 * The tables are static: these profiles are never given to profile_free.
 */
#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#include "profile/profile.h"

#ifndef SOURCE_DIR
#define SOURCE_DIR "."
#endif
#define GOLDEN_DIR SOURCE_DIR "/tests/golden/"

/* Locations of the small profile. */
enum {
	INLINED,
	MAIN,
	START,
	VDSO,
	NOWHERE,
	GROW,
	LOCATIONS
};

/* An inlined pair, C++ names, a library without lines, an unnamed mapping, an address in none, no stack, size 0. */
static inline struct profile golden_small(void)
{
	static struct profile_line inlined[] = {
		{(char *)"make_node", (char *)"make_node", (char *)"/src/small.c", 12, 10, FRAME_PROGRAM},
		{(char *)"build_list", (char *)"build_list", (char *)"/src/small.c", 30, 28, FRAME_PROGRAM},
	};
	static struct profile_line main_line = {(char *)"main", (char *)"main", (char *)"/src/small.c", 50, 45,
						FRAME_PROGRAM};
	static struct profile_line start = {
		(char *)"__libc_start_call_main", (char *)"__libc_start_call_main", NULL, 0, 0, FRAME_PROGRAM};
	static struct profile_line grow = {(char *)"ns::list<int>::grow(unsigned long)",
					   (char *)"_ZN2ns4listIiE4growEm",
					   (char *)"/src/list.cc",
					   7,
					   5,
					   FRAME_PROGRAM};
	static struct profile_mapping mappings[] = {
		{.start = 0x7f0000001000,
		 .end = 0x7f0000101000,
		 .file_offset = 0x26000,
		 .path = (char *)"/usr/lib/heaptap-golden/libc.so.6",
		 .inode = 99,
		 .has_functions = true},
		{.start = 0x401000,
		 .end = 0x402000,
		 .file_offset = 0x1000,
		 .path = (char *)"/usr/lib/heaptap-golden/small app",
		 .build_id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0xff},
		 .build_id_size = 20,
		 .inode = 1234,
		 .has_functions = true,
		 .has_filenames = true,
		 .has_line_numbers = true,
		 .has_inline_frames = true},
		{.start = 0x7ffd00000000, .end = 0x7ffd00002000, .path = (char *)"[vdso]"},
	};
	static struct profile_location locations[LOCATIONS] = {
		[INLINED] =
			{.address = 0x401155, .mapping = 1, .line_count = 2, .lines = inlined, .function_offset = 0x1f},
		[MAIN] = {.address = 0x4011a0,
			  .mapping = 1,
			  .line_count = 1,
			  .lines = &main_line,
			  .function_offset = 0x20},
		[START] = {.address = 0x7f0000002249,
			   .mapping = 0,
			   .line_count = 1,
			   .lines = &start,
			   .function_offset = 0x79},
		[VDSO] = {.address = 0x7ffd00000a10, .mapping = 2},
		[NOWHERE] = {.address = 0x10, .mapping = MAPPING_UNKNOWN},
		[GROW] = {.address = 0x401300, .mapping = 1, .line_count = 1, .lines = &grow, .function_offset = 0x8},
	};
	static u32 deep[] = {INLINED, MAIN, START}, growing[] = {GROW, MAIN, START}, odd[] = {VDSO, NOWHERE};
	static struct profile_sample samples[] = {
		{.location = deep, .depth = 3, .size = 1024, .alloc_count = 4, .inuse_count = 3},
		{.location = deep, .depth = 3, .size = 524288, .alloc_count = 1, .inuse_count = 0},
		{.location = growing, .depth = 3, .size = 32, .alloc_count = 10, .inuse_count = 10},
		{.location = odd, .depth = 2, .size = 0, .alloc_count = 1, .inuse_count = 1},
		{.location = NULL, .depth = 0, .size = 64, .alloc_count = 2, .inuse_count = 1},
	};
	struct profile profile = {
		.pid = 4242,
		.image = 1,
		.comm = (char *)"small",
		.exe = (char *)"/usr/lib/heaptap-golden/small app",
		.cgroup = (char *)"/system.slice/small.service",
		.start_unix_ns = 1700000000123456789,
		.duration_ns = 5000000000,
		.sample_bytes = 524288,
		.mappings = mappings,
		.mapping_count = 3,
		.locations = locations,
		.location_count = LOCATIONS,
		.samples = samples,
		.sample_count = 5,
		.peak_inuse_space = 9007199254740993,
		.peak_at_ns = 2500000000,
		.rss_start_bytes = 1048576,
		.rss_end_bytes = 2097152,
		.rss_peak_bytes = 3145728,
		.cpu_ns = 2000000000,
		.hit_cost_ns = 650.25,
		.slowdown_percent = 1.5,
		.exited = true,
		.exit = {.known = true, .oom_killed = true, .signal = 9},
	};

	mappings[0].device = makedev(8, 1);
	mappings[1].device = makedev(259, 2);
	profile.ledger[COUNTER_HITS_ALLOC] = 100000;
	profile.ledger[COUNTER_HITS_FREE] = 90000;
	profile.ledger[COUNTER_SAMPLED] = 20;
	profile.ledger[COUNTER_FREED] = 3;
	profile.ledger[COUNTER_ENDED] = 15;
	profile.ledger[COUNTER_LOST_RING] = 2;
	profile.ledger[COUNTER_STACK_LOST_SLOT] = 2;
	return profile;
}

static inline struct profile golden_empty(void)
{
	struct profile profile = {.pid = 7, .image = 1, .comm = (char *)"empty", .sample_bytes = 524288};

	return profile;
}

static inline struct profile golden_alloc_only(void)
{
	struct profile profile = golden_small();

	profile.alloc_only = true;
	return profile;
}

/* Nothing was freed: the case in which `go tool pprof` could mistake the text for one without allocation columns. */
static inline struct profile golden_all_live(void)
{
	static u32 stack[] = {INLINED, MAIN, START};
	static struct profile_sample samples[] = {
		{.location = stack, .depth = 3, .size = 1024, .alloc_count = 4, .inuse_count = 4},
		{.location = stack, .depth = 3, .size = 48, .alloc_count = 2, .inuse_count = 2},
	};
	struct profile profile = golden_small();

	profile.samples = samples;
	profile.sample_count = 2;
	return profile;
}

/*
 * Forty cycles of 8 MiB and a tenth of a second: make_node keeps all it makes, grow keeps nothing, what the vdso makes
 * lives for three cycles, and the unknown stack has too few samples for a verdict. A tick is as long as a cycle.
 */
#define GOLDEN_CYCLES 40

static inline struct lifetime_time golden_at(u32 cycle)
{
	return (struct lifetime_time){cycle, cycle};
}

static inline struct profile golden_living(void)
{
	static u32 deep[] = {INLINED, MAIN, START}, growing[] = {GROW, MAIN, START}, odd[] = {VDSO, NOWHERE};
	static struct lifetime lifetimes[4];
	static struct lifetime_pack *packs[4];
	static struct profile_sample samples[] = {
		{.location = deep, .depth = 3, .size = 1024, .alloc_count = 200, .inuse_count = 200},
		{.location = growing, .depth = 3, .size = 32, .alloc_count = 400, .inuse_count = 0},
		{.location = odd, .depth = 2, .size = 4096, .alloc_count = 80, .inuse_count = 6},
		{.location = NULL, .depth = 0, .size = 64, .alloc_count = 3, .inuse_count = 3},
	};
	struct profile profile = golden_small();
	struct profile_model *model = &profile.model;

	memset(lifetimes, 0, sizeof(lifetimes));
	for (u32 cycle = 0; cycle < GOLDEN_CYCLES; cycle++) {
		for (u32 i = 0; i < 5; i++) {
			lifetime_birth(&lifetimes[0], cycle);
			lifetime_end(&lifetimes[0], cycle, GOLDEN_CYCLES);
		}
		for (u32 i = 0; i < 10; i++) {
			lifetime_birth(&lifetimes[1], cycle);
			lifetime_death(&lifetimes[1], golden_at(cycle), golden_at(cycle));
		}
		for (u32 i = 0; i < 2; i++) {
			lifetime_birth(&lifetimes[2], cycle);
			if (cycle + 3 < GOLDEN_CYCLES)
				lifetime_death(&lifetimes[2], golden_at(cycle), golden_at(cycle + 3));
			else
				lifetime_end(&lifetimes[2], cycle, GOLDEN_CYCLES);
		}
	}
	for (u32 i = 0; i < 3; i++) {
		lifetime_birth(&lifetimes[3], 20);
		lifetime_end(&lifetimes[3], 20, GOLDEN_CYCLES);
	}
	for (u32 bucket = 0; bucket <= GOLDEN_CYCLES / lifetime_width(GOLDEN_CYCLES); bucket++)
		model->clock_ns[bucket] = bucket * lifetime_width(GOLDEN_CYCLES) * 100000000ULL;
	for (u32 i = 0; i < 4; i++) {
		lifetime_advance(&lifetimes[i], GOLDEN_CYCLES);
		free(packs[i]);
		samples[i].lifetime = packs[i] = lifetime_pack(&lifetimes[i]);
	}
	for (u32 class = 1; class < LIFETIME_CLASSES && lifetime_class_start(class) <= GOLDEN_CYCLES; class ++)
		model->age_ns[class] = (lifetime_class_start(class) - 1) * 100000000ULL + 50000000;
	model->known = true;
	model->gogc_percent = 100;
	model->tenure = 2;
	model->cycles = model->ticks = GOLDEN_CYCLES;
	model->requests = 1;
	model->cycles_ns = GOLDEN_CYCLES * 100000000ULL;
	model->cycles_bytes = GOLDEN_CYCLES * 8388608.0;
	model->marked_bytes = 104857600;
	model->goal_bytes = 209715200;
	model->visited_bytes = 2097152000;
	model->tenured_bytes = 99614720;
	model->trend = 26214400;
	model->judged_bytes = 318767104;
	model->promoted_bytes = 104857600;
	profile.memory_limit = 1073741824;
	profile.memory_used = 209715200;
	profile.duration_ns = 4050000000;
	profile.exited = false;
	profile.exit = (struct profile_exit){0};
	profile.samples = samples;
	profile.sample_count = 4;
	profile.ledger[COUNTER_LOST_RING] = profile.ledger[COUNTER_STACK_LOST_SLOT] = 0;
	return profile;
}

static inline char *golden_read(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t size = in ? getdelim(&text, &room, '\0', in) : -1;

	if (in)
		fclose(in);
	if (size < 0) {
		free(text);
		text = strdup("");
	}
	assert_non_null(text);
	return text;
}

/* Fails with what was written, so that a wanted change of a format can be read, judged and kept. */
static inline void assert_golden(const char *written, const char *name)
{
	char path[4096], *expected;

	snprintf(path, sizeof(path), "%s%s", GOLDEN_DIR, name);
	expected = golden_read(path);
	if (strcmp(written, expected) != 0)
		fprintf(stderr, "--- %s differs; written was:\n%s--- end\n", name, written); /* print_error cuts */
	assert_string_equal(written, expected);
	free(expected);
}
