/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes by what they execute; used by aggregate once there are too many to keep apart. */
#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include "record/by_executable.h"

#include <stdlib.h>
#include <string.h>

#include "format/output_file.h"

#define COMMS_MAX 64

static void executable_free(struct executable *executable)
{
	free(executable->facts.exe);
	free(executable->facts.comm);
	free(executable->facts.stem);
	intern_release(&executable->comms);
	free(executable);
}

/* "merged.<name>", with a number where another executable of that name was first. NULL: no memory. */
static char *make_stem(struct executable_table *table, const char *name)
{
	char clean[OUTPUT_FILE_NAME_MAX + 1], *stem;
	const struct interned *entry;
	u32 number = 1;
	int added;

	output_file_clean_name(name, clean);
	if (asprintf(&stem, "merged.%s", clean) < 0)
		return NULL;
	while (!(added = intern_add(&table->stems, stem, (u32)strlen(stem), &entry))) {
		free(stem);
		if (asprintf(&stem, "merged.%s-%u", clean, ++number) < 0)
			return NULL;
	}
	if (added > 0)
		return stem;
	free(stem);
	return NULL;
}

/* `path` NULL: the row that is shared. */
static struct executable *executable_new(struct executable_table *table, const char *path, const char *name)
{
	size_t length = path ? strlen(path) : 0;
	struct executable *executable = calloc(1, sizeof(*executable) + length + 1);
	bool out_of_memory = false;

	if (!executable)
		return NULL;
	memcpy(executable->path, path ? path : "", length);
	executable->group = HASH_COUNT(table->executables) + 1;
	executable->facts.exe = path && *path == '/' ? strdup(path) : NULL;
	executable->facts.comm = strdup(name);
	executable->facts.stem = make_stem(table, name);
	if (executable->facts.comm && executable->facts.stem)
		HASH_ADD_STR(table->executables, path, executable);
	if (!executable->facts.comm || !executable->facts.stem || out_of_memory) {
		executable_free(executable);
		return NULL;
	}
	return executable;
}

/* A process whose executable is unknown is one of its name: those have no slash in front. */
struct executable *by_executable_get(struct executable_table *table, const struct profile *profile)
{
	const char *path = profile->exe && profile->exe[0] == '/' ? profile->exe : profile->comm;
	const char *slash = strrchr(path, '/'), *name = slash && slash[1] ? slash + 1 : path;
	struct executable *executable;

	HASH_FIND_STR(table->executables, path, executable);
	if (!executable && HASH_COUNT(table->executables) < EXECUTABLES_MAX)
		return executable_new(table, path, name);
	if (executable)
		return executable;
	HASH_FIND_STR(table->executables, "", executable);
	return executable ? executable : executable_new(table, NULL, "others");
}

const char *by_executable_comm(struct executable *executable, const char *comm)
{
	u32 size = (u32)strlen(comm) + 1;
	const struct interned *entry = intern_find(&executable->comms, comm, size);

	if (!entry && intern_count(&executable->comms) < COMMS_MAX)
		intern_add(&executable->comms, comm, size, &entry);
	return entry ? (const char *)entry->bytes : "other";
}

void by_executable_table_release(struct executable_table *table)
{
	struct executable *executable, *next;

	HASH_ITER (hh, table->executables, executable, next) {
		HASH_DEL(table->executables, executable);
		executable_free(executable);
	}
	intern_release(&table->stems);
}
