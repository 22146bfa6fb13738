/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/container_log.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "system/container_path.h"

bool container_log_parse(const char *name, struct container_log *ret_log)
{
	char *text = strdup(name), *dash = text ? strrchr(text, '-') : NULL, *save;
	struct container_log log = {.text = text};

	if (dash && strlen(dash + 1) == CONTAINER_ID_SIZE - 1 + strlen(".log")) {
		*dash = dash[CONTAINER_ID_SIZE] = '\0';
		log.id = dash + 1;
		log.pod = strtok_r(text, "_", &save);
		log.space = strtok_r(NULL, "_", &save);
		log.part = strtok_r(NULL, "_", &save);
	}
	if (log.part) {
		*ret_log = log;
		return true;
	}
	free(text);
	return false;
}

/* Its name has the id, and says the namespace. */
static char *space_of(const char *name, const char *id)
{
	struct container_log log;
	char *space;

	if (!strstr(name, id) || !container_log_parse(name, &log))
		return NULL;
	space = strcmp(log.id, id) ? NULL : strdup(log.space);
	free(log.text);
	return space;
}

char *container_log_space(const char *directory, const char *id)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	char *space = NULL;

	while (dir && !space && (entry = readdir(dir)))
		space = space_of(entry->d_name, id);
	if (dir)
		closedir(dir);
	return space;
}
