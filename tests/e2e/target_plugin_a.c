/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One of two libraries that come and go at the same addresses (see target_tables): their frames have different sizes.
 */
#pragma GCC optimize("omit-frame-pointer")
#include <stdlib.h>
#include <string.h>

int plugin_call(int number);

static void *volatile kept;

__attribute__((noinline, noclone)) static int plugin_a_inner(int number)
{
	volatile char room[40];

	memset((char *)room, number, sizeof(room));
	kept = malloc(4001);
	free(kept);
	return room[number & 31];
}

int plugin_call(int number)
{
	volatile char room[300];

	memset((char *)room, number, sizeof(room));
	return plugin_a_inner(number) + room[number & 255];
}
