/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. argp takes the words apart and lays out --help; its own messages are switched off, since they take
 * several lines and do not say what to do next. Owns no state: everything lands in struct options. Called by main.
 */
#include "cli/options.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options_report.h"
#include "cli/options_target.h"
#include "base/log.h"
#include "format/output_file.h"
#include "cli/option_parser.h"
#include "probe/custom_allocator.h"
#include "base/parse_number.h"
#include "cli/subcommand.h"

#define SAMPLE_BYTES_DEFAULT (512 << 10)
#define SAMPLE_BYTES_MAX     4294967295u
#define TOP_DEFAULT	     20
#define GOGC_DEFAULT	     100
#define GOGC_MAX	     1000000

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static error_t parse_sample_bytes(struct option_parser *parse, const char *text)
{
	switch (parse_bytes(text, SAMPLE_BYTES_MAX, &parse->options->record.sample_bytes)) {
	case 0:
		return 0;
	case -ERANGE:
		return option_refuse(parse, "'-R %s' is too large (at most %u)", text, SAMPLE_BYTES_MAX);
	case -EDOM:
		return option_refuse(parse, "'-R %s' must be at least 1, which takes every allocation", text);
	}
	return option_refuse(parse, "'-R %s' is not a number of bytes (digits, then K, M or G)", text);
}

static error_t parse_gogc(struct option_parser *parse, const char *text)
{
	u64 percent = 0;

	if (strcmp(text, "off") && parse_number(text, GOGC_MAX, &percent))
		return option_refuse(parse, "'--gogc %s' is neither a percentage from 1 to %d nor off", text, GOGC_MAX);
	parse->options->record.gc.gogc_percent = (u32)percent;
	parse->lifetimes = "--gogc";
	return 0;
}

static error_t parse_tenure(struct option_parser *parse, const char *text)
{
	u64 tenure;

	if (parse_number(text, GC_TENURE_MAX, &tenure))
		return option_refuse(parse, "'--tenure %s' is not a number of cycles from 1 to %d", text,
				     GC_TENURE_MAX);
	parse->options->record.gc.tenure = (u32)tenure;
	parse->lifetimes = "--tenure";
	return 0;
}

static error_t parse_fail_on(struct option_parser *parse, const char *text)
{
	if (strcmp(text, "growing"))
		return option_refuse(parse, "'--fail-on %s' is nothing to fail on (growing)", text);
	parse->options->record.fail_on_growing = true;
	parse->lifetimes = "--fail-on";
	return 0;
}

static error_t add_format(struct option_parser *parse, const char *text)
{
	static const char *const names[] = {"pprof", "text", "folded", "json", "all"};
	static const unsigned int masks[] = {FORMAT_PPROF, FORMAT_TEXT, FORMAT_FOLDED, FORMAT_JSON,
					     FORMAT_PPROF | FORMAT_TEXT | FORMAT_FOLDED | FORMAT_JSON};
	int choice = parse_choice(text, names, COUNT(names));

	if (choice < 0)
		return option_refuse(parse, "unknown format '%s' (pprof, text, folded, json or all)", text);
	parse->options->record.formats |= masks[choice];
	return 0;
}

static error_t parse_pool(struct option_parser *parse, const char *text)
{
	struct custom_allocator *pool;
	int err = custom_allocator_parse(text, &pool);

	if (err == -ENOMEM)
		return option_no_memory(parse);
	if (err == -E2BIG)
		return option_refuse(parse, "'--alloc %s' names more than %d functions", text, CUSTOM_FUNCTIONS_MAX);
	if (err)
		return option_refuse(parse, "'--alloc %s' is not FILE:get(size=1)=ret,put(ptr=1)", text);
	pool->next = parse->options->record.target.pools;
	parse->options->record.target.pools = pool;
	return 0;
}

static const struct argp_option *find_long(const struct argp_option *options, const char *name, size_t length)
{
	const struct argp_option *option;

	for (option = options; option->key; option++)
		if (option->name && strlen(option->name) == length && !strncmp(option->name, name, length))
			return option;
	return NULL;
}

