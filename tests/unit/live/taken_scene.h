/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Snapshots of an answer: of images that are kept until taken_scene_end, so that drafts can be completed late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live/taken.h"
#include "heap/image.h"

static struct image *scene_images[8];
static u32 scene_image_count;

static inline struct image *scene_image(u32 pid, u32 ordinal, const char *comm)
{
	struct image *image = image_new(pid, pid, ordinal, 1, 1000);

	assert_non_null(image);
	assert_true(scene_image_count < sizeof(scene_images) / sizeof(*scene_images));
	image_set_comm(image, comm);
	scene_images[scene_image_count++] = image;
	return image;
}

/* No draft of them is left. */
static inline void taken_scene_end(void)
{
	while (scene_image_count)
		image_free(scene_images[--scene_image_count]);
}

/* A draft of a process that runs its program number `ordinal`, which has made one object of `size` bytes. */
static inline void draft_program(struct taken_list *list, u32 pid, u32 ordinal, u64 size, const struct root_fs *root,
				 bool alloc_only)
{
	const struct recorder_options options = {.sample_bytes = 1, .alloc_only = alloc_only};
	struct image *image = scene_image(pid, ordinal, "program");
	struct snapshot_draft *made;

	if (root)
		image->root = *root;
	assert_int_equal(heap_alloc(&image->heap, 1, 16, size, 0, true, 1001), 0);
	assert_int_equal(snapshot_draft_make(&options, image, 2000, 99, SNAPSHOT_STACKS | SNAPSHOT_LIFETIMES, &made),
			 0);
	assert_int_equal(taken_list_add(list, made), 0);
}

static inline void draft(struct taken_list *list, u32 pid, u64 size)
{
	draft_program(list, pid, 1, size, NULL, false);
}

/* What that process says of its own heap: one object of `size` bytes. */
static inline void add_go(struct taken_list *list, u32 pid, u64 size, u64 sample_bytes)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	assert_non_null(profile);
	profile->pid = pid;
	profile->image = 1;
	profile->comm = strdup("program");
	profile->sample_bytes = sample_bytes;
	profile->go = (struct profile_go){.version = "go1.24", .beside = true};
	profile->samples = calloc(1, sizeof(*profile->samples));
	assert_non_null(profile->samples);
	profile->sample_count = 1;
	profile->samples[0] = (struct profile_sample){.size = size, .alloc_count = 1, .inuse_count = 1};
	assert_int_equal(taken_list_add_profile(list, profile), 0);
}

/* The profile of what is in the list, which ends. */
static inline void assert_profile(struct taken_list *list, u64 objects, u64 bytes)
{
	u64 all[MEASURE_MAX];
	struct profile *profile;

	assert_int_equal(taken_list_profile(list, NULL, &profile), 0);
	taken_list_release(list);
	taken_scene_end();
	profile_totals(profile, all);
	assert_int_equal(all[INUSE_OBJECTS], objects);
	assert_int_equal(all[INUSE_SPACE], bytes);
	profile_free(profile);
}
