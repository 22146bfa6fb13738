/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_FINISH_H
#define RECORD_FINISH_H
/* The end of a recording, once tracing has stopped; parts of publish_all. */
#include "record/publish.h"

/* Of listed processes: everything of each. */
int finish_each(struct publication *publication);

/* Of a population: everything of those left, what is merged, and one table and one summary for all. */
int finish_population(struct publication *publication);

/* What both have in common: the index's head; */
struct recording finish_recording(const struct publication *publication);

/* what has become of the files: `failed` is what could not be written first, for the reason `err` (0: nothing); */
int finish_say(const struct publication *publication, const char *failed, int err, u64 files);

/* and what --fail-on was to find, said even with -q, being the answer to a question. */
int finish_growth(u32 sites, u32 processes);

#endif
