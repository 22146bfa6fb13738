/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a reader of the summary should type next time, in two cases: most of a process's memory is in a heap of its
 * language's own, which is not malloc's; and the code that allocates has no names.
 */
#include "heap/image.h"
#include "profile/profile.h"

/* In use below this part of what is resident: most of the memory did not come from malloc. */
#define ADVICE_MALLOC_SHARE 0.5
#define ADVICE_RESIDENT_MIN (16u << 20) /* smaller processes are not worth a line */
/* Bytes allocated by code without a name, from this part of all on. */
#define ADVICE_UNNAMED_SHARE 0.1

struct language_runtime;

/* The process that it holds of most, by bytes, and how many there are. */
struct advice_case {
	u32 processes;
	u64 bytes;
	char who[48]; /* "pid 12 (java)" */
	const struct language_runtime *runtime;
};

/* Valid when zeroed. */
struct advice {
	struct advice_case heap;
	u64 inuse, resident;	     /* of the process of `heap` */
	struct advice_case compiled; /* code in no file, as a JIT compiler makes */
	struct advice_case stripped;
	char file[64]; /* that has no names, of the process of `stripped` */
	unsigned int compiled_percent, stripped_percent;
};

/* Take a process into account: its last profile, which has its names, and its image, whose files are still open. */
void advice_note(struct advice *advice, const struct image *image, const struct profile *profile);

/* Log it: a line for each case there is. */
void advice_say(const struct advice *advice);
