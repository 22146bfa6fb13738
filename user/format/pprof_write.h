/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A profile as the gzipped protobuf of pprof.proto (docs/formats.md): estimates, and every name that is known. */
#include <stdio.h>

#include "profile/profile.h"

/* Flushed. 0 or negative errno. */
int pprof_write(const struct profile *profile, FILE *out);

/* The same with the measure that readers show first; MEASURE_MAX: theirs, which is the last. */
int pprof_write_shown(const struct profile *profile, enum measure shown, FILE *out);
