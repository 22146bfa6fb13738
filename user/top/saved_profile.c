/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top/saved_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/string_list.h"
#include "format/output_file.h"
#include "system/shortage.h"

/* A name that an earlier profile does not have. */
static int name_it(struct profile *profile)
{
	char comm[OUTPUT_FILE_NAME_MAX + 1], when[32], *stem;
	time_t now = time(NULL);
	struct tm utc;

	output_file_clean_name(profile->comm, comm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	if (asprintf(&stem, "%" PRIu32 ".%s-%s", profile->pid, comm, when) < 0)
		return -ENOMEM;
	free(profile->stem);
	profile->stem = stem;
	return 0;
}

void saved_profile_write(struct profile *profile, int err, char *said, size_t size)
{
	char **files = NULL;
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!err && dir < 0)
		err = -errno;
	if (!err)
		err = name_it(profile);
	if (!err)
		err = output_file_write(dir, profile, FORMAT_PPROF, "", &files);
	if (err)
		snprintf(said, size, "cannot write a profile: %s", shortage_explain(err).text);
	else
		snprintf(said, size, "wrote %s", files[0]);
	string_list_free(files);
	if (dir >= 0)
		close(dir);
}
