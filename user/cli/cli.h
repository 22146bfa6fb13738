/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_H
#define CLI_H
/*
 * The command line, parsed into plain structs and nothing else.
 */
#include "base/status.h"
#include "cli/report.h"
#include "record/record.h"

enum verb {
	VERB_NONE,
	VERB_RECORD,
	VERB_REPORT,
	VERB_DOCTOR
};

struct options {
	enum verb verb;
	int verbosity;		      /* -1: -q, 0, 1: -v */
	struct record_options record; /* doctor: its target alone */
	struct report_options report;
};

/*
 * Parse argv. Returns STATUS_DONE with *ret filled and verb set; or the status to exit with at once, everything having
 * been said (--help and --version: STATUS_DONE with verb VERB_NONE; a wrong argument: one sentence on stderr,
 * STATUS_USAGE).
 */
int cli_parse(int argc, char **argv, struct options *ret);
void cli_release(struct options *options);

#endif
