/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLIREPORT_H
#define CLIREPORT_H
/* The options that say how report looks at a profile. Of cli alone. */
#include "cli/parse.h"

/* One option; ARGP_ERR_UNKNOWN: it is none of them. */
error_t clireport_option(struct parse *parse, int key, char *arg);

/* At the end of the line: do they go with each other? */
error_t clireport_check(struct parse *parse);

#endif
