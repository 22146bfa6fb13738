/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A made-up profile of many sites, all different, in a program of thousands of functions. */
#include <stdio.h>
#include <stdlib.h>

#include "profile/lifetime_pack.h"
#include "profile/lifetime.h"
#include "profile/profile.h"

#define WIDE_FUNCTIONS 5000

struct wide_profile {
	struct profile profile;
	struct profile_mapping mapping;
	u32 *stacks;
	char (*names)[64];
	struct profile_line *lines;
	struct lifetime_pack *pack; /* all samples' */
};

/* The same numbers each time. */
static inline u32 wide_random(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33);
}

/* Callers near the root are few, as in programs; the leaf is a line of the sample's own. */
static inline u32 wide_location(u64 *state, u32 depth, u32 at, u32 sample)
{
	u32 choices = 2 + (depth - at) * 3 / 2;

	if (!at)
		return WIDE_FUNCTIONS + sample;
	return (depth - at) * 97 % WIDE_FUNCTIONS + wide_random(state) % choices;
}

static inline void wide_profile_make(struct wide_profile *wide, u32 sites, u32 depth)
{
	u32 locations = WIDE_FUNCTIONS + 200 + sites;
	struct profile *profile = &wide->profile;
	u64 state = 1;

	*wide = (struct wide_profile){.mapping = {.start = 0x400000, .end = 0x10000000, .path = (char *)"/bin/wide"}};
	wide->stacks = calloc((size_t)sites * depth, sizeof(*wide->stacks));
	wide->names = calloc(WIDE_FUNCTIONS + 200, sizeof(*wide->names));
	wide->lines = calloc(locations, sizeof(*wide->lines));
	profile->locations = calloc(locations, sizeof(*profile->locations));
	profile->samples = calloc(sites, sizeof(*profile->samples));
	if (!wide->stacks || !wide->names || !wide->lines || !profile->locations || !profile->samples)
		abort();
	for (u32 i = 0; i < WIDE_FUNCTIONS + 200; i++)
		snprintf(wide->names[i], sizeof(wide->names[i]), "wide::module_%u::function_with_a_name_%u(int)",
			 i / 100, i);
	for (u32 i = 0; i < locations; i++) {
		char *name = wide->names[i % WIDE_FUNCTIONS];

		wide->lines[i] = (struct profile_line){name, name, (char *)"/src/wide.cc", 1 + i, 1, FRAME_PROGRAM};
		profile->locations[i] = (struct profile_location){
			.address = 0x400000 + 16UL * i, .mapping = 0, .line_count = 1, .lines = &wide->lines[i]};
	}
	for (u32 i = 0; i < sites; i++) {
		struct profile_sample *sample = &profile->samples[i];

		*sample = (struct profile_sample){.location = &wide->stacks[(size_t)i * depth], .depth = depth};
		for (u32 at = 0; at < depth; at++)
			sample->location[at] = wide_location(&state, depth, at, i);
		sample->size = 16 + wide_random(&state) % 512;
		sample->inuse_count = 10;
		sample->alloc_count = 10 + wide_random(&state) % 100;
	}
	profile->pid = 1;
	profile->image = 1;
	profile->comm = (char *)"wide";
	profile->sample_bytes = 1024;
	profile->duration_ns = 10000000000;
	profile->mappings = &wide->mapping;
	profile->mapping_count = 1;
	profile->location_count = locations;
	profile->sample_count = sites;
}

/* Forty cycles, of a tenth of a second each, in which each sample's objects live on or die, at random. */
static inline void wide_profile_add_lifetimes(struct wide_profile *wide)
{
	struct profile_model *model = &wide->profile.model;
	struct lifetime lifetime = {0};
	u64 state = 2;

	*model = (struct profile_model){.known = true, .gogc_percent = 100, .tenure = 2, .cycles = 40, .ticks = 40};
	model->cycles_ns = 4000000000;
	for (u32 cycle = 0; cycle < 40; cycle++) {
		u32 age = wide_random(&state) % 50;
		struct lifetime_time birth = {cycle, cycle}, death = {cycle + age, cycle + age};

		lifetime_birth(&lifetime, cycle);
		if (cycle + age < 40)
			lifetime_death(&lifetime, birth, death);
		else
			lifetime_end(&lifetime, cycle, 40);
	}
	lifetime_advance(&lifetime, 40);
	for (u32 i = 0; i <= 40 / lifetime_width(40); i++)
		model->clock_ns[i] = i * lifetime_width(40) * 100000000ULL;
	for (u32 class = 1; class < LIFETIME_CLASSES && lifetime_class_start(class) <= 40; class ++)
		model->age_ns[class] = lifetime_class_start(class) * 100000000ULL;
	wide->pack = lifetime_pack(&lifetime);
	if (!wide->pack)
		abort();
	for (u32 i = 0; i < wide->profile.sample_count; i++)
		wide->profile.samples[i].lifetime = wide->pack;
}

static inline void wide_profile_release(struct wide_profile *wide)
{
	free(wide->stacks);
	free(wide->names);
	free(wide->lines);
	free(wide->pack);
	free(wide->profile.locations);
	free(wide->profile.samples);
}
