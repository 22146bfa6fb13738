/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The scene's target, recorded by its session at interval 1, so that every object is a sample. Functions fail the running
 * test themselves.
 */
#include "session.h"
#include "tally.h"

/* Attach to the target, which stands ready; all probes are live then. */
void recording_begin(struct scene *scene);
/* The same, having started it. */
void recording_start(struct scene *scene, const char *const *argv);
/* Let the target go on: it ends well, and so does heaptap. */
void recording_end(struct scene *scene);

/* What was written of the last process with that comm: objects of one size; and those that target_leak makes. */
struct tally_row recording_objects(const struct scene *scene, const char *comm, uint64_t size);
void recording_assert_leak(const struct scene *scene, const char *comm);
