/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap report`: saved profiles to standard output. */
#include <regex.h>

#include "profile/profile.h"

struct report_options {
	const char *path;
	enum report_format {
		REPORT_TABLE,
		REPORT_TEXT,
		REPORT_FOLDED
	} format;
	enum measure measure; /* of the folded output and the order of the table */
	unsigned int top;     /* sites to print */
	bool stacks;	      /* with whole stacks */
	bool lifetimes;
	double older_s;		  /* 0: of any age */
	const regex_t *site_skip; /* functions that sites pass over; NULL: none beside those the profile has */
	const char *html;	  /* the page to write; NULL: print */
	const char
		*base; /* the older of two profiles, or a directory of them, `path` being the newer; NULL: one alone */
};

/*
 * Render options->path, a .pb.gz or a directory of them, as options->format, completed by what index.json beside a
 * profile says about it. Returns the exit status; errors are logged. Ignores SIGPIPE from then on.
 */
int report_run(const struct report_options *options);
