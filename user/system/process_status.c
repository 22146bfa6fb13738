/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/process_status.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "system/procfs.h"

static unsigned int take_line(const char *line, struct status_field *fields, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		size_t length = strlen(fields[i].key);

		if (strncmp(line, fields[i].key, length) != 0)
			continue;
		snprintf(fields[i].value, STATUS_VALUE, "%.*s", (int)strcspn(line + length, "\n"), line + length);
		return 1;
	}
	return 0;
}

static void clear(struct status_field *fields, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		fields[i].value[0] = '\0';
}

/* 0, also where some are not there, or a negative errno. */
static int take_lines(FILE *file, struct status_field *fields, unsigned int count)
{
	unsigned int missing = count;
	size_t size = 0;
	char *line = NULL;
	int err = 0;

	errno = 0; /* which getline leaves alone at the end of the file */
	while (missing && getline(&line, &size, file) > 0)
		missing -= take_line(line, fields, count);
	if (missing)
		err = -errno;
	free(line);
	return err;
}

int process_status_read(pid_t tid, struct status_field *fields, unsigned int count)
{
	char path[PATH_MAX];
	FILE *file;
	int err;

	clear(fields, count);
	file = fopen(text_path(path, "/proc/%d/status", tid), "re");
	if (!file)
		return procfs_failure();
	err = take_lines(file, fields, count);
	fclose(file);
	if (err)
		clear(fields, count);
	return err;
}
