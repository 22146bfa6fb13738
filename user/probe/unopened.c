/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short, but no part of binaries.c, which knows the files that were opened. */
#include "probe/unopened.h"

#include <stdlib.h>
#include <string.h>

#include "system/shortage.h"

void unopened_add(struct unopened_files *files, pid_t pid, const char *path, int err)
{
	struct unopened *unopened = shortage_is(err) ? &files->lacking : &files->denied;

	if (!unopened->count++) {
		unopened->path = strdup(path);
		unopened->pid = pid;
		unopened->err = err;
	}
}

void unopened_release(struct unopened_files *files)
{
	free(files->lacking.path);
	free(files->denied.path);
	*files = (struct unopened_files){0};
}
