/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_JSON_PROFILE_H
#define FORMAT_JSON_PROFILE_H
/* A profile as JSON (docs/formats.md): everything heaptap knows of one process. */
#include <stdio.h>

#include "profile/profile.h"

/* Flushed. 0 or negative errno. */
int json_profile_write(const struct profile *profile, FILE *out);

#endif
