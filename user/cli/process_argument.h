/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* -p PID and -p NAME, and which processes the names are of. */
#include "cli/option_parser.h"

/* Take the argument of -p, numbers and names with commas or blanks between them. 0, or what option_refuse returns. */
int process_argument_add(struct option_parser *parse, const char *text);

/*
 * Add the process of each of options->process_names to the target. STATUS_DONE, with a note that says which process each is; or the status
 * to exit with, after a sentence: STATUS_NO_TARGET where no process has a name, and where several have it, which are listed.
 */
int process_argument_resolve(struct options *options);
