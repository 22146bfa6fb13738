/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the index.json of a recording says. */
#include "format/index_file.h"
#include "format/index_write.h"

/* Fill in what the index (may be NULL) knows about the profile read from file `name`. */
void index_complete(const cJSON *index, const char *name, struct profile *profile);

/* Whether the recording was of a population, and whether one of its merged profiles is in that file. */
bool index_is_population(const cJSON *index);
bool index_merged_has_file(const cJSON *index, const char *name);

/*
 * Its processes with their files; and its merged profiles. Times of day are rounded to 256 ns, as JSON's numbers are. Release the
 * table also on error. 0 or -ENOMEM.
 */
int index_table_read(const cJSON *index, struct index_table *table);
int index_merged_read(const cJSON *index, struct index_table *table);

/* What it says of the whole recording, as far as it is known; no options and nothing merged. Its texts are the index's. */
void index_head_read(const cJSON *index, struct recording *ret_recording);
