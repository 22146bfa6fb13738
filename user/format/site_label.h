/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A call site in one line of limited width, for tables. */
#include <stdio.h>

#include "profile/sites.h"

#define SITE_LABEL_COLUMNS_MAX 400
#define SITE_LABEL_SIZE	       (4 * SITE_LABEL_COLUMNS_MAX + 1) /* bytes that so many columns of UTF-8 can take */

/*
 * "function  file:line < caller < caller", as many callers as fit into `columns`; innermost inlined function first.
 * Template arguments and parameters are left out, and bytes that a terminal might obey are replaced by '?'. Returns
 * `label`.
 */
const char *site_label(const struct profile *profile, const struct profile_site *site, unsigned int columns,
		       char label[SITE_LABEL_SIZE]);

/*
 * The stack of the site's heaviest sample, a line for each function, from the leaf on; the site's own has an arrow. Names and
 * places are whole.
 */
void site_label_stack(const struct profile *profile, const struct profile_site *site, FILE *out);

#define SITE_LABEL_CODE_SIZE 512

/*
 * A location without a name: "file+0x1234", by its offset in the file, which is the same in every run. For code in no
 * file its address, and false.
 */
bool site_label_code(const struct profile *profile, const struct profile_location *location,
		     char text[SITE_LABEL_CODE_SIZE]);

/*
 * The same in brackets, as the name of a function: for readers that leave out code without one, and count its bytes as its
 * caller's. Returns `name`.
 */
#define SITE_LABEL_UNNAMED_SIZE (SITE_LABEL_CODE_SIZE + 2)
const char *site_label_unnamed(const struct profile *profile, const struct profile_location *location,
			       char name[SITE_LABEL_UNNAMED_SIZE]);

/* Is `name` what site_label_unnamed makes of the location? */
bool site_label_is_unnamed(const struct profile *profile, const struct profile_location *location, const char *name);

/* The name of a profile's container, else its id, cut; NULL: in no container. */
#define SITE_LABEL_ID_COLUMNS 12
const char *site_label_container(const struct profile *profile, char buffer[SITE_LABEL_ID_COLUMNS + 1]);
