/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A scene with a control group of its own, and programs started in that. Functions fail the running test themselves. */
#include "group.h"
#include "session.h"

/* What heaptap ends with when the kernel, and when the target, does not allow what is asked. */
#define STATUS_KERNEL 3
#define STATUS_TARGET 4

struct stage {
	struct scene *scene;
	struct group group;
	char *text; /* whatever a test keeps here is freed with the stage */
};

/* As cmocka's setup and teardown: *state is the stage. */
int stage_setup(void **state);
int stage_teardown(void **state);

/* Start a program (`command` is NULL-terminated) in that group; NULL: in the test's own. It is not waited for. */
void stage_start(struct child *child, const struct group *group, const char *const *command);
