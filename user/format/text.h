/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A profile in the text form of Go's heap profiles (debug=1, docs/formats.md): raw counts, which `go tool pprof` scales
 * as it reads, names in comment lines for people, and the executable mappings by which pprof finds names itself.
 */
#include <stdio.h>

#include "profile/profile.h"

/* Flushed. 0 or negative errno. */
int text_write(const struct profile *profile, FILE *out);
