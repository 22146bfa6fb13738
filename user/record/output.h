/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef OUTPUT_H
#define OUTPUT_H
/* The directory a recording is written to. */
#include <limits.h>
#include <stdbool.h>

struct output {
	char path[PATH_MAX];
	int fd;
};

/*
 * Create the directory (`path`, or heaptap-<UTC time> when NULL), before anything is traced. 0; -ENOTEMPTY: it exists
 * and holds something, and `force` is not set; or negative errno. ret->path is set in any case.
 */
int output_open(const char *path, bool force, struct output *ret);
void output_close(struct output *output);

#endif
