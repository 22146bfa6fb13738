/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H
/*
 * The command line, parsed into plain structs and nothing else.
 */
#include "base/status.h"
#include "cli/report.h"
#include "record/record.h"

enum subcommand {
	SUBCOMMAND_NONE,
	SUBCOMMAND_RECORD,
	SUBCOMMAND_REPORT,
	SUBCOMMAND_DOCTOR
};

struct options {
	enum subcommand verb;
	int verbosity;		      /* -1: -q, 0, 1: -v */
	struct record_options record; /* doctor: its target alone */
	struct report_options report;
};

/*
 * Parse argv. Returns STATUS_DONE with *ret filled and verb set; or the status to exit with at once, everything having
 * been said (--help and --version: STATUS_DONE with verb SUBCOMMAND_NONE; a wrong argument: one sentence on stderr,
 * STATUS_USAGE).
 */
int options_parse(int argc, char **argv, struct options *ret);
void options_release(struct options *options);

#endif
