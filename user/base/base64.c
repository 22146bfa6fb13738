/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/base64.h"

#include <stdint.h>
#include <stdlib.h>

#include "include/types.h"

/* Up to three bytes are four characters. */
static void encode_group(const u8 *bytes, size_t count, char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	u32 bits = (u32)bytes[0] << 16;

	if (count > 1)
		bits |= (u32)bytes[1] << 8;
	if (count > 2)
		bits |= bytes[2];
	text[0] = digits[bits >> 18];
	text[1] = digits[bits >> 12 & 63];
	text[2] = '=';
	text[3] = '=';
	if (count > 1)
		text[2] = digits[bits >> 6 & 63];
	if (count > 2)
		text[3] = digits[bits & 63];
}

char *base64_encode(const void *bytes, size_t size, size_t *ret_length)
{
	const u8 *from = bytes;
	size_t groups = size / 3 + (size % 3 != 0);
	char *text = groups < SIZE_MAX / 4 ? malloc(4 * groups + 1) : NULL;

	if (!text)
		return NULL;
	for (size_t i = 0; i < groups; i++)
		encode_group(from + 3 * i, size - 3 * i, text + 4 * i);
	text[4 * groups] = '\0';
	*ret_length = 4 * groups;
	return text;
}
