/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What --max-overhead has left out of a profile. Times are since its beginning. For several processes they are the earliest,
 * and numbers the greatest.
 */
#include <stdbool.h>

#include "include/types.h"

#define RESTRAINT_SCALE_MAX 1024 /* a larger one in a file is none of heaptap's */

struct restraint {
	double limit_percent; /* 0: unknown, or none */
	bool frees_ended;     /* what is in use is as of that moment, in all that is said of it */
	u64 frees_ended_ns;
	u32 scale; /* allocations counted for up to so many, as the probes were on in some windows only; 0: for one */
	u64 scaled_ns;	    /* from when on */
	double scale_error; /* of the number of allocations since then, of all processes, relative: of chance, and of what a trap costs; 0: unknown */
	bool detached;
	u64 detached_ns;
};

bool restraint_is_any(const struct restraint *restraint);

/* Add what has been left out of another profile, to that of both. */
void restraint_add(struct restraint *sum, const struct restraint *more);

/* One sentence for each thing that was left out; `number` 0, 1, ... False: there are no more. */
#define RESTRAINT_SENTENCES 3
#define RESTRAINT_TEXT_MAX  192
bool restraint_sentence(const struct restraint *restraint, unsigned int number, char text[RESTRAINT_TEXT_MAX]);

/*
 * The same as names and numbers, for the comments of a .pb.gz: "frees_ended_ns", "probe_scale", "scaled_from_ns", "scale_error_ppm",
 * "detached_ns". `number` as above; NULL: there are no more. restraint_set ignores other names.
 */
#define RESTRAINT_FACTS 5
const char *restraint_fact(const struct restraint *restraint, unsigned int number, u64 *ret_value);
void restraint_set(struct restraint *restraint, const char *name, u64 value);
