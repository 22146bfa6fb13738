/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The directory a recording is written to. */
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct output_dir {
	char path[PATH_MAX];
	int fd;
	bool made; /* it was not there before */
};

/* Could output_dir_open make or take it? The same errors, but nothing is made, so that a start that fails leaves nothing behind. */
int output_dir_check(const char *path, bool force, struct output_dir *ret);

/*
 * Create the directory `path` (NULL: heaptap-<UTC time>), before anything is traced; who may read files of `file_mode` may
 * also look into it. One that exists keeps its mode. 0; -ENOTEMPTY: it exists and is not empty, and `force` is not set; or
 * negative errno. ret->path is set in any case.
 */
int output_dir_open(const char *path, bool force, mode_t file_mode, struct output_dir *ret);
/* Remove it again if it was made and nothing is in it. */
void output_dir_abandon(const struct output_dir *output);
void output_dir_close(struct output_dir *output);