static const struct argp_option *find_short(const struct argp_option *options, int key)
{
	const struct argp_option *option;

	for (option = options; option->key; option++)
		if (option->key == key)
			return option;
	return NULL;
}

/* getopt refused `word` and, silenced, does not say why. */
static error_t refuse_word(struct option_parser *parse, const char *word)
{
	const struct argp_option *option;
	int length;

	if (!strncmp(word, "--", 2)) {
		length = (int)strcspn(word, "=");
		option = find_long(parse->argp.options, word + 2, (size_t)length - 2);
		if (!option)
			return option_refuse(parse, "unknown option '%.*s'", length, word);
		return option_refuse(parse, "option '%.*s' %s", length, word,
				     option->arg ? "needs an argument" : "takes no argument");
	}
	while (*++word) {
		option = find_short(parse->argp.options, (unsigned char)*word);
		if (!option)
			return option_refuse(parse, "unknown option '-%c'", *word);
		if (option->arg)
			break;
	}
	return option_refuse(parse, "option '-%c' needs an argument", *word);
}

/* getopt takes any unambiguous beginning for a long option; what is unambiguous now may not be in the next version. */
static bool is_abbreviated(const struct option_parser *parse, const char *word)
{
	return !strncmp(word, "--", 2) && !find_long(parse->argp.options, word + 2, strcspn(word + 2, "="));
}

static error_t print_help(struct option_parser *parse)
{
	const char *verb = subcommand_name(parse->options->verb);
	char name[32];

	snprintf(name, sizeof(name), "heaptap%s%s", verb ? " " : "", verb ? verb : "");
	argp_help(&parse->argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
	return option_stop(parse, fflush(stdout) ? STATUS_FAILED : STATUS_DONE);
}

static error_t print_version(struct option_parser *parse)
{
	puts("heaptap " HEAPTAP_VERSION);
	return option_stop(parse, fflush(stdout) ? STATUS_FAILED : STATUS_DONE);
}

/* A word that is no option: report's FILE, or COMMAND, which takes everything behind it. */
static error_t parse_word(struct option_parser *parse, char *word, struct argp_state *state)
{
	struct options *options = parse->options;

	if (options->verb == SUBCOMMAND_REPORT) {
		if (options->report.path)
			return option_refuse(parse, "'%s' is one argument too many: one FILE or DIR at a time", word);
		if (!*word)
			return option_refuse(parse, "'' names no FILE or DIR");
		options->report.path = word;
		return 0;
	}
	if (!state->quoted)
		return option_refuse(parse, "unexpected argument '%s': a COMMAND goes behind '--'", word);
	options->record.target.command = state->argv + state->next - 1;
	state->next = state->argc;
	return 0;
}

static error_t parse_end(struct option_parser *parse, const struct argp_state *state)
{
	const struct options *options = parse->options;

	if (options->verb == SUBCOMMAND_REPORT)
		return options_report_check(parse);
	if (options->record.target.command && options->record.target.pid_count)
		return option_refuse(parse, "'-p' and COMMAND '%s' are two targets: name one",
				     options->record.target.command[0]);
	if (state->quoted && !options->record.target.command)
		return option_refuse(parse, "no COMMAND behind '--'");
	if (options->record.alloc_only && parse->lifetimes)
		return option_refuse(parse, "'%s' needs to know what is freed, which '--alloc-only' leaves out",
				     parse->lifetimes);
	return options_target_check(parse);
}

static error_t parse_option(struct option_parser *parse, int key, char *arg)
{
	struct options *options = parse->options;

	switch (key) {
	case 'd':
		return option_seconds(parse, "-d", arg, &options->record.duration_s);
	case 'R':
		return parse_sample_bytes(parse, arg);
	case 'o':
		if (!*arg)
			return option_refuse(parse, "'' after '-o' names no directory");
		options->record.output = arg;
		return 0;
	case KEY_FORCE:
		options->record.force = true;
		return 0;
	case 'f':
		if (options->verb == SUBCOMMAND_REPORT)
			return options_report_option(parse, key, arg);
		return option_list(parse, arg, add_format);
	case KEY_GOGC:
		return parse_gogc(parse, arg);
	case KEY_TENURE:
		return parse_tenure(parse, arg);
	case KEY_INTERVAL:
		return option_seconds(parse, "--interval", arg, &options->record.interval_s);
	case KEY_FAIL_ON:
		return parse_fail_on(parse, arg);
	case KEY_ALLOC_ONLY:
		options->record.alloc_only = true;
		return 0;
	case KEY_ALLOC:
		return parse_pool(parse, arg);
	case KEY_NO_NEW:
		options->record.no_new = true;
		return 0;
	case KEY_SHOW_ALLOCATOR:
		options->record.show_allocator = true;
		return 0;
	case 'v':
		options->verbosity = 1;
		return 0;
	case 'q':
		options->verbosity = -1;
		return 0;
	case KEY_VERSION:
		return print_version(parse);
	case KEY_HELP:
		return print_help(parse);
	}
	return options->verb == SUBCOMMAND_REPORT ? options_report_option(parse, key, arg)
						  : options_target_option(parse, key, arg);
}

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	struct option_parser *parse = state->input;
	error_t err;

	switch (key) {
	case ARGP_KEY_ARG:
		err = parse_word(parse, arg, state);
		break;
	case ARGP_KEY_END:
		return parse_end(parse, state);
	case ARGP_KEY_ERROR:
		if (!parse->stopped && parse->resume < state->argc)
			refuse_word(parse, state->argv[parse->resume]);
		return 0;
	case ARGP_KEY_INIT:
	case ARGP_KEY_ARGS:
	case ARGP_KEY_NO_ARGS:
	case ARGP_KEY_SUCCESS:
	case ARGP_KEY_FINI:
		return ARGP_ERR_UNKNOWN;
	default:
		if (is_abbreviated(parse, state->argv[parse->resume]))
			return refuse_word(parse, state->argv[parse->resume]);
		err = parse_option(parse, key, arg);
	}
	parse->resume = state->next;
	return err;
}

