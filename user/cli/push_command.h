/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "cli/option_parser.h"

/* Take the argument of --label. 0, or what option_refuse returns. */
int push_command_take_label(struct option_parser *parse, const char *text);

/* The options of --push, of record and serve, whose labels stay those of `options`. */
struct push_options push_command_beside(const struct options *options);

/* `heaptap push`. Returns the status to exit with. */
int push_command_run(const struct options *options);
