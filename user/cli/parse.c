/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all that parse a part of the command line need. Called by cli, clitarget, clireport. */
#include "cli/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/value.h"
#include "cli/verb.h"

#define DURATION_MAX_S 1000000000.0 /* as nanoseconds it still fits 64 bits */

error_t parse_stop(struct parse *parse, int status)
{
	parse->stopped = true;
	parse->status = status;
	return ECANCELED;
}

error_t parse_no_memory(struct parse *parse)
{
	log_error("out of memory");
	return parse_stop(parse, STATUS_FAILED);
}

error_t parse_refuse(struct parse *parse, const char *format, ...)
{
	const char *verb = verb_name(parse->options->verb);
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		return parse_no_memory(parse);
	log_error("%s; try 'heaptap %s%s--help'", text, verb ? verb : "", verb ? " " : "");
	free(text);
	return parse_stop(parse, STATUS_USAGE);
}

error_t parse_seconds(struct parse *parse, const char *option, const char *text, double *ret_seconds)
{
	switch (value_seconds(text, DURATION_MAX_S, ret_seconds)) {
	case 0:
		return 0;
	case -ERANGE:
		return parse_refuse(parse, "'%s %s' is too large (at most %.0f)", option, text, DURATION_MAX_S);
	case -EDOM:
		return parse_refuse(parse, "'%s %s' must be more than 0 seconds", option, text);
	}
	return parse_refuse(parse, "'%s %s' is not a number of seconds", option, text);
}

error_t parse_list(struct parse *parse, const char *text, error_t (*each)(struct parse *, const char *))
{
	char *copy = strdup(text), *rest = copy, *part;
	error_t err = 0;

	if (!copy)
		return parse_no_memory(parse);
	while (!err && (part = strsep(&rest, ",")))
		err = each(parse, part);
	free(copy);
	return err;
}
