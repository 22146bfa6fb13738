/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/container_log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/directory.h"
#include "system/container_path.h"
#include "system/shortage.h"

int container_log_parse(const char *name, struct container_log *ret_log)
{
	char *text = strdup(name), *dash = text ? strrchr(text, '-') : NULL, *save;
	struct container_log log = {.text = text};

	if (!text)
		return -ENOMEM;
	if (dash && strlen(dash + 1) == CONTAINER_ID_SIZE - 1 + strlen(".log")) {
		*dash = dash[CONTAINER_ID_SIZE] = '\0';
		log.id = dash + 1;
		log.pod = strtok_r(text, "_", &save);
		log.space = strtok_r(NULL, "_", &save);
		log.part = strtok_r(NULL, "_", &save);
	}
	if (log.part) {
		*ret_log = log;
		return 1;
	}
	free(text);
	return 0;
}

/* Its name has the id, and says the namespace. 0 or -ENOMEM. */
static int space_of(const char *name, const char *id, char **ret_space)
{
	struct container_log log;
	int parsed = strstr(name, id) ? container_log_parse(name, &log) : 0;
	bool same;

	if (parsed <= 0)
		return parsed;
	same = !strcmp(log.id, id);
	if (same)
		*ret_space = strdup(log.space);
	free(log.text);
	return same && !*ret_space ? -ENOMEM : 0;
}

int container_log_space(const char *directory, const char *id, char **ret_space)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	int err = 0;

	*ret_space = NULL;
	/* Where there are no such logs, or they may not be looked at, no container has one. */
	if (!dir)
		return shortage_is(-errno) ? -errno : 0;
	while (!err && !*ret_space && (entry = directory_next(dir, &err)))
		err = space_of(entry->d_name, id, ret_space);
	closedir(dir);
	return err;
}
