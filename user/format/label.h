/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LABEL_H
#define LABEL_H
/* A call site in one line of limited width, for tables. */
#include <stddef.h>

#include "profile/sites.h"

#define LABEL_COLUMNS_MAX 120
#define LABEL_SIZE	  (4 * LABEL_COLUMNS_MAX + 1) /* bytes that so many columns of UTF-8 can take */

/*
 * "function  file:line < caller < caller", as many callers as fit into `columns`; innermost inlined function first.
 * Template arguments and parameters are left out, and whatever could make a terminal act stands as '?'. Returns
 * `label`.
 */
const char *label_site(const struct profile *profile, const struct profile_site *site, unsigned int columns,
		       char label[LABEL_SIZE]);

#define LABEL_CODE_SIZE 512

/*
 * A location without a name: "file+0x1234", by its offset in the file, which is the same in every run; its address when
 * it is in no file: then false.
 */
bool label_code(const struct profile *profile, const struct profile_location *location, char text[LABEL_CODE_SIZE]);

/* In place, '?' for control characters and what is no UTF-8; for text that a traced process chose. Returns `text`. */
char *label_defuse(char *text);

/* How the container of a profile is called: by its name, else by its id, cut; NULL: in none. */
#define LABEL_ID_COLUMNS 12
const char *label_container(const struct profile *profile, char buffer[LABEL_ID_COLUMNS + 1]);

#endif
