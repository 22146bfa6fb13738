/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_OPTION_TABLE_H
#define CLI_OPTION_TABLE_H
/*
 * Every option, one row each, and what --help says about each subcommand. To add an option: a row here, a field in the
 * options that its row stores into, and a paragraph in docs/heaptap.8.
 */
#include "cli/option_parser.h"

extern const struct option_row option_table[];
extern const unsigned int option_table_count; /* at most OPTIONS_MAX */

/* What argp calls the option. */
static inline int option_table_key(const struct option_row *option)
{
	return option->letter ? option->letter : 0x100 + (int)(option - option_table);
}

/* SUBCOMMAND_NONE when `word` is no subcommand. */
enum subcommand option_table_subcommand(const char *word);

/* Fill in the name of the subcommand parse->options->verb, and its options and texts for argp; without a parser. */
void option_table_describe(struct option_parser *parse);

#endif
