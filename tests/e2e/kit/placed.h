/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A test's own program, put where every user may enter, and what a program wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session.h"

#define NOBODY 65534

static inline char *contents(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file || getdelim(&text, &size, '\0', file) < 0)
		fail_msg("%s cannot be read, or is empty", path);
	fclose(file);
	return text;
}

/* A copy of a program beside the test, below the scene's directory, which every user may enter. */
static inline const char *place(struct scene *scene, const char *name, mode_t mode, uid_t owner)
{
	const char *path = format("%s/%s", scene->dir, name);

	assert_int_equal(chmod(scene->dir, 0755), 0);
	assert_int_equal(system(format("cp %s %s", beside(name), path)), 0);
	assert_int_equal(chown(path, owner, owner), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}
