/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is taken of images for a question: by the thread that empties the ring, which owns them. */
#include "live/questions.h"
#include "record/peek.h"

struct collection {
	struct peek peek;
	struct question *question;
	bool facts; /* who they are is all that is wanted */
};

/* For recorder_for_each, `arg` being a collection: take of the image what its question wants. 0 or negative errno. */
int collection_add(struct image *image, void *arg);
