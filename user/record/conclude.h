/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONCLUDE_H
#define CONCLUDE_H
/* The end of a recording, once tracing has stopped; parts of publish_all. */
#include "record/publish.h"

/* Of listed processes: everything of each. */
int conclude_each(struct publication *publication);

/* Of a population: everything of those left, what is merged, and one table and one summary for all. */
int conclude_census(struct publication *publication);

/* What both have in common: the index's head; */
struct recording conclude_recording(const struct publication *publication);

/* what has become of the files: `failed` is what could not be written first, for the reason `err` (0: nothing); */
int conclude_say(const struct publication *publication, const char *failed, int err, u64 files);

/* and what --fail-on was to find, said even with -q, being the answer to a question. */
int conclude_growth(u32 sites, u32 processes);

#endif
