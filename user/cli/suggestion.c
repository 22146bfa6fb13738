/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/suggestion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/option_table.h"
#include "probe/nearest.h"
#include "system/process_name.h"
#include "system/workload.h"

#define GUESSED_LETTERS 3 /* fewer are part of too many names */

/* --- a command line, to be typed again --- */

/* A word as a shell takes it. False: no room. */
static bool add_word(FILE *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

	if (*word && strspn(word, plain) == strlen(word))
		return fprintf(line, " %s", word) > 0;
	fputs(" \"", line);
	for (; *word; word++)
		fprintf(line, strchr("\"\\$`", *word) ? "\\%c" : "%c", *word);
	return fputc('"', line) != EOF;
}

static void suggest(struct option_parser *parse, char **at, const char *words, bool replace)
{
	FILE *line = fmemopen(parse->ending, sizeof(parse->ending), "w");
	bool fits = line && fputs("; try 'heaptap", line) >= 0;

	for (char **word = parse->argv + 1; fits && *word; word++) {
		if (word == at)
			fprintf(line, " %s", words);
		if (word != at || !replace)
			add_word(line, *word);
	}
	if (fits)
		fputc('\'', line);
	fits = fits && ftell(line) < (long)sizeof(parse->ending) - 1;
	if (!line || fclose(line) || !fits)
		parse->ending[0] = '\0';
}

void suggestion_insert(struct option_parser *parse, char **at, const char *words)
{
	suggest(parse, at, words, false);
}

void suggestion_replace(struct option_parser *parse, char **at, const char *words)
{
	suggest(parse, at, words, true);
}

/* --- one word --- */

bool suggestion_is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

void suggestion_option(struct option_parser *parse, const char *name)
{
	struct nearest nearest = {.wanted = name};

	if (strlen(name) < GUESSED_LETTERS)
		return;
	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (option->name && option->subcommands & 1u << parse->options->verb)
			nearest_add(&nearest, option->name);
	if (nearest.count)
		snprintf(parse->ending, sizeof(parse->ending), "; did you mean '--%s'?", nearest.names[0]);
}

static bool runs(const char *name)
{
	struct pid_list list = {0};
	bool found = !process_name_find(name, &list) && list.count;

	pid_list_release(&list);
	return found;
}

static bool is_program(const char *name)
{
	char *path = NULL;
	bool found = !workload_find(name, &path);

	free(path);
	return found;
}

void suggestion_target(struct option_parser *parse, char **at)
{
	bool process = suggestion_is_number(*at) || (!at[1] && runs(*at));

	suggestion_insert(parse, at, process ? "-p" : "--");
}

/* --- the verb --- */

/* What the verbs of other programs are here. */
static const struct {
	const char *theirs, *ours;
} verbs[] = {
	{"attach", "record"},	  {"run", "record"},	{"start", "record"},	{"trace", "record"},
	{"profile", "record"},	  {"sample", "record"}, {"show", "report"},	{"print", "report"},
	{"view", "report"},	  {"stats", "report"},	{"annotate", "report"}, {"analyze", "report"},
	{"summary", "report"},	  {"diff", "report"},	{"script", "report"},	{"flamegraph", "report"},
	{"check", "doctor"},	  {"status", "doctor"}, {"info", "doctor"},	{"list", "doctor"},
	{"version", "--version"},
};

static const char *find_verb(const char *word)
{
	struct nearest nearest = {.wanted = word};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verbs[i].theirs, word))
			return verbs[i].ours;
	for (enum subcommand verb = SUBCOMMAND_RECORD; strlen(word) >= GUESSED_LETTERS && verb <= SUBCOMMAND_DOCTOR;
	     verb++)
		nearest_add(&nearest, subcommand_text(verb)->name + 1);
	for (enum subcommand verb = SUBCOMMAND_RECORD; nearest.count && verb <= SUBCOMMAND_DOCTOR; verb++)
		if (!strcmp(nearest.names[0], subcommand_text(verb)->name + 1))
			return subcommand_text(verb)->name + 1;
	return NULL;
}

static bool is_profile(const char *path)
{
	static const char suffix[] = ".pb.gz";
	size_t length = strlen(path);
	struct stat status;

	if (stat(path, &status))
		return false;
	return S_ISDIR(status.st_mode) ||
	       (length >= sizeof(suffix) && !strcmp(path + length + 1 - sizeof(suffix), suffix));
}

/* The verb to which an option of a line without one belongs; NULL: to none. */
static const char *verb_of_option(const char *word)
{
	for (enum subcommand verb = SUBCOMMAND_RECORD; verb <= SUBCOMMAND_DOCTOR; verb++)
		for (const struct option_row *option = option_table; option < option_table + option_table_count;
		     option++)
			if (option->subcommands & 1u << verb &&
			    (word[1] == '-'
				     ? option->name && !strncmp(option->name, word + 2, strcspn(word + 2, "=")) &&
					       !option->name[strcspn(word + 2, "=")]
				     : option->letter && option->letter == word[1]))
				return subcommand_text(verb)->name + 1;
	return !strcmp(word, "--") ? "record" : NULL;
}

void suggestion_verb(struct option_parser *parse, char **at)
{
	const char *verb = NULL, *next = at[1];
	char words[32];

	if (**at == '-') {
		verb = verb_of_option(*at);
		if (verb)
			suggestion_insert(parse, at, verb);
		else
			suggestion_option(parse, *at + strspn(*at, "-"));
	} else if (suggestion_is_number(*at)) {
		suggestion_insert(parse, at, "record -p");
	} else if (strchr(*at, '/') && is_profile(*at)) {
		suggestion_insert(parse, at, "report");
	} else if ((verb = find_verb(*at))) {
		bool target = next && *next != '-' && !strcmp(verb, "record");

		snprintf(words, sizeof(words), "%s%s", verb,
			 !target						? ""
			 : suggestion_is_number(next) || !strcmp(*at, "attach") ? " -p"
										: " --");
		suggestion_replace(parse, at, words);
	} else if (is_profile(*at)) {
		suggestion_insert(parse, at, "report");
	} else if (!next && runs(*at)) {
		suggestion_insert(parse, at, "record -p");
	} else if (is_program(*at)) {
		suggestion_insert(parse, at, "record --");
	}
}
