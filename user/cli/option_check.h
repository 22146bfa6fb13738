/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Whether the options of a whole command line go together, and what those are that were not given. */
#include "cli/option_parser.h"

bool option_is_given(const struct option_parser *parse, const struct option_row *option);

/* -p was given, with numbers or names. */
bool option_names_processes(const struct option_parser *parse);

/* Where the FILE or DIR of top or serve is kept; NULL: the verb is none of them. */
const char **option_recording(struct options *options);

/* Set the fields of options that were not given. `quoted`: a "--" was given. 0, or not: the reason has been logged. */
int option_check(struct option_parser *parse, bool quoted);
