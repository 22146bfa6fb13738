/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/recorded_files.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "format/output_file.h"
#include "live/profile_file.h"
#include "live/source.h"
#include "profile/merge.h"
#include "profile/profile_copy.h"

const char *recorded_files_profile(const struct index_entry *entry, const char *folder)
{
	size_t length = strlen(folder);

	for (char *const *file = entry->files; *file; file++) {
		size_t end = strlen(*file);

		if (!strncmp(*file, folder, length) && !strchr(*file + length, '/') && end > 6 &&
		    !strcmp(*file + end - 6, ".pb.gz"))
			return *file;
	}
	return NULL;
}

/*
 * Is it snapshots/SEQ/NAME.pb.gz, below the recording? A name of one in which its process had not ended
 * yet may differ from its last.
 */
static bool is_moment(const char *file)
{
	static const char folder[] = "snapshots/";
	size_t length = strlen(file);

	return !strncmp(file, folder, sizeof(folder) - 1) && !strstr(file, "..") &&
	       !strstr(file, "/" OUTPUT_FILE_MAPPINGS) && length > 6 && !strcmp(file + length - 6, ".pb.gz");
}

/* The earlier one with that number. NULL: there are no more, or no entry, and *ret_count is how many there are. */
static const char *find_moment(const struct index_entry *entry, u32 index, u32 *ret_count)
{
	u32 count = 0;

	for (char *const *file = entry ? entry->files : NULL; file && *file; file++)
		if (is_moment(*file) && count++ == index)
			return *file;
	*ret_count = count;
	return NULL;
}

static const struct index_entry *last_of(struct recorded_pair pair)
{
	return pair.go ? pair.go : pair.entry;
}

u32 recorded_files_moment_count(struct recorded_pair pair)
{
	u32 count = 0;

	find_moment(last_of(pair), UINT32_MAX, &count);
	return count;
}

/* The earlier one of the entry that was written with `moment`, which is another's. NULL: there is none. */
static const char *find_same_moment(const struct index_entry *entry, const char *moment)
{
	const char *slash = strrchr(moment, '/');
	size_t length = slash ? (size_t)(slash - moment) + 1 : 0;

	for (char *const *file = entry->files; *file; file++)
		if (is_moment(*file) && !strncmp(*file, moment, length) && !strchr(*file + length, '/'))
			return *file;
	return NULL;
}

/* --- their profiles --- */

int recorded_files_read(const struct recorded_files *files, const char *name, struct profile **ret_profile)
{
	char path[PATH_MAX];

	return profile_file_load(text_path(path, "%s/%s", files->folder, name), files->index, NULL, ret_profile);
}

int recorded_files_merge(const struct recorded_files *files, const char *name, struct merge *merge)
{
	struct profile *profile;
	int err = recorded_files_read(files, name, &profile);

	if (err)
		return err;
	err = source_merge(merge, profile);
	profile_free(profile);
	return err;
}

int recorded_files_take(struct merge *merge, struct profile **ret_profile)
{
	*ret_profile = profile_copy(merge_profile(merge));
	return *ret_profile ? 0 : -ENOMEM;
}

int recorded_files_read_both(const struct recorded_files *files, const char *name, const char *other,
			     struct profile **ret_profile)
{
	struct merge *merge = merge_new();
	int err = merge ? recorded_files_merge(files, name, merge) : -ENOMEM;

	err = err ? err : recorded_files_merge(files, other, merge);
	err = err ? err : recorded_files_take(merge, ret_profile);
	merge_free(merge);
	return err;
}

int recorded_files_read_moment(const struct recorded_files *files, struct recorded_pair pair, u32 index,
			       struct profile **ret_profile)
{
	u32 count;
	const char *name = find_moment(last_of(pair), index, &count), *other = NULL;

	if (!name)
		return -ENOENT;
	if (pair.go && merge_can_add(pair.entry->facts, pair.go->facts))
		other = find_same_moment(pair.entry, name);
	return other ? recorded_files_read_both(files, other, name, ret_profile)
		     : recorded_files_read(files, name, ret_profile);
}
