/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scene with a control group of its own. */
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define WORDS_MAX 32

int stage_setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	void *scene;

	if (!stage || scene_setup(&scene)) {
		free(stage);
		return -1;
	}
	stage->scene = scene;
	*state = stage;
	group_make(&stage->group);
	return 0;
}

int stage_teardown(void **state)
{
	struct stage *stage = *state;
	void *scene = stage->scene;
	int error;

	group_remove(&stage->group);
	error = scene_teardown(&scene);
	free(stage->text);
	free(stage);
	return error;
}

void stage_start(struct child *child, const struct group *group, const char *const *command)
{
	const char *argv[WORDS_MAX + 1];
	unsigned int count = 0;

	for (const char *const *word = group ? group_wrapper(group) : NULL; word && *word; word++)
		argv[count++] = *word;
	for (; *command; command++) {
		assert_true(count < WORDS_MAX);
		argv[count++] = *command;
	}
	argv[count] = NULL;
	target_start(child, NULL, argv);
}
