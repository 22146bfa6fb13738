/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other one of target_plugin_a.c. */
#pragma GCC optimize("omit-frame-pointer")
#include <stdlib.h>
#include <string.h>

int plugin_call(int number);

static void *volatile kept;

__attribute__((noinline, noclone)) static int plugin_b_inner(int number)
{
	volatile char room[1000];

	memset((char *)room, number, sizeof(room));
	kept = malloc(4002);
	free(kept);
	return room[number & 511];
}

int plugin_call(int number)
{
	return plugin_b_inner(number) + 1;
}
