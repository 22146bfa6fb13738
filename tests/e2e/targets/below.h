/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A function called below frames of no interest. */
#include <string.h>

/* Frames before the one that matters, so that there is something to unwind. */
__attribute__((noinline)) static void below(unsigned int frames, void (*then)(void))
{
	char room[24];

	memset(room, (int)frames, sizeof(room));
	__asm__ volatile("" : : "r"(room) : "memory");
	if (frames)
		below(frames - 1, then);
	else
		then();
	__asm__ volatile("" : : "r"(room) : "memory");
}
