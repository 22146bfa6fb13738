/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Every option, one row each, and --help. To add an option: a row here, a field in the
 * options that its row stores into, and a paragraph in docs/heaptap.8.
 */
#include "cli/option_parser.h"

extern const struct option_row option_table[];
extern const unsigned int option_table_count; /* at most OPTIONS_MAX */

/* The option of a verb by its letter, or by its whole name of `length` bytes; NULL: it has none. */
const struct option_row *option_table_find_letter(enum subcommand verb, char letter);
const struct option_row *option_table_find(enum subcommand verb, const char *name, size_t length);
