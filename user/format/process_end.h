/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How a process ended, in words. */
#include "profile/profile.h"

#define PROCESS_END_SIZE 96

/*
 * "ended: killed by signal 11", "ended: OOM-killed at 509.2 MiB, limit 512.0 MiB" (its resident memory; the limit of its control
 * group if it has one), "ended: exit status 3", or "ended" for status 0 and where more is not known.
 */
const char *process_end(const struct profile *profile, char text[PROCESS_END_SIZE]);

/* In 8 columns at most: "OOM kill", "signal 9", "exit 3", "ended"; "" for one that had not ended. */
const char *process_end_brief(const struct profile *profile, char text[PROCESS_END_SIZE]);
