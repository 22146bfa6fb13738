/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/sampler_image.h"

extern const u8 sampler_bytes[], sampler_bytes_end[]; /* sampler_bytes.S */

const struct sampler_header *sampler_image_header(void)
{
	return (const struct sampler_header *)sampler_bytes;
}

size_t sampler_image_size(void)
{
	return (size_t)(sampler_bytes_end - sampler_bytes);
}
