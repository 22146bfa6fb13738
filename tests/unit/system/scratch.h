/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A directory for one test, the current one while it lasts: setup and teardown for cmocka. */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_path[PATH_MAX];
static int scratch_before;

static inline int scratch_setup(void **state)
{
	const char *parent = getenv("TMPDIR");

	(void)state;
	snprintf(scratch_path, sizeof(scratch_path), "%s/heaptap-test-XXXXXX", parent ? parent : P_tmpdir);
	scratch_before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return scratch_before < 0 || !mkdtemp(scratch_path) || chdir(scratch_path) ? -1 : 0;
}

static inline int scratch_remove(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline int scratch_teardown(void **state)
{
	int err = fchdir(scratch_before);

	(void)state;
	close(scratch_before);
	return err | nftw(scratch_path, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_file(const char *name, const char *text, mode_t mode)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(name, mode), 0);
}

/* A link counts, even if it leads nowhere. */
static inline bool scratch_has(const char *name)
{
	return !faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW);
}
