/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is taken of images for a question: by the thread that empties the ring, which owns them. */
#include "live/questions.h"
#include "record/peek.h"

struct collection {
	struct peek peek;
	struct question *question;
};

/* For recorder_for_each, `arg` being a collection: take of the image what its question wants. 0 or negative errno. */
int collection_add(struct image *image, void *arg);

/* Is what it says of its own heap all that is known of it? */
bool collection_is_go_alone(const struct image *image);

/* What a Go program says of itself, as go_profile_make. */
int collection_make_go(const struct peek *peek, const struct image *image, struct profile **ret_profile);
