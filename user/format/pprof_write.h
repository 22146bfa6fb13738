/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_PPROF_WRITE_H
#define FORMAT_PPROF_WRITE_H
/* A profile as the gzipped protobuf of pprof.proto (docs/formats.md): estimates, and every name that is known. */
#include <stdio.h>

#include "profile/profile.h"

/* Flushed. 0 or negative errno. */
int pprof_write(const struct profile *profile, FILE *out);

#endif
