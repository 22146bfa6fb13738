/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* -p NAME: which processes the names that were given are of. */
#include "cli/option_parser.h"

/*
 * Add the process of each of options->process_names to the target. STATUS_DONE, with a note that says which process each is; or the status
 * to exit with, after a sentence: STATUS_NO_TARGET where no process has a name, and where several have it, which are listed.
 */
int process_argument_resolve(struct options *options);
