/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What of an image's allocators was not probed, and so is missing in its profile. */
#include "include/types.h"

struct image;
struct tracee;
struct tracer;

/*
 * Count it in the image's ledger, once, while its process' links are known still; say so if the image has `ended` and nothing of
 * it was seen. `image` and `tracee` may be NULL.
 */
void unprobed_look(struct tracer *tracer, const struct tracee *tracee, struct image *image, bool ended);
