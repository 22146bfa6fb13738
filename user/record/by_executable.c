/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/by_executable.h"

#include <string.h>

#define COMMS_MAX 64

/* A process whose executable is unknown goes by its name instead: those have no slash in front. */
struct merged_row *by_executable_get(struct merged_rows *rows, const struct profile *profile)
{
	bool known = profile->exe && profile->exe[0] == '/';
	char *path = known ? profile->exe : profile->comm, *slash = strrchr(path, '/');
	char *name = slash && slash[1] ? slash + 1 : path;
	struct profile facts = {.exe = *path == '/' ? path : NULL, .comm = name};
	struct merged_row *row = merged_rows_find(rows, path);

	if (!row && merged_rows_count(rows) < EXECUTABLES_MAX)
		return merged_rows_add(rows, path, &facts, "merged", name);
	if (row)
		return row;
	row = merged_rows_find(rows, "");
	facts = (struct profile){.comm = (char *)"others"};
	return row ? row : merged_rows_add(rows, "", &facts, "merged", facts.comm);
}

const char *by_executable_comm(struct merged_row *row, const char *comm)
{
	u32 size = (u32)strlen(comm) + 1;
	const struct interned *entry = intern_find(&row->comms, comm, size);

	if (!entry && intern_count(&row->comms) < COMMS_MAX)
		intern_add(&row->comms, comm, size, &entry);
	return entry ? (const char *)entry->bytes : "other";
}
