/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Numbers of a fixed seed: the same in every run. */
#include "include/types.h"

static u64 random_state;

static inline u64 random_number(void)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return random_state >> 33;
}
