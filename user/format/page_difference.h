/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a page shows of two profiles, as JSON (docs/formats.md). */
#include <stdio.h>

#include "profile/profile.h"

/* One JSON object, flushed. 0 or negative errno. */
int page_difference_write(const struct profile *before, const char *before_name, const struct profile *after,
			  const char *after_name, FILE *out);
