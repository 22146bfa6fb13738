/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `go tool pprof`, the program that must read what heaptap writes. Functions fail the running test themselves. */
#include "session.h"

/* Everything that `go tool pprof -top` prints with these arguments, for the caller to free; it must succeed. */
char *pprof_top(const struct scene *scene, const char *arguments);

/* The total as pprof states it: "Showing nodes accounting for X, P% of TOTAL total". *ret_top: everything it printed.
 */
uint64_t pprof_total(const struct scene *scene, const char *path, const char *measure, char **ret_top);
/* The same of all processes' files in a directory, which pprof reads one by one and adds up. */
uint64_t pprof_sum(const struct scene *scene, const char *dir, const char *measure);
