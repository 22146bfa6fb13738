/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The sampler's image, as it is written into a file: up to and with the page of its sites. */
#include <stddef.h>

#include "include/sampler.h"

/* The image begins with its header; all its offsets are from there. */
const struct sampler_header *sampler_image_header(void);

/* Whole pages. The data that follow at header->slots are not in it. */
size_t sampler_image_size(void);
