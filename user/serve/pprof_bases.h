/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The profiles that later ones are subtracted from: what delta_heap answered last, for each scope. They are bounded in number and in
 * samples. One that is asked for again is never forgotten for another, since its scope's next answer would then be since tracing began, and
 * clients add answers up.
 */
#include "serve/pprof.h"

#define PPROF_BASES_MAX		2048 /* as many processes as /sd lists, and as many containers */
#define PPROF_BASES_SAMPLES_MAX (1u << 21)
#define PPROF_BASES_AGE_NS	600000000000ULL /* without a request, after which one may be forgotten */

/* Drop what a difference does not need. */
void pprof_bases_reduce(struct profile *profile);
struct profile *pprof_bases_copy(const struct profile *profile); /* so reduced; NULL: no memory */

/* Borrowed until the scope's next one is kept; NULL: none. */
const struct profile *pprof_bases_find(const struct pprof_bases *bases, const struct request *request);

/* Make room for one of so many samples in place of the scope's; old ones go. False: there is none. */
bool pprof_bases_reserve(struct pprof_bases *bases, const struct request *request, u32 samples, u64 now_ns);

/* In place of the scope's last one, after pprof_bases_reserve. Takes the profile over. */
void pprof_bases_keep(struct pprof_bases *bases, const struct request *request, struct profile *profile, u64 now_ns);
