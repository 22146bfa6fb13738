/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FORMAT_INDEX_READ_H
#define FORMAT_INDEX_READ_H
/* The index.json of a recording: a help and never a condition, so what is wrong with it is passed over. */
#include <cjson/cJSON.h>

#include "format/index_write.h"

cJSON *index_read(const char *directory); /* cJSON_Delete's; NULL: none, or none that can be used */

/* What the index, which may be NULL, has beside the profile read from file `name`. */
void index_complete(const cJSON *index, const char *name, struct profile *profile);

/* Is it of a population? And is the file among those of what is merged there? */
bool index_is_population(const cJSON *index);
bool index_merged_has_file(const cJSON *index, const char *name);

/* Its processes, for index_table_release also on error. 0 or -ENOMEM. */
int index_table_read(const cJSON *index, struct index_table *table);

#endif
