/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_OPTIONS_REPORT_H
#define CLI_OPTIONS_REPORT_H
/* The options that say how report looks at a profile. Of cli alone. */
#include "cli/option_parser.h"

/* One option; ARGP_ERR_UNKNOWN: it is none of them. */
error_t options_report_option(struct option_parser *parse, int key, char *arg);

/* At the end of the line: do they go with each other? */
error_t options_report_check(struct option_parser *parse);

#endif
