/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * argp takes the words apart and lays out --help; its own messages are switched off, since they take several lines and
 * do not say what to do next.
 */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/option_table.h"
#include "probe/custom_allocator.h"

/* --- one word --- */

static bool is_given(const struct option_parser *parse, const struct option_row *option)
{
	return parse->given >> (option - option_table) & 1;
}

static const struct option_row *find(const struct option_parser *parse, int key)
{
	for (unsigned int i = 0; i < option_table_count; i++)
		if (option_table[i].subcommands & 1u << parse->options->verb &&
		    option_table_key(&option_table[i]) == key)
			return &option_table[i];
	return NULL;
}

/* `word`: --NAME or --NAME=ARGUMENT. */
static const struct option_row *find_long(const struct option_parser *parse, const char *word)
{
	size_t length = strcspn(word + 2, "=");

	for (const struct argp_option *each = parse->argp_options; each->key; each++)
		if (each->name && strlen(each->name) == length && !strncmp(each->name, word + 2, length))
			return find(parse, each->key);
	return NULL;
}

/* getopt refused `word` and, silenced, does not say why. */
static error_t refuse_word(struct option_parser *parse, const char *word)
{
	const struct option_row *option;
	int length;

	if (!strncmp(word, "--", 2)) {
		length = (int)strcspn(word, "=");
		option = find_long(parse, word);
		if (!option)
			return option_refuse(parse, "unknown option '%.*s'", length, word);
		return option_refuse(parse, "option '%.*s' %s", length, word,
				     option->argument ? "needs an argument" : "takes no argument");
	}
	while (*++word) {
		option = find(parse, (unsigned char)*word);
		if (!option)
			return option_refuse(parse, "unknown option '-%c'", *word);
		if (option->argument)
			break;
	}
	return option_refuse(parse, "option '-%c' needs an argument", *word);
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

static error_t parse_option(struct option_parser *parse, int key, const char *argument, const char *word)
{
	const struct option_row *option = find(parse, key);
	error_t err;

	/* getopt takes any unambiguous beginning of a name; what is unambiguous now may not be in the next version. */
	if (!strncmp(word, "--", 2) && !find_long(parse, word))
		return refuse_word(parse, word);
	err = option_take(parse, option, argument);
	if (err)
		return err;
	parse->given |= 1ull << (option - option_table);
	for (const struct option_row *other = option_table;
	     option->excludes && other < option_table + option_table_count; other++)
		if (other != option && other->excludes == option->excludes && is_given(parse, other))
			return option_refuse(parse, "%s exclude each other", option->excludes);
	return 0;
}

/* --- the options together --- */

static error_t check_report(struct option_parser *parse)
{
	const struct report_options *report = &parse->options->report;

	if (report->path)
		return 0;
	if (report->base)
		return option_refuse(parse, "no FILE to compare with '--base %s'", report->base);
	return option_refuse(parse, "no FILE or DIR to report on");
}

static error_t check_target(struct option_parser *parse, bool quoted)
{
	struct selection_options *target = &parse->options->record.target;
	const char *population = target->container ? "--container" : target->cgroup ? "--cgroup" : "--all";
	bool named = target->command || target->pid_count;

	if (target->cgroup || target->container)
		target->population = POPULATION_CGROUP;
	if (target->command && target->pid_count)
		return option_refuse(parse, "'-p' and COMMAND '%s' are two targets: name one", target->command[0]);
	if (quoted && !target->command)
		return option_refuse(parse, "no COMMAND behind '--'");
	if (target->population == POPULATION_LISTED || target->population == POPULATION_FOLLOW) {
		if (!named && parse->options->verb == SUBCOMMAND_RECORD)
			return option_refuse(parse,
					     "no target: name one with '-p PID', '--container NAME', '--cgroup PATH', "
					     "'--all' or '-- COMMAND'");
	} else if (named) {
		return option_refuse(parse, "'%s' and '%s' are two targets: name one", population,
				     target->command ? target->command[0] : "-p");
	}
	return 0;
}

static error_t check_needs(struct option_parser *parse)
{
	const struct options *options = parse->options;
	const struct selection_options *target = &options->record.target;
	bool follows = target->population == POPULATION_FOLLOW;
	const struct {
		bool met;
		const char *sentence;
	} needs[] = {
		[NEED_NOTHING] = {true, NULL},
		[NEED_FREES] = {!options->record.alloc_only,
				"'%s' needs to know what is freed, which '--alloc-only' leaves out"},
		[NEED_SEVERAL] =
			{target->population != POPULATION_LISTED,
			 "'%s' chooses among several processes: it goes with '--follow', '--all', '--cgroup' or '--container'"},
		[NEED_NAMED] = {target->command || target->pid_count, "'%s' goes with '-p PID' or '-- COMMAND'"},
		[NEED_FOLLOWED_COMMAND] = {target->command && follows, "'%s' goes with '--follow -- COMMAND'"},
		[NEED_TABLE] = {options->report.format == REPORT_TABLE, "'%s' is a table: it goes with no other '-f'"},
	};

	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (is_given(parse, option) && !needs[option->need].met)
			return option_refuse(parse, needs[option->need].sentence, option_spelled(option));
	return 0;
}

static error_t parse_end(struct option_parser *parse, bool quoted)
{
	error_t err;

	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (!is_given(parse, option))
			option_set_initial(parse->options, option);
	err = parse->options->verb == SUBCOMMAND_REPORT ? check_report(parse) : check_target(parse, quoted);
	return err ? err : check_needs(parse);
}

/* --- the command line --- */

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	struct option_parser *parse = state->input;
	error_t err;

	switch (key) {
	case ARGP_KEY_ARG:
		err = parse_word(parse, arg, state);
		break;
	case ARGP_KEY_END:
		return parse_end(parse, state->quoted);
	case ARGP_KEY_ERROR:
		if (!parse->stopped && parse->resume < state->argc)
			refuse_word(parse, state->argv[parse->resume]);
		return 0;
	default:
		if (!find(parse, key))
			return ARGP_ERR_UNKNOWN; /* argp's own keys */
		err = parse_option(parse, key, arg, state->argv[parse->resume]);
	}
	parse->resume = state->next;
	return err;
}

static void parse_without_subcommand(struct option_parser *parse, const char *word)
{
	const struct option_row *option = word && !strncmp(word, "--", 2) ? find_long(parse, word) : NULL;

	if (option && !strchr(word, '='))
		option_take(parse, option, NULL);
	else if (word)
		option_refuse(parse, "'%s' is no verb: record, report or doctor", word);
	else
		option_refuse(parse, "no verb: record, report or doctor");
}

static void parse_subcommand(struct option_parser *parse, int argc, char **argv)
{
	error_t err;

	parse->options->record.argv = argv + 1;
	parse->argp.parser = parse_key;
	err = argp_parse(&parse->argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP | ARGP_IN_ORDER, NULL,
			 parse);
	if (err && !parse->stopped)
		option_no_memory(parse);
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options options = {.verb = argc > 1 ? option_table_subcommand(argv[1]) : SUBCOMMAND_NONE};
	struct option_parser parse = {.options = &options, .resume = 1};

	option_table_describe(&parse);
	if (options.verb)
		parse_subcommand(&parse, argc - 1, argv + 1);
	else
		parse_without_subcommand(&parse, argc > 1 ? argv[1] : NULL);
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