static void parse_no_verb(struct option_parser *parse, const char *word)
{
	if (!word)
		option_refuse(parse, "no verb: record, report or doctor");
	else if (!strcmp(word, "--help"))
		print_help(parse);
	else if (!strcmp(word, "--version"))
		print_version(parse);
	else
		option_refuse(parse, "'%s' is no verb: record, report or doctor", word);
}

static void parse_verb(struct option_parser *parse, int argc, char **argv)
{
	struct options *options = parse->options;
	error_t err;

	options->record.sample_bytes = SAMPLE_BYTES_DEFAULT;
	options->record.gc = (struct gc_options){GOGC_DEFAULT, GC_TENURE_DEFAULT};
	options->record.keep = KEEP_DEFAULT;
	options->record.argv = argv + 1;
	options->report.measure = INUSE_SPACE;
	options->report.top = TOP_DEFAULT;
	parse->argp.parser = parse_key;
	err = argp_parse(&parse->argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP | ARGP_IN_ORDER, NULL,
			 parse);
	if (err && !parse->stopped)
		option_no_memory(parse);
	if (!options->record.formats)
		options->record.formats = FORMAT_PPROF;
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options options = {.verb = argc > 1 ? subcommand_find(argv[1]) : SUBCOMMAND_NONE};
	struct option_parser parse = {.argp = *subcommand_argp(options.verb), .options = &options, .resume = 1};

	if (options.verb)
		parse_verb(&parse, argc - 1, argv + 1);
	else
		parse_no_verb(&parse, argc > 1 ? argv[1] : NULL);
	options.record.quiet = options.verbosity < 0;
	if (parse.stopped) {
		options_release(&options);
		options = (struct options){.verb = SUBCOMMAND_NONE};
	}
	*ret = options;
	return parse.status;
}

void options_release(struct options *options)
{
	if (!options)
		return;
	custom_allocator_free(options->record.target.pools);
	options->record.target.pools = NULL;
	free(options->record.target.pids);
	options->record.target.pids = NULL;
	options->record.target.pid_count = 0;
}
