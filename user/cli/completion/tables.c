/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run by make: what heaptap.bash needs to know of the command line, as bash, from the tables that heaptap itself parses with.
 *
 *   _heaptap_verbs      the verbs
 *   _heaptap_options    by "verb VERB" (VERB is empty before there is one): its options, as they are typed
 *   _heaptap_arguments  by "VERB OPTION": what completes the option's argument, the name of a kind, =WORD... or, of a list with
 *                       commas, ,WORD...; options without an argument are left out
 *   _heaptap_operands   by verb: the kind of what stands behind the options; not set where there is nothing
 *
 * They are global wherever the file is read: bash-completion does that within a function.
 *
 * An argument of which no kind is known ends it with status 1, so that a new one is not forgotten.
 */
#include <stdio.h>
#include <string.h>

#include "cli/option_table.h"

/* What --help calls the argument, and what completes it; "": nothing could. */
static const struct {
	const char *argument, *kind;
} kinds[] = {
	{"PID|NAME[,...]", "process"},
	{"NAME", "name"},
	{"NAME|ID", ""},
	{"DIR", "directory"},
	{"FILE", "file"},
	{"FILE.html", "file"},
	{"FILE:FUNCTIONS", "file"},
	{"OLD", "file"},
	{"PATH", "file"},
	{"TIME", ""},
	{"N", ""},
	{"PCT", ""},
	{"N|off", "=off"},
	{"MODE", ""},
	{"EXPR", "=rss= cgroup="},
	{"REGEX", ""},
	{"PLACE", "=127.0.0.1: unix:"},
	{"URL", "=pyroscope+https:// parca+https:// otlp+https://"},
	{"NAME=VALUE", "=service_name="},
};

static const char *verb_name(enum subcommand verb)
{
	const char *name = subcommand_text(verb)->name;

	return name + strspn(name, " ");
}

/* NULL: it is not known. */
static const char *kind_of(const struct option_row *option)
{
	static char word[64];

	if (!strcmp(option->name, "cgroup"))
		return "cgroup";
	if (!strcmp(option->name, "tenant"))
		return "";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(option->argument, kinds[i].argument))
			return kinds[i].kind;
	/* A word in small letters stands for itself. */
	if (option->argument[strspn(option->argument, "abcdefghijklmnopqrstuvwxyz")])
		return NULL;
	snprintf(word, sizeof(word), "=%s", option->argument);
	return word;
}

static void print_words(const struct option_row *option)
{
	fputs(option->kind == OPTION_CHOICES ? ",all" : "=", stdout);
	for (const char *const *word = option->words; *word; word++)
		printf(" %s", *word);
}

/* False: nobody has said what completes it. */
static bool print_argument(enum subcommand verb, const struct option_row *option)
{
	const char *kind = option->words ? "" : kind_of(option);

	if (!kind) {
		fprintf(stderr, "option_table.c: the argument '%s' of --%s is not in kinds[] of %s\n", option->argument,
			option->name, __FILE__);
		return false;
	}
	for (int i = 0; i < (option->letter ? 2 : 1); i++) {
		if (i)
			printf("\t['%s -%c']='", verb_name(verb), option->letter);
		else
			printf("\t['%s --%s']='", verb_name(verb), option->name);
		if (option->words)
			print_words(option);
		printf("%s'\n", kind);
	}
	return true;
}

static bool print_arguments(void)
{
	bool known = true;

	puts("declare -gA _heaptap_arguments=(");
	for (enum subcommand verb = SUBCOMMAND_NONE; verb <= SUBCOMMAND_LAST; verb++)
		for (unsigned int i = 0; i < option_table_count; i++)
			if (option_table[i].subcommands & 1u << verb && option_table[i].argument)
				known &= print_argument(verb, &option_table[i]);
	puts(")");
	return known;
}

static void print_options(void)
{
	puts("declare -gA _heaptap_options=(");
	for (enum subcommand verb = SUBCOMMAND_NONE; verb <= SUBCOMMAND_LAST; verb++) {
		printf("\t['verb %s']='", verb_name(verb));
		for (unsigned int i = 0; i < option_table_count; i++) {
			if (!(option_table[i].subcommands & 1u << verb))
				continue;
			printf(" --%s", option_table[i].name);
			if (option_table[i].letter)
				printf(" -%c", option_table[i].letter);
		}
		puts(strstr(subcommand_text(verb)->args, "-- COMMAND") ? " --'" : "'");
	}
	puts(")");
}

static void print_verbs(void)
{
	printf("_heaptap_verbs='help");
	for (enum subcommand verb = SUBCOMMAND_RECORD; verb <= SUBCOMMAND_LAST; verb++)
		printf(" %s", verb_name(verb));
	puts("'");
	puts("declare -gA _heaptap_operands=(");
	for (enum subcommand verb = SUBCOMMAND_RECORD; verb <= SUBCOMMAND_LAST; verb++)
		if (strstr(subcommand_text(verb)->args, "FILE|DIR"))
			printf("\t[%s]=file\n", verb_name(verb));
	puts("\t[help]=verb\n)");
}

int main(void)
{
	puts("# bash completion for heaptap, made from the table of its options");
	print_verbs();
	print_options();
	return print_arguments() && !fflush(stdout) ? 0 : 1;
}
