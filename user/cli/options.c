/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/option_table.h"
#include "probe/custom_allocator.h"

/* --- one word --- */

static bool is_given(const struct option_parser *parse, const struct option_row *option)
{
	return parse->given >> (option - option_table) & 1;
}

/* By its letter or, where that is 0, by its name. */
static const struct option_row *find(const struct option_parser *parse, char letter, const char *name, size_t length)
{
	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (option->subcommands & 1u << parse->options->verb &&
		    (letter ? option->letter == letter
			    : option->name && strlen(option->name) == length && !strncmp(option->name, name, length)))
			return option;
	return NULL;
}

static int take(struct option_parser *parse, const struct option_row *option, const char *argument)
{
	int err = option_take(parse, option, argument);

	if (err)
		return err;
	parse->given |= 1ull << (option - option_table);
	for (const struct option_row *other = option_table;
	     option->excludes && other < option_table + option_table_count; other++)
		if (other != option && other->excludes == option->excludes && is_given(parse, other))
			return option_refuse(parse, "%s exclude each other", option->excludes);
	return 0;
}

/* --NAME, with its argument behind '=' or in the next word. The name is written out: later versions may have others. */
static int parse_name(struct option_parser *parse, char ***words)
{
	const char *word = **words, *argument = strchr(word, '=');
	int length = (int)strcspn(word, "=");
	const struct option_row *option = find(parse, 0, word + 2, (size_t)length - 2);

	if (!option)
		return option_refuse(parse, "unknown option '%.*s'", length, word);
	if (argument && !option->argument)
		return option_refuse(parse, "option '%.*s' takes no argument", length, word);
	if (argument)
		argument++;
	else if (option->argument && !(argument = *++*words))
		return option_refuse(parse, "option '%.*s' needs an argument", length, word);
	return take(parse, option, argument);
}

/* Letters, the last of which may have an argument, in the same word or the next. */
static int parse_letters(struct option_parser *parse, char ***words)
{
	const char *argument = NULL;
	int err = 0;

	for (const char *letter = **words + 1; *letter && !argument && !err; letter++) {
		const struct option_row *option = find(parse, *letter, "", 0);

		if (!option)
			return option_refuse(parse, "unknown option '-%c'", *letter);
		if (option->argument && !(argument = letter[1] ? letter + 1 : *++*words))
			return option_refuse(parse, "option '-%c' needs an argument", *letter);
		err = take(parse, option, argument);
	}
	return err;
}

/* A word that is no option: report's FILE, or COMMAND, to which all words behind it belong. */
static int parse_word(struct option_parser *parse, char **words, bool quoted)
{
	struct options *options = parse->options;

	if (options->verb == SUBCOMMAND_REPORT) {
		if (options->report.path)
			return option_refuse(parse, "'%s' is one argument too many: one FILE or DIR at a time", *words);
		if (!**words)
			return option_refuse(parse, "'' names no FILE or DIR");
		options->report.path = *words;
		return 0;
	}
	if (!quoted)
		return option_refuse(parse, "unexpected argument '%s': a COMMAND goes behind '--'", *words);
	options->record.target.command = words;
	return 0;
}

/* --- the options together --- */

static int check_report(struct option_parser *parse)
{
	const struct report_options *report = &parse->options->report;

	if (report->path)
		return 0;
	if (report->base)
		return option_refuse(parse, "no FILE to compare with '--base %s'", report->base);
	return option_refuse(parse, "no FILE or DIR to report on");
}

static int check_target(struct option_parser *parse, bool quoted)
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

static int check_needs(struct option_parser *parse)
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
		[NEED_MERGED] =
			{target->population != POPULATION_LISTED,
			 "'%s' goes with '--follow', '--all', '--cgroup' or '--container': only they merge ended processes"},
		[NEED_NAMED] = {target->command || target->pid_count, "'%s' goes with '-p PID' or '-- COMMAND'"},
		[NEED_COMMAND] = {target->command, "'%s' goes with '-- COMMAND'"},
		[NEED_FOLLOWED_COMMAND] = {target->command && follows, "'%s' goes with '--follow -- COMMAND'"},
		[NEED_TABLE] = {options->report.format == REPORT_TABLE, "'%s' is a table: it goes with no other '-f'"},
	};

	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (is_given(parse, option) && !needs[option->need].met)
			return option_refuse(parse, needs[option->need].sentence, option_spelled(option));
	return 0;
}

static int check(struct option_parser *parse, bool quoted)
{
	int err;

	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++) {
		void *field = (char *)parse->options + option->field;

		if (is_given(parse, option) || !option->initial)
			continue;
		if (option->kind == OPTION_BYTES)
			*(u64 *)field = option->initial;
		else
			*(u32 *)field = (u32)option->initial;
	}
	err = parse->options->verb == SUBCOMMAND_REPORT ? check_report(parse) : check_target(parse, quoted);
	return err ? err : check_needs(parse);
}

/* --- the command line --- */

static int parse_words(struct option_parser *parse, char **words)
{
	bool quoted = false;
	int err = 0;

	parse->options->record.argv = words;
	for (; *words && !err && !parse->options->record.target.command; words++) {
		const char *word = *words;

		if (quoted || word[0] != '-' || !word[1])
			err = parse_word(parse, words, quoted);
		else if (!strcmp(word, "--"))
			quoted = true;
		else
			err = word[1] == '-' ? parse_name(parse, &words) : parse_letters(parse, &words);
	}
	return err ? err : check(parse, quoted);
}

static int parse_without_subcommand(struct option_parser *parse, const char *word)
{
	const struct option_row *option =
		word && !strncmp(word, "--", 2) ? find(parse, 0, word + 2, strlen(word + 2)) : NULL;

	if (option)
		return option_take(parse, option, NULL);
	if (word)
		return option_refuse(parse, "'%s' is no verb: record, report or doctor", word);
	return option_refuse(parse, "no verb: record, report or doctor");
}

/* Is there a COMMAND behind "--", whose status the caller waits for? An argument that is "--" itself is taken for that. */
static bool runs_command(enum subcommand verb, char **words)
{
	if (verb != SUBCOMMAND_RECORD && verb != SUBCOMMAND_NONE)
		return false;
	while (*words && strcmp(*words, "--") != 0)
		words++;
	return *words && words[1];
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options options = {.verb = argc > 1 ? option_table_subcommand(argv[1]) : SUBCOMMAND_NONE};
	struct option_parser parse = {.options = &options, .name = option_table_name(options.verb)};
	int err = options.verb ? parse_words(&parse, argv + 2)
			       : parse_without_subcommand(&parse, argc > 1 ? argv[1] : NULL);

	options.record.quiet = options.verbosity < 0;
	/* 1 and 2 could be COMMAND's own. */
	if (parse.status && runs_command(options.verb, argv + 1))
		parse.status = STATUS_COMMAND_FAILED;
	if (err) {
		options_release(&options);
		options = (struct options){.verb = SUBCOMMAND_NONE};
	}
	*ret = options;
	return parse.status;
}

void options_release(struct options *options)
{
	custom_allocator_free(options->record.target.pools);
	free(options->record.target.pids);
	options->record.target = (struct selection_options){0};
}
