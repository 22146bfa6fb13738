/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room cli is the program that the user meets: it parses the command line, runs `record` (of the room record), and
 * has `report` and `doctor`, which print to standard output. It owns the options, their help texts and what doctor
 * prints. It may use every other room; no other room may use it, and it probes nothing itself.
 *
 * This file: the command line, parsed into plain structs. An option is one row of option_table.c.
 */
#include "cli/option_parser.h"

/*
 * Parse argv. Returns STATUS_DONE with *ret filled and verb set; or, with verb SUBCOMMAND_NONE, the status to exit with
 * at once: STATUS_DONE after --help and --version, STATUS_USAGE after one sentence on stderr about a wrong argument, but
 * STATUS_COMMAND_FAILED where COMMAND was to be run, which may end with that status itself.
 */
int options_parse(int argc, char **argv, struct options *ret);
void options_release(struct options *options);

/* The status to exit with when `status` is why nothing was begun: STATUS_COMMAND_FAILED for all but STATUS_DONE where COMMAND was to be run. */
int options_not_begun(const struct options *options, int status);
