/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The verbs of the command line, and what --help says about each as a whole. */

enum subcommand {
	SUBCOMMAND_NONE,
	SUBCOMMAND_RECORD,
	SUBCOMMAND_REPORT,
	SUBCOMMAND_DOCTOR,
	SUBCOMMAND_TOP,
	SUBCOMMAND_SERVE,
	SUBCOMMAND_PUSH,
	SUBCOMMAND_LAST = SUBCOMMAND_PUSH
};

#define SUBCOMMAND_LIST "record, report, doctor, top, serve or push" /* in messages */

struct subcommand_text {
	const char *name; /* with a blank before it; "" for SUBCOMMAND_NONE */
	const char *args, *doc;
};

/* SUBCOMMAND_NONE when `word` is no subcommand. */
enum subcommand subcommand_find(const char *word);

const struct subcommand_text *subcommand_text(enum subcommand verb);
