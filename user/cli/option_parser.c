/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all that parse a part of the command line need. Called by cli, clitarget, clireport. */
#include "cli/option_parser.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse_number.h"
#include "cli/subcommand.h"

#define DURATION_MAX_S 1000000000.0 /* as nanoseconds it still fits 64 bits */

error_t option_stop(struct option_parser *parse, int status)
{
	parse->stopped = true;
	parse->status = status;
	return ECANCELED;
}

error_t option_no_memory(struct option_parser *parse)
{
	log_error("out of memory");
	return option_stop(parse, STATUS_FAILED);
}

error_t option_refuse(struct option_parser *parse, const char *format, ...)
{
	const char *verb = subcommand_name(parse->options->verb);
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		return option_no_memory(parse);
	log_error("%s; try 'heaptap %s%s--help'", text, verb ? verb : "", verb ? " " : "");
	free(text);
	return option_stop(parse, STATUS_USAGE);
}

error_t option_seconds(struct option_parser *parse, const char *option, const char *text, double *ret_seconds)
{
	switch (parse_seconds(text, DURATION_MAX_S, ret_seconds)) {
	case 0:
		return 0;
	case -ERANGE:
		return option_refuse(parse, "'%s %s' is too large (at most %.0f)", option, text, DURATION_MAX_S);
	case -EDOM:
		return option_refuse(parse, "'%s %s' must be more than 0 seconds", option, text);
	}
	return option_refuse(parse, "'%s %s' is not a number of seconds", option, text);
}

error_t option_list(struct option_parser *parse, const char *text,
		    error_t (*each)(struct option_parser *, const char *))
{
	char *copy = strdup(text), *rest = copy, *part;
	error_t err = 0;

	if (!copy)
		return option_no_memory(parse);
	while (!err && (part = strsep(&rest, ",")))
		err = each(parse, part);
	free(copy);
	return err;
}
