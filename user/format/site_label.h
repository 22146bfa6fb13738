/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A call site in one line of limited width, for tables. */
#include <stdio.h>

#include "profile/sites.h"
#include "view/code_label.h"

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
 * A demangled name without what is in brackets, for a line of a label; cut after some 490 bytes. A name that begins with a bracket is a
 * Rust method of a trait, and stays whole. A Python function's stays whole but for its file's directory. Returns `brief`.
 */
const char *site_label_function(const char *name, char brief[CODE_LABEL_SIZE]);

/*
 * The stack of the site's heaviest sample, a line for each function, from the leaf on; the site's own has an arrow. Names and
 * places are whole.
 */
void site_label_stack(const struct profile *profile, const struct profile_site *site, FILE *out);

/* The name of a profile's container, else its id, cut; NULL: in no container. */
#define SITE_LABEL_ID_COLUMNS 12
const char *site_label_container(const struct profile *profile, char buffer[SITE_LABEL_ID_COLUMNS + 1]);
