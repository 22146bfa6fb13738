/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/profile_file.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "format/index_read.h"
#include "format/output_file.h"
#include "format/pprof_read.h"
#include "profile/frame_role.h"
#include "system/shortage.h"

int profile_file_is_named(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 6 && entry->d_name[0] != '.' && !strcmp(entry->d_name + length - 6, ".pb.gz");
}

static void explain(const char *path, int err)
{
	if (err == -EBADMSG)
		log_error("'%s' is no profile: it is not gzip or not protobuf, or contradicts itself", path);
	else if (err == -ENODATA)
		log_error("'%s' is truncated: it ends before the profile does; copy or record it again", path);
	else if (err == -EPROTO)
		log_error("'%s' is no heap profile: its sample types are not Go's alloc_ and inuse_ ones", path);
	else if (err == -ESPIPE)
		log_error("'%s' is no regular file; what a pipe or a device gives must be saved to one first", path);
	else if (err == -EFBIG)
		log_error(
			"'%s' is not read: it would take far more memory than a profile of its size; if you trust it, "
			"unpack it first: gunzip -c < '%s' > unpacked.pb",
			path, path);
	else
		log_error("cannot read '%s': %s", path, shortage_explain(err).text);
}

int profile_file_load(const char *path, const cJSON *index, const regex_t *site_skip, struct profile **ret_profile)
{
	const char *slash = strrchr(path, '/');
	int err = pprof_read(path, ret_profile);

	if (err)
		return err;
	index_complete(index, slash ? slash + 1 : path, *ret_profile);
	frame_roles_mark(*ret_profile, site_skip);
	return 0;
}

int profile_file_read(const char *path, const cJSON *index, const regex_t *site_skip, struct profile **ret_profile)
{
	int err = profile_file_load(path, index, site_skip, ret_profile);

	if (!err)
		return STATUS_DONE;
	explain(path, err);
	return err == -ENOENT ? STATUS_NO_TARGET : STATUS_FAILED;
}

/* In a recording of several processes one such folder is below that of merged profiles. */
static bool is_of_mappings(const char *folder)
{
	const char *slash = strrchr(folder, '/');

	return !strncmp(slash ? slash + 1 : folder, OUTPUT_FILE_MAPPINGS, strlen(OUTPUT_FILE_MAPPINGS) - 1);
}

cJSON *profile_file_index(const char *path)
{
	char *copy = strdup(path), above[PATH_MAX];
	const char *folder = copy ? dirname(copy) : NULL;
	cJSON *index = folder ? index_read(folder) : NULL;

	if (folder && !index)
		index = index_read(text_path(above, "%s/..", folder));
	if (folder && !index && is_of_mappings(folder))
		index = index_read(text_path(above, "%s/../..", folder));
	free(copy);
	return index;
}
