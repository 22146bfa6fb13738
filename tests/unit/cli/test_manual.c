/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/heaptap.8 has every option of the table and no other, in its lists and in its synopsis, and every exit status; CHANGELOG.md has this version. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"
#include "cli/option_table.h"

#define LINE_MAX_BYTES 512

struct manual {
	FILE *file;
	char section[64];     /* what stands behind .Sh or .Ss */
	enum subcommand verb; /* of the synopsis' command line, or of the section "heaptap VERB" */
	char line[LINE_MAX_BYTES];
};

static struct manual manual_open(void)
{
	struct manual manual = {.file = fopen(SOURCE_DIR "/docs/heaptap.8", "re")};

	assert_non_null(manual.file);
	return manual;
}

/* The next line, with `section` and `verb` where it stands. */
static bool manual_next(struct manual *manual)
{
	char *line = manual->line;

	if (!fgets(line, LINE_MAX_BYTES, manual->file)) {
		fclose(manual->file);
		return false;
	}
	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(line, ".Sh ", 4) || !strncmp(line, ".Ss ", 4)) {
		snprintf(manual->section, sizeof(manual->section), "%s", line + 4);
		manual->verb = !strncmp(line, ".Ss heaptap ", 12) ? subcommand_find(line + 12) : SUBCOMMAND_NONE;
	} else if (!strcmp(manual->section, "SYNOPSIS") && !strncmp(line, ".Cm ", 4)) {
		manual->verb = subcommand_find(line + 4);
	}
	return true;
}

/*
 * Call `each` for each option in a line of macros: the words behind "Fl", with what joins them by blanks and commas: "d , Fl \-duration"
 * is d and \-duration, "\-gogc Ar percent" is \-gogc alone.
 */
static void each_option(const char *line, void (*each)(const char *word, void *context), void *context)
{
	char copy[LINE_MAX_BYTES], *save;
	bool flag = false;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "Fl") || !strcmp(word, ".Fl"))
			flag = true;
		else if (isupper((unsigned char)word[0]) && islower((unsigned char)word[1]) && !word[2])
			flag = false; /* another macro */
		else if (flag && strcmp(word, "\\-") && strchr("\\abcdefghijklmnopqrstuvwxyzRV", word[0]))
			each(word, context);
	}
}

/* "\-shared\-mounts" is shared-mounts. */
static const char *plain_name(const char *word)
{
	static char name[64];
	size_t length = 0;

	for (word += 2; *word && length < sizeof(name) - 1; word++)
		if (*word != '\\')
			name[length++] = *word;
	name[length] = '\0';
	return name;
}

/* --- from the table to the manual --- */

struct search {
	const struct option_row *row;
	bool name, letter;
};

static void compare(const char *word, void *context)
{
	struct search *search = context;

	if (word[0] == '\\')
		search->name |= !strcmp(plain_name(word), search->row->name);
	else
		search->letter |= strchr(word, search->row->letter) != NULL;
}

/* Those that every verb has stand in one sentence at the beginning; all others have an item of a list. */
static bool is_described(const struct manual *manual, const struct option_row *row)
{
	if (!strncmp(manual->line, ".It ", 4))
		return true;
	return row->subcommands & 1u << SUBCOMMAND_PUSH && row->subcommands & 1u << SUBCOMMAND_DOCTOR &&
	       !strcmp(manual->section, "DESCRIPTION");
}

static void test_manual_has_every_option(void **state)
{
	(void)state;
	for (const struct option_row *row = option_table; row < option_table + option_table_count; row++) {
		struct search search = {.row = row, .letter = !row->letter};
		struct manual manual = manual_open();

		while (manual_next(&manual))
			if (is_described(&manual, row))
				each_option(manual.line, compare, &search);
		if (!search.name || !search.letter)
			fail_msg("heaptap.8 does not describe --%s%s", row->name, search.name ? " by its letter" : "");
	}
}

/* --- from the manual to the table --- */

/* Any verb will do where it is about none. */
static bool has(enum subcommand verb, const char *name, char letter)
{
	for (enum subcommand each = SUBCOMMAND_NONE; each <= SUBCOMMAND_LAST; each++)
		if ((verb == SUBCOMMAND_NONE || each == verb) &&
		    (name ? option_table_find(each, name, strlen(name)) : option_table_find_letter(each, letter)))
			return true;
	return false;
}

static void demand(const char *word, void *context)
{
	const struct manual *manual = context;
	/* Prose may speak of other verbs' options. */
	bool own = !strncmp(manual->line, ".It ", 4) || !strcmp(manual->section, "SYNOPSIS");
	enum subcommand verb = own ? manual->verb : SUBCOMMAND_NONE;

	if (word[0] == '\\' && !has(verb, plain_name(word), 0))
		fail_msg("heaptap.8, %s: heaptap has no --%s: %s", manual->section, plain_name(word), manual->line);
	for (; word[0] != '\\' && isalpha((unsigned char)*word); word++)
		if (!has(verb, NULL, *word))
			fail_msg("heaptap.8, %s: heaptap has no -%c: %s", manual->section, *word, manual->line);
}

static void test_manual_has_no_other_option(void **state)
{
	struct manual manual = manual_open();
	unsigned int lines = 0;

	(void)state;
	for (; manual_next(&manual); lines++)
		if (manual.line[0] == '.')
			each_option(manual.line, demand, &manual);
	assert_true(lines > 1000);
}

/* --- the rest --- */

static void test_manual_has_every_exit_status(void **state)
{
	static const int statuses[] = {STATUS_DONE,	      STATUS_FAILED,	     STATUS_USAGE,
				       STATUS_UNSUPPORTED,    STATUS_NO_TARGET,	     STATUS_FOUND,
				       STATUS_COMMAND_FAILED, STATUS_NOT_EXECUTABLE, STATUS_NOT_FOUND};
	bool found[sizeof(statuses) / sizeof(*statuses)] = {};
	struct manual manual = manual_open();

	(void)state;
	while (manual_next(&manual))
		for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
			for (const char *at = manual.line; !strcmp(manual.section, "EXIT STATUS") && *at; at++)
				if ((at == manual.line || !isalnum((unsigned char)at[-1])) && atoi(at) == statuses[i] &&
				    isdigit((unsigned char)*at))
					found[i] = true;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (!found[i])
			fail_msg("heaptap.8 has no exit status %d", statuses[i]);
}

/* The newest version is the first heading. */
static void test_changelog_begins_with_this_version(void **state)
{
	FILE *file = fopen(SOURCE_DIR "/CHANGELOG.md", "re");
	char line[LINE_MAX_BYTES] = "", version[32] = "";

	(void)state;
	assert_non_null(file);
	while (strncmp(line, "## ", 3) && fgets(line, sizeof(line), file))
		;
	fclose(file);
	assert_int_equal(sscanf(line, "## %31s", version), 1);
	assert_string_equal(version, HEAPTAP_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manual_has_every_option),
		cmocka_unit_test(test_manual_has_no_other_option),
		cmocka_unit_test(test_manual_has_every_exit_status),
		cmocka_unit_test(test_changelog_begins_with_this_version),
	};

	return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
