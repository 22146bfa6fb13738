/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/string_list.h"
#include "cli/option_table.h"
#include "cli/suggestion.h"
#include "probe/custom_allocator.h"

#define NAME_BYTES 64 /* of an option's name in a message */

/* --- one word --- */

static bool is_given(const struct option_parser *parse, const struct option_row *option)
{
	return parse->given >> (option - option_table) & 1;
}

/* -p was given, with numbers or names. */
static bool names_processes(const struct option_parser *parse)
{
	return parse->options->record.target.pid_count || parse->options->process_names;
}

/* The verbs, with commas, that have such an option. */
static void list_verbs(const char *name, char letter, char *list, size_t size)
{
	for (enum subcommand verb = SUBCOMMAND_RECORD; verb <= SUBCOMMAND_DOCTOR; verb++) {
		size_t length = strlen(list);

		if (name ? option_table_find(verb, name, strlen(name)) : option_table_find_letter(verb, letter))
			snprintf(list + length, size - length, "%s%s", length ? " and " : "",
				 option_table_name(verb) + 1);
	}
}

/* By its name or, where that is NULL, by its letter. */
static int refuse_unknown(struct option_parser *parse, const char *name, char letter)
{
	char spelled[NAME_BYTES + 2], verbs[64] = "";

	if (name)
		snprintf(spelled, sizeof(spelled), "--%s", name);
	else
		snprintf(spelled, sizeof(spelled), "-%c", letter);
	list_verbs(name, letter, verbs, sizeof(verbs));
	if (*verbs)
		return option_refuse(parse, "'%s' is an option of %s, not of%s", spelled, verbs, parse->name);
	if (name)
		suggestion_option(parse, name);
	return option_refuse(parse, "unknown option '%s'", spelled);
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

static void list_name(char *list, size_t size, const char *name)
{
	size_t length = strlen(list);

	snprintf(list + length, size - length, "%s--%s", length ? ", " : "", name);
}

/*
 * By its name or the beginning of it, if no other option begins so. NULL with the reason said: several do, or none, whose likeliest
 * spelling or verbs are named.
 */
static const struct option_row *find_name(struct option_parser *parse, const char *name, size_t length)
{
	const struct option_row *found = option_table_find(parse->options->verb, name, length);
	char begins[256] = "", copy[NAME_BYTES];

	for (const struct option_row *option = option_table; !found && option < option_table + option_table_count;
	     option++)
		if (option->name && length && option->subcommands & 1u << parse->options->verb &&
		    !strncmp(option->name, name, length))
			list_name(begins, sizeof(begins), option->name);
	if (!found && *begins && !strchr(begins, ','))
		found = option_table_find(parse->options->verb, begins + 2, strlen(begins + 2));
	if (found)
		return found;
	snprintf(copy, sizeof(copy), "%.*s", (int)length, name);
	if (*begins)
		option_refuse(parse, "'--%s' may be %s", copy, begins);
	else
		refuse_unknown(parse, copy, 0);
	return NULL;
}

/* The argument in the next word; NULL: there is none. One that is forgotten must not be the "--" of a COMMAND. */
static const char *next_word(char ***words)
{
	const char *word = (*words)[1];

	if (!word || !strcmp(word, "--"))
		return NULL;
	return *++*words;
}

/* --NAME, with its argument behind '=' or in the next word. */
static int parse_name(struct option_parser *parse, char ***words)
{
	const char *word = **words, *argument = strchr(word, '=');
	const struct option_row *option = find_name(parse, word + 2, strcspn(word + 2, "="));

	if (!option)
		return -ECANCELED;
	if (argument && !option->argument)
		return option_refuse(parse, "option '--%s' takes no argument", option->name);
	if (argument)
		argument++;
	else if (option->argument && !(argument = next_word(words)))
		return option_refuse(parse, "option '--%s' needs an argument", option->name);
	return take(parse, option, argument);
}

/* Letters, the last of which may have an argument, in the same word or the next. */
static int parse_letters(struct option_parser *parse, char ***words)
{
	size_t length = strcspn(**words + 1, "=");
	const char *argument = NULL;
	int err = 0;

	if (length > 2 && option_table_find(parse->options->verb, **words + 1, length)) {
		snprintf(parse->ending, sizeof(parse->ending), "; did you mean '-%s'?", **words);
		return option_refuse(parse, "'%s' has one dash too few", **words);
	}
	for (const char *letter = **words + 1; *letter && !argument && !err; letter++) {
		const struct option_row *option = option_table_find_letter(parse->options->verb, *letter);

		if (!option)
			return refuse_unknown(parse, NULL, *letter);
		if (option->argument && !(argument = letter[1] ? letter + 1 : next_word(words)))
			return option_refuse(parse, "option '-%c' needs an argument", *letter);
		err = take(parse, option, argument);
	}
	return err;
}

/* A word of record or doctor behind no option. */
static int refuse_word(struct option_parser *parse, char **words)
{
	const struct selection_options *target = &parse->options->record.target;
	bool number = suggestion_is_number(*words);

	if (names_processes(parse) && number)
		return option_refuse(parse,
				     "'%s' follows no option: process numbers are joined by commas, a time follows -d",
				     *words);
	if (names_processes(parse))
		return option_refuse(parse, "'%s' follows no option, and '-p' names the target already", *words);
	if (target->population != POPULATION_LISTED && target->population != POPULATION_FOLLOW)
		return option_refuse(parse, "'%s' follows no option, and '--all' names the target already", *words);
	if (target->container || target->cgroup)
		return option_refuse(parse, "'%s' follows no option, and '%s' names the target already", *words,
				     target->container ? "--container" : "--cgroup");
	suggestion_target(parse, words);
	return option_refuse(parse,
			     number ? "'%s' follows no option: -p names a process"
				    : "'%s' follows no option: -p names a process, '--' begins a COMMAND",
			     *words);
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
		return refuse_word(parse, words);
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
	bool named = target->command || names_processes(parse);

	if (target->cgroup || target->container)
		target->population = POPULATION_CGROUP;
	if (target->command && names_processes(parse))
		return option_refuse(parse, "'-p' and COMMAND '%s' are two targets: name one", target->command[0]);
	if (quoted && !target->command)
		return option_refuse(parse, "no COMMAND behind '--'");
	if (target->population == POPULATION_LISTED || target->population == POPULATION_FOLLOW) {
		if (!named && parse->options->verb == SUBCOMMAND_RECORD)
			return option_refuse(
				parse,
				"no target: name one with '-p PID', '-p NAME', '--container NAME', '--cgroup PATH', "
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
		[NEED_NAMED] = {target->command || names_processes(parse), "'%s' goes with '-p PID' or '-- COMMAND'"},
		[NEED_CHOSEN] = {target->population != POPULATION_ALL,
				 "'%s' goes with '-- COMMAND', '-p', '--cgroup' or '--container'"},
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

/* `heaptap help [VERB]` */
static int parse_help(struct option_parser *parse, const char *word)
{
	if (word) {
		parse->options->verb = option_table_subcommand(word);
		parse->name = option_table_name(parse->options->verb);
		if (!parse->options->verb)
			return option_refuse(parse, "'%s' is no verb: record, report or doctor", word);
	}
	return option_take(parse, option_table_find_letter(parse->options->verb, 'h'), NULL);
}

static int parse_without_subcommand(struct option_parser *parse, char **words)
{
	const char *word = *words;
	const struct option_row *option = NULL;

	if (!word)
		return option_refuse(parse, "no verb: record, report or doctor");
	if (!strcmp(word, "help"))
		return parse_help(parse, words[1]);
	if (!strncmp(word, "--", 2))
		option = option_table_find(parse->options->verb, word + 2, strlen(word + 2));
	else if (word[0] == '-' && word[1] && !word[2])
		option = option_table_find_letter(parse->options->verb, word[1]);
	if (option)
		return option_take(parse, option, NULL);
	suggestion_verb(parse, words);
	if (*word == '-')
		return option_refuse(parse, "no verb before '%s': record, report or doctor", word);
	return option_refuse(parse, "'%s' is no verb: record, report or doctor", word);
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
	struct option_parser parse = {.options = &options, .argv = argv, .name = option_table_name(options.verb)};
	int err = options.verb ? parse_words(&parse, argv + 2) : parse_without_subcommand(&parse, argv + (argc > 0));

	options.record.quiet = options.verbosity < 0;
	options.record.whole_tables = options.report.stacks = options.verbosity > 0;
	options.record.site_skip = options.report.site_skip = options.site_skip;
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
	string_list_free(options->process_names);
	options->process_names = NULL;
	free(options->record.target.pids);
	if (options->site_skip)
		regfree(options->site_skip);
	free(options->site_skip);
	options->site_skip = NULL;
	options->record.target = (struct selection_options){0};
}
