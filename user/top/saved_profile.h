/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A profile that the user asked for while looking, as a file. */
#include <stddef.h>

#include "profile/profile.h"

/*
 * Write it into the current directory, as <pid>.<comm>-<UTC time>.pb.gz. `err`: why there is no profile, or 0. `said` gets a
 * sentence: what was written, or why not.
 */
void saved_profile_write(struct profile *profile, int err, char *said, size_t size);
