/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `go tool pprof` prints for the files. */
#include "pprof_client.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

char *pprof_top(const struct scene *scene, const char *arguments)
{
	const char *command = format("PPROF_TMPDIR='%s' go tool pprof -top -nodecount=10000 -nodefraction=0 %s 2>&1",
				     scene->dir, arguments);
	FILE *pipe = popen(command, "re");
	char *top = NULL;
	size_t size = 0;

	if (!pipe || getdelim(&top, &size, '\0', pipe) < 0)
		fail_msg("%s: no output", command);
	if (WEXITSTATUS(pclose(pipe)))
		fail_msg("%s:\n%s", command, top);
	return top;
}

static uint64_t total_of(const struct scene *scene, const char *files, const char *measure, char **ret_top)
{
	const char *unit = strstr(measure, "space") ? "B" : "count";
	char *top = pprof_top(scene, format("-sample_index=%s -unit=%s %s", measure, unit, files)), *at;
	uint64_t total = 0;

	at = strstr(top, "% of ");
	if (!at || sscanf(at, "%% of %" SCNu64, &total) != 1 || !strstr(top, format("Type: %s", measure)))
		fail_msg("%s of %s: no total:\n%s", measure, files, top);
	*ret_top = top;
	return total;
}

uint64_t pprof_total(const struct scene *scene, const char *path, const char *measure, char **ret_top)
{
	return total_of(scene, format("'%s'", path), measure, ret_top);
}

uint64_t pprof_sum(const struct scene *scene, const char *dir, const char *measure)
{
	char *top;
	uint64_t total = total_of(scene, format("'%s'/*.pb.gz", dir), measure, &top);

	free(top);
	return total;
}
