/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/string_list.h"
#include "cli/option_check.h"
#include "cli/option_table.h"
#include "cli/suggestion.h"
#include "probe/custom_allocator.h"

#define NAME_BYTES 64 /* of an option's name in a message */

/* --- one word --- */

/* The verbs that have such an option: "record, doctor and top". */
static void list_verbs(const char *name, char letter, char *list, size_t size)
{
	const char *found[SUBCOMMAND_LAST + 1] = {0};
	unsigned int count = 0;

	for (enum subcommand verb = SUBCOMMAND_RECORD; verb <= SUBCOMMAND_LAST; verb++)
		if (name ? option_table_find(verb, name, strlen(name)) : option_table_find_letter(verb, letter))
			found[count++] = subcommand_text(verb)->name + 1;
	for (unsigned int i = 0; i < count; i++) {
		size_t length = strlen(list);

		snprintf(list + length, size - length, "%s%s", !i ? "" : i + 1 < count ? ", " : " and ", found[i]);
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
		if (other != option && other->excludes == option->excludes && option_is_given(parse, other))
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
	const struct selection_options *target = &parse->options->record.tracing.target;
	bool number = suggestion_is_number(*words);

	if (option_names_processes(parse) && number)
		return option_refuse(parse,
				     "'%s' follows no option: process numbers are joined by commas, a time follows -d",
				     *words);
	if (option_names_processes(parse))
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

/* A number that is no file's name is a process that -p was forgotten for. */
static bool is_recording(const char *word)
{
	return *word && (!suggestion_is_number(word) || !access(word, F_OK));
}

static int take_recording(struct option_parser *parse, const char *word)
{
	const char **path = option_recording(parse->options);

	if (*path)
		return option_refuse(parse, "'%s' is one argument too many: one FILE or DIR at a time", word);
	*path = word;
	return 0;
}

/* A word that is no option: report's FILE, that of top, serve or push, or COMMAND, to which all words behind it belong. */
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
	if (option_recording(options) && !quoted && is_recording(*words))
		return take_recording(parse, *words);
	if (!quoted)
		return refuse_word(parse, words);
	options->record.tracing.target.command = words;
	return 0;
}

/* --- the command line --- */

static int parse_words(struct option_parser *parse, char **words)
{
	bool quoted = false;
	int err = 0;

	parse->options->record.argv = words;
	for (; *words && !err && !parse->options->record.tracing.target.command; words++) {
		const char *word = *words;

		if (quoted || word[0] != '-' || !word[1])
			err = parse_word(parse, words, quoted);
		else if (!strcmp(word, "--"))
			quoted = true;
		else
			err = word[1] == '-' ? parse_name(parse, &words) : parse_letters(parse, &words);
	}
	return err ? err : option_check(parse, quoted);
}

/* `heaptap help [VERB]` */
static int parse_help(struct option_parser *parse, const char *word)
{
	if (word) {
		parse->options->verb = subcommand_find(word);
		parse->name = subcommand_text(parse->options->verb)->name;
		if (!parse->options->verb)
			return option_refuse(parse, "'%s' is no verb: " SUBCOMMAND_LIST, word);
	}
	return option_take(parse, option_table_find_letter(parse->options->verb, 'h'), NULL);
}

static int parse_without_subcommand(struct option_parser *parse, char **words)
{
	const char *word = *words;
	const struct option_row *option = NULL;

	if (!word)
		return option_refuse(parse, "no verb: " SUBCOMMAND_LIST);
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
		return option_refuse(parse, "no verb before '%s': " SUBCOMMAND_LIST, word);
	return option_refuse(parse, "'%s' is no verb: " SUBCOMMAND_LIST, word);
}

/* Is there a COMMAND behind "--", whose status the caller waits for? An argument that is "--" itself is taken for that. */
static bool runs_command(enum subcommand verb, char **words)
{
	if (verb == SUBCOMMAND_REPORT || verb == SUBCOMMAND_DOCTOR)
		return false;
	while (*words && strcmp(*words, "--") != 0)
		words++;
	return *words && words[1];
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options options = {.verb = argc > 1 ? subcommand_find(argv[1]) : SUBCOMMAND_NONE};
	struct option_parser parse = {.options = &options, .argv = argv, .name = subcommand_text(options.verb)->name};
	int err = options.verb ? parse_words(&parse, argv + 2) : parse_without_subcommand(&parse, argv + (argc > 0));

	options.record.quiet = options.verbosity < 0;
	options.record.whole_tables = options.report.stacks = options.verbosity > 0;
	options.report.html = options.html;
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
	custom_allocator_free(options->record.tracing.target.pools);
	label_list_release(&options->push.labels);
	string_list_free(options->process_names);
	options->process_names = NULL;
	free(options->record.tracing.target.pids);
	if (options->site_skip)
		regfree(options->site_skip);
	free(options->site_skip);
	options->site_skip = NULL;
	options->record.tracing.target = (struct selection_options){0};
}

int options_not_begun(const struct options *options, int status)
{
	return status && options->record.tracing.target.command ? STATUS_COMMAND_FAILED : status;
}
