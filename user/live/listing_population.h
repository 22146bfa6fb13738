/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "live/source.h"
#include "view/population.h"

/* All processes of a listing together, dropped ones too. */
void listing_population(const struct source_listing *listing, struct population *ret_population);
