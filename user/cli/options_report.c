/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats, measures, and ways of looking at one profile or two. Called by cli. */
#include "cli/options_report.h"

#include <limits.h>

#include "base/parse_number.h"
#include "cli/subcommand.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static error_t parse_report_format(struct option_parser *parse, const char *text)
{
	static const char *const names[] = {
		[REPORT_TABLE] = "table",
		[REPORT_TEXT] = "text",
		[REPORT_FOLDED] = "folded",
	};
	int choice = parse_choice(text, names, COUNT(names));

	if (choice < 0)
		return option_refuse(parse, "unknown format '%s' (table, text or folded)", text);
	parse->options->report.format = (enum report_format)choice;
	return 0;
}

static error_t parse_measure(struct option_parser *parse, const char *text)
{
	static const char *const names[MEASURE_MAX] = {
		[ALLOC_OBJECTS] = "alloc_objects",
		[ALLOC_SPACE] = "alloc_space",
		[INUSE_OBJECTS] = "inuse_objects",
		[INUSE_SPACE] = "inuse_space",
	};
	int choice = parse_choice(text, names, COUNT(names));

	if (choice < 0)
		return option_refuse(
			parse, "unknown measure '%s' (alloc_objects, alloc_space, inuse_objects or inuse_space)", text);
	parse->options->report.measure = (enum measure)choice;
	return 0;
}

static error_t parse_top(struct option_parser *parse, const char *text)
{
	u64 top;

	if (parse_number(text, UINT_MAX, &top))
		return option_refuse(parse, "'-n %s' is not a number of sites from 1 to %u", text, UINT_MAX);
	parse->options->report.top = (unsigned int)top;
	return 0;
}

error_t options_report_option(struct option_parser *parse, int key, char *arg)
{
	struct options *options = parse->options;

	switch (key) {
	case 'f':
		return parse_report_format(parse, arg);
	case KEY_LIFETIMES:
		options->report.lifetimes = true;
		return 0;
	case KEY_OLDER_THAN:
		return option_seconds(parse, "--older-than", arg, &options->report.older_s);
	case KEY_BASE:
		if (!*arg)
			return option_refuse(parse, "'' after '--base' names no FILE");
		options->report.base = arg;
		return 0;
	case 'n':
		return parse_top(parse, arg);
	case 'i':
		return parse_measure(parse, arg);
	}
	return ARGP_ERR_UNKNOWN;
}

/* Three ways of looking at a profile, of which two are tables. */
error_t options_report_check(struct option_parser *parse)
{
	const struct options *options = parse->options;
	bool table = options->report.lifetimes || options->report.base;

	if (!options->report.path)
		return option_refuse(parse,
				     options->report.base ? "no FILE to compare with '--base %s'"
							  : "no FILE or DIR to report on",
				     options->report.base);
	if (options->report.lifetimes + (options->report.older_s > 0) + !!options->report.base > 1)
		return option_refuse(parse, "'--lifetimes', '--older-than' and '--base' exclude each other");
	if (table && options->report.format != REPORT_TABLE)
		return option_refuse(parse, "'%s' is a table: it goes with no other '-f'",
				     options->report.base ? "--base" : "--lifetimes");
	return 0;
}
