/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/sampler_image.h"

extern const u8 sampler_bytes[]; /* both: sampler_bytes.S */
extern const u64 sampler_bytes_size;

const struct sampler_header *sampler_image_header(void)
{
	return (const struct sampler_header *)sampler_bytes;
}

size_t sampler_image_size(void)
{
	return sampler_bytes_size;
}
