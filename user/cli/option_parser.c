/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/option_parser.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/parse_number.h"

#define DURATION_MAX_S 1000000000 /* as nanoseconds it still fits 64 bits */

int option_stop(struct option_parser *parse, int status)
{
	parse->status = status;
	return -ECANCELED;
}

int option_no_memory(struct option_parser *parse)
{
	log_error("out of memory");
	return option_stop(parse, STATUS_FAILED);
}

int option_refuse(struct option_parser *parse, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		return option_no_memory(parse);
	if (*parse->ending)
		log_error("%s%s", text, parse->ending);
	else
		log_error("%s; try 'heaptap%s --help'", text, parse->name);
	free(text);
	return option_stop(parse, STATUS_USAGE);
}

int option_list(struct option_parser *parse, const char *list,
		int (*each)(struct option_parser *parse, const char *part))
{
	char *copy = strdup(list), *rest = copy, *part;
	int err = 0;

	if (!copy)
		return option_no_memory(parse);
	while (!err && (part = strsep(&rest, ",")))
		err = each(parse, part);
	free(copy);
	return err;
}

const char *option_spelled(const struct option_row *option)
{
	static char text[64];

	if (option->letter)
		snprintf(text, sizeof(text), "-%c", option->letter);
	else
		snprintf(text, sizeof(text), "--%s", option->name);
	return text;
}

static int take_number(struct option_parser *parse, const char *text, u32 *field)
{
	const struct option_row *option = parse->option;
	unsigned long long most = option->most;
	u64 number = 0;

	if (parse_number(text, most, &number) && !(option->off && !strcmp(text, "off")))
		return option_refuse(parse, "'%s %s' is %s %s from 1 to %llu%s", option_spelled(option), text,
				     option->off ? "neither a" : "not a number of", option->noun, most,
				     option->off ? " nor off" : "");
	*field = (u32)number;
	return 0;
}

/* A number of bytes or seconds. */
static int take_amount(struct option_parser *parse, const char *text, void *field)
{
	const char *name = option_spelled(parse->option);
	bool bytes = parse->option->kind == OPTION_BYTES;
	u64 most = bytes ? parse->option->most : DURATION_MAX_S;
	int err = bytes ? parse_bytes(text, most, field) : parse_seconds(text, (double)most, field);

	if (!err)
		return 0;
	if (err == -ERANGE)
		return option_refuse(parse, "'%s %s' is too %s (at most %llu%s)", name, text, bytes ? "large" : "long",
				     (unsigned long long)most, bytes ? "" : " seconds");
	if (err == -EDOM)
		return option_refuse(parse, "'%s %s' must be %s", name, text,
				     bytes ? "at least 1, which takes every allocation" : "more than 0 seconds");
	return option_refuse(parse, "'%s %s' is no %s", name, text,
			     bytes ? "number of bytes: digits, or digits with K, M or G, as 64K or 0.5M"
				   : "time: seconds, or numbers with d, h, m, s or ms, as 90s or 1h30m");
}

/* What may be chosen: "a, b or c". */
static int refuse_choice(struct option_parser *parse, const char *text)
{
	const struct option_row *option = parse->option;
	bool all = option->kind == OPTION_CHOICES;
	char list[256] = "";

	for (const char *const *word = option->words; *word; word++) {
		bool last = !word[1] && !all;

		if (*list)
			strcat(list, last ? " or " : ", ");
		strcat(list, *word);
	}
	return option_refuse(parse, "unknown %s '%s' (%s%s)", option->noun, text, list, all ? " or all" : "");
}

static int take_choice(struct option_parser *parse, const char *text, u32 *field)
{
	const char *const *words = parse->option->words;

	for (u32 i = 0; words[i]; i++)
		if (!strcmp(text, words[i])) {
			*field = i;
			return 0;
		}
	return refuse_choice(parse, text);
}

static int add_choice(struct option_parser *parse, const char *text)
{
	const struct option_row *option = parse->option;
	u32 *field = (u32 *)((char *)parse->options + option->field), choice = 0;
	int err = 0;

	if (!strcmp(text, "all"))
		while (option->words[choice])
			*field |= 1u << choice++;
	else if (!(err = take_choice(parse, text, &choice)))
		*field |= 1u << choice;
	return err;
}

static int store(struct option_parser *parse, const char *text)
{
	const struct option_row *option = parse->option;
	void *field = (char *)parse->options + option->field;

	switch (option->kind) {
	case OPTION_CALL:
		break;
	case OPTION_FLAG:
		*(bool *)field = true;
		break;
	case OPTION_VALUE:
		*(int *)field = option->value;
		break;
	case OPTION_NUMBER:
		return take_number(parse, text, field);
	case OPTION_BYTES:
	case OPTION_SECONDS:
		return take_amount(parse, text, field);
	case OPTION_WORD:
		if (option->noun && !*text)
			return option_refuse(parse, "'' after '%s' names no %s", option_spelled(option), option->noun);
		*(const char **)field = text;
		break;
	case OPTION_CHOICE:
		return take_choice(parse, text, field);
	case OPTION_CHOICES:
		return option_list(parse, text, add_choice);
	}
	return 0;
}

int option_take(struct option_parser *parse, const struct option_row *option, const char *text)
{
	int err;

	parse->option = option;
	err = store(parse, text);
	return err || !option->check ? err : option->check(parse, text);
}
