/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command lines in docs/contrib are such as heaptap takes. */
#include "cli_scene.h"

#ifndef SOURCE_DIR
#define SOURCE_DIR "."
#endif

#define TEXT_MAX 2048

static FILE *open_file(const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), SOURCE_DIR "/docs/contrib/%s", name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("cannot open %s", path);
	return file;
}

/* A line without its end, joined with those that it goes on in; tabs become blanks. False at the end of the file. */
static bool read_line(FILE *file, char text[TEXT_MAX])
{
	size_t length = 0;

	*text = '\0';
	while (length + 2 < TEXT_MAX && fgets(text + length, (int)(TEXT_MAX - length), file)) {
		length += strcspn(text + length, "\n");
		text[length] = '\0';
		if (!length || text[length - 1] != '\\')
			break;
		text[--length] = '\0';
	}
	for (char *at = text; *at; at++)
		if (*at == '\t')
			*at = ' ';
	return length || !feof(file);
}

/* From the subcommand behind the word heaptap to the end or a comment, in a line to be typed or of a unit; NULL: there is none. */
static const char *find_command(char *line)
{
	char verb[16], *at = line, *end;

	if (strncmp(line, "    ", 4) != 0 && strncmp(line, "ExecStart=", 10) != 0)
		return NULL;
	while ((at = strstr(at, "heaptap "))) {
		at += strlen("heaptap ");
		snprintf(verb, sizeof(verb), "%.*s", (int)strcspn(at, " "), at);
		if (!subcommand_find(verb))
			continue;
		end = strstr(at, " #");
		if (end)
			*end = '\0';
		return at;
	}
	return NULL;
}

static unsigned int accept_commands(struct scene *scene, const char *name)
{
	FILE *file = open_file(name);
	char line[TEXT_MAX];
	unsigned int count = 0;

	while (read_line(file, line)) {
		const char *command = find_command(line);

		if (!command)
			continue;
		accept(scene, command);
		count++;
	}
	fclose(file);
	return count;
}

static void test_cli_contrib_units(void **state)
{
	assert_int_equal(accept_commands(*state, "heaptap-push.service"), 1);
	assert_int_equal(accept_commands(*state, "heaptap-serve.service"), 1);
}

static void test_cli_contrib_readme(void **state)
{
	assert_true(accept_commands(*state, "README.md") > 3);
}

/* Its arguments are the lines "- WORD" below "args:". */
static void test_cli_contrib_daemonset(void **state)
{
	FILE *file = open_file("daemonset.yaml");
	char line[TEXT_MAX], command[TEXT_MAX] = "";
	bool found = false;

	while (read_line(file, line)) {
		const char *word = line + strspn(line, " ");

		if (found && strncmp(word, "- ", 2) != 0)
			break;
		if (found)
			snprintf(command + strlen(command), sizeof(command) - strlen(command), "%s%s",
				 *command ? " " : "", word + 2);
		found = found || !strcmp(word, "args:");
	}
	fclose(file);
	assert_int_equal(accept(*state, command)->verb, SUBCOMMAND_PUSH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cli_contrib_units),
		TEST(test_cli_contrib_readme),
		TEST(test_cli_contrib_daemonset),
	};

	return cmocka_run_group_tests_name("options_contrib", tests, NULL, NULL);
}
