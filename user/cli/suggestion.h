/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the user may have meant. Each function sets how the sentence of the next option_refuse ends, in the place of a pointer to --help,
 * and changes nothing where that would be too long to be read.
 */
#include <stdbool.h>

#include "cli/option_parser.h"

/* "; try 'heaptap record -d 5 -p 1234'": the command line, with `words` in it before the word *at, or in its place. */
void suggestion_insert(struct option_parser *parse, char **at, const char *words);
void suggestion_replace(struct option_parser *parse, char **at, const char *words);

/* "; did you mean '--follow'?": the option of the verb that is most like `name`, which has no dashes; none if none is. */
void suggestion_option(struct option_parser *parse, const char *name);

/* For a first word that is no verb: the whole command line as it may have been meant. */
void suggestion_verb(struct option_parser *parse, char **at);

/* For a word of record or doctor that follows no option: the option that it lacks. */
void suggestion_target(struct option_parser *parse, char **at);

/* A process number, perhaps. */
bool suggestion_is_number(const char *word);
