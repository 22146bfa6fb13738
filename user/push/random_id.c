/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/random_id.h"

#include <stdio.h>
#include <stdlib.h>

void random_id(u8 id[RANDOM_ID_SIZE])
{
	arc4random_buf(id, RANDOM_ID_SIZE);
	id[6] = (u8)((id[6] & 0x0f) | 0x40);
	id[8] = (u8)((id[8] & 0x3f) | 0x80);
}

const char *random_id_text(char text[RANDOM_ID_TEXT_SIZE])
{
	u8 id[RANDOM_ID_SIZE];
	char *at = text;

	random_id(id);
	for (unsigned int i = 0; i < RANDOM_ID_SIZE; i++)
		at += snprintf(at, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
	return text;
}
