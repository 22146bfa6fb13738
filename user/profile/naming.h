/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* All that a profile of addresses needs to be shown: names, stacks that begin in the program, and whose each frame is. */
#include <regex.h>

#include "profile/profile.h"
#include "profile/wrappers.h"

struct symbolizer;

/* `site_skip`: functions that sites pass over; NULL: none beside those that are known. 0 or -ENOMEM. */
int naming_apply(struct profile *profile, struct symbolizer *symbolizer, struct wrappers *wrappers,
		 const regex_t *site_skip);
