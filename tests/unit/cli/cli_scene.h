/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A parsed command line, and the message printed for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/option_table.h"
#include "cli/options.h"
#include "format/output_file.h"
#include "unit/base/capture.h"

#define WORDS_MAX 24

struct scene {
	char line[PIDS_MAX * 8 + 64];
	char *argv[WORDS_MAX + 1];
	struct options options;
	struct capture out, err;
	const char *out_text, *err_text;
	int status;
};

static inline int scene_setup(void **state)
{
	*state = calloc(1, sizeof(struct scene));
	return *state ? 0 : -1;
}

static inline int scene_teardown(void **state)
{
	struct scene *scene = *state;

	options_release(&scene->options);
	free(scene);
	return 0;
}

/* Parse "heaptap" and the blank-separated words of `line`; an empty word is written "''". */
static inline void parse(struct scene *scene, const char *line)
{
	char *word, *save;
	int argc = 0;

	options_release(&scene->options);
	memset(&scene->options, 0xff, sizeof(scene->options)); /* every field must be set */
	snprintf(scene->line, sizeof(scene->line), "heaptap %s", line);
	for (word = strtok_r(scene->line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(argc < WORDS_MAX);
		scene->argv[argc++] = strcmp(word, "''") ? word : word + 2;
	}
	scene->argv[argc] = NULL;
	capture_begin(&scene->out, stdout);
	capture_begin(&scene->err, stderr);
	scene->status = options_parse(argc, scene->argv, &scene->options);
	scene->err_text = capture_end(&scene->err);
	scene->out_text = capture_end(&scene->out);
}

static inline struct options *accept(struct scene *scene, const char *line)
{
	parse(scene, line);
	assert_string_equal(scene->err_text, "");
	assert_string_equal(scene->out_text, "");
	assert_int_equal(scene->status, STATUS_DONE);
	assert_int_not_equal(scene->options.verb, SUBCOMMAND_NONE);
	return &scene->options;
}

/* One sentence on stderr that names `culprit` and ends with the next step; nothing else, and nothing to release. */
static inline void refuse_as(struct scene *scene, const char *line, const char *culprit, int status)
{
	int length = (int)strcspn(line, " ");
	char verb[16] = "", step[64];

	parse(scene, line);
	assert_int_equal(scene->status, status);
	assert_string_equal(scene->out_text, "");
	assert_int_equal(scene->options.verb, SUBCOMMAND_NONE);
	assert_null(scene->options.record.tracing.target.pids);
	snprintf(verb, sizeof(verb), "%.*s", length, line);
	if (subcommand_find(verb))
		snprintf(verb, sizeof(verb), "%.*s ", length, line);
	else
		*verb = '\0';
	snprintf(step, sizeof(step), "; try 'heaptap %s--help'\n", verb);
	assert_non_null(strstr(scene->err_text, culprit));
	assert_true(strlen(scene->err_text) > strlen(step));
	assert_string_equal(scene->err_text + strlen(scene->err_text) - strlen(step), step);
	assert_ptr_equal(strchr(scene->err_text, '\n'), scene->err_text + strlen(scene->err_text) - 1);
	memset(&scene->options, 0, sizeof(scene->options));
}

static inline void refuse(struct scene *scene, const char *line, const char *culprit)
{
	refuse_as(scene, line, culprit, STATUS_USAGE);
}

/* Where COMMAND was to be run, whose own status could be that of a usage error. */
static inline void refuse_command(struct scene *scene, const char *line, const char *culprit)
{
	refuse_as(scene, line, culprit, STATUS_COMMAND_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
