/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLITARGET_H
#define CLITARGET_H
/* The options that say whom record and doctor are about. Of cli alone. */
#include "cli/parse.h"

/* One option; ARGP_ERR_UNKNOWN: it is none of them. */
error_t clitarget_option(struct parse *parse, int key, char *arg);

/* At the end of the line: do they go with each other? */
error_t clitarget_check(struct parse *parse);

#endif
