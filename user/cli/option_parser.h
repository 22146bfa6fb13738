/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_OPTION_PARSER_H
#define CLI_OPTION_PARSER_H
/* A command line being parsed, and what its parts have in common: to refuse, and to stop. Of cli's files alone. */
#include <argp.h>

#include "cli/options.h"

struct option_parser {
	struct argp argp;
	struct options *options;
	int resume;	       /* index of the word getopt takes up next: the culprit when it fails */
	bool stopped;	       /* everything has been said */
	int status;	       /* what to exit with then */
	const char *lifetimes; /* an option given that is of no use without frees; NULL: none */
};

/* Nothing more is parsed, and heaptap exits with `status`. Returns what the parser of an option is to return. */
error_t option_stop(struct option_parser *parse, int status);
error_t option_no_memory(struct option_parser *parse);

/* What is wrong with which argument; the next step is added. */
__attribute__((format(printf, 2, 3))) error_t option_refuse(struct option_parser *parse, const char *format, ...);

/* The argument of `option`: seconds, more than 0. */
error_t option_seconds(struct option_parser *parse, const char *option, const char *text, double *ret_seconds);

/* Call `each` for every part of a comma-separated list, empty ones included. */
error_t option_list(struct option_parser *parse, const char *text,
		    error_t (*each)(struct option_parser *, const char *));

#endif
