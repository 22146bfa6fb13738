/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing changes after the opening, so that threads need no lock. Profiles are read anew each time: the files are the store. */
#include "live/recorded.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/status.h"
#include "base/string_list.h"
#include "base/text.h"
#include "format/index_read.h"
#include "format/output_file.h"
#include "live/profile_file.h"
#include "profile/merge.h"
#include "profile/profile_copy.h"
#include "system/shortage.h"

struct recorded {
	struct source source;
	char folder[PATH_MAX];
	cJSON *index; /* NULL: none */
	struct source_listing listing;
	struct index_table merged; /* containers and all */
};

/* --- from files to profiles --- */

/* The index may be hostile: a file outside the recording is none of its profiles. */
static const char *profile_name(const struct index_entry *entry, const char *folder)
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

static int read_named(const struct recorded *recorded, const char *name, struct profile **ret_profile)
{
	char path[PATH_MAX];

	return profile_file_load(text_path(path, "%s/%s", recorded->folder, name), recorded->index, NULL, ret_profile);
}

/* Where the wanted profile of one process is, and that of several. */
static const char *folder_of(const struct source_want *want)
{
	return want->regions ? OUTPUT_FILE_MAPPINGS : "";
}

static const char *merged_folder(const struct source_want *want)
{
	return want->regions ? OUTPUT_FILE_MERGED OUTPUT_FILE_MAPPINGS : OUTPUT_FILE_MERGED;
}

/* A process without samples has no file, but a profile all the same. */
static int read_entry(const struct recorded *recorded, const struct index_entry *entry, const struct source_want *want,
		      struct profile **ret_profile)
{
	const char *name = profile_name(entry, folder_of(want));

	if (name)
		return read_named(recorded, name, ret_profile);
	if (entry->samples || want->regions)
		return -ENOENT;
	*ret_profile = profile_copy_facts(entry->facts);
	return *ret_profile ? 0 : -ENOMEM;
}

static int merge_entry(const struct recorded *recorded, const struct index_entry *entry, const struct source_want *want,
		       struct merge *merge)
{
	struct profile *profile;
	int err;

	if (!profile_name(entry, folder_of(want)))
		return 0;
	err = read_entry(recorded, entry, want, &profile);
	if (err)
		return err;
	err = source_merge(merge, profile);
	profile_free(profile);
	return err;
}

static bool is_wanted(const struct index_entry *entry, const struct source_want *want)
{
	return !want->container || source_is_container(want->container, entry->facts);
}

/* Those of the container, or all. */
static int merge_entries(const struct recorded *recorded, const struct source_want *want, struct profile **ret_profile)
{
	const struct index_table *table = &recorded->listing.processes;
	struct merge *merge = merge_new();
	int err = merge ? 0 : -ENOMEM;

	for (u32 i = 0; i < table->count && !err; i++)
		if (is_wanted(&table->entries[i], want))
			err = merge_entry(recorded, &table->entries[i], want, merge);
	if (!err && want->regions && !merge_profile(merge)->processes)
		err = -ENOENT;
	if (!err)
		*ret_profile = profile_copy(merge_profile(merge));
	if (!err && !*ret_profile)
		err = -ENOMEM;
	merge_free(merge);
	return err;
}

/* --- which of them --- */

static const struct index_entry *find_process(const struct recorded *recorded, const struct source_want *want)
{
	const struct index_table *table = &recorded->listing.processes;
	const struct index_entry *found = NULL;

	for (u32 i = 0; i < table->count; i++) {
		const struct profile *facts = table->entries[i].facts;

		if (facts->pid == want->pid && (!want->image || facts->image == want->image) &&
		    (!found || facts->image > found->facts->image))
			found = &table->entries[i];
	}
	return found;
}

/* What record has merged itself also has the processes that have no files of their own. */
static const struct index_entry *find_merged(const struct recorded *recorded, const struct source_want *want)
{
	for (u32 i = 0; i < recorded->merged.count; i++) {
		const struct index_entry *entry = &recorded->merged.entries[i];
		const char *name = profile_name(entry, merged_folder(want));

		if (name && (want->container ? source_is_container(want->container, entry->facts)
					     : !strcmp(name + strlen(merged_folder(want)), OUTPUT_FILE_ALL)))
			return entry;
	}
	return NULL;
}

static int profile_of_several(const struct recorded *recorded, const struct source_want *want,
			      struct profile **ret_profile)
{
	const struct index_table *table = &recorded->listing.processes;
	const struct index_entry *merged = find_merged(recorded, want), *only = NULL;
	u32 count = 0;

	for (u32 i = 0; i < table->count; i++)
		if (is_wanted(&table->entries[i], want)) {
			only = &table->entries[i];
			count++;
		}
	if (merged)
		return read_named(recorded, profile_name(merged, merged_folder(want)), ret_profile);
	if (!count)
		return -ENOENT;
	return count == 1 ? read_entry(recorded, only, want, ret_profile) : merge_entries(recorded, want, ret_profile);
}

static int recorded_profile(struct source *source, const struct source_want *want, struct profile **ret_profile)
{
	const struct recorded *recorded = (const struct recorded *)source;
	const struct index_entry *entry;

	if (!want->pid)
		return profile_of_several(recorded, want, ret_profile);
	entry = find_process(recorded, want);
	return entry ? read_entry(recorded, entry, want, ret_profile) : -ENOENT;
}

/* --- earlier profiles --- */

/* Whose files they are; NULL: no one's. */
static const struct index_entry *find_entry(const struct recorded *recorded, const struct source_want *want)
{
	const struct index_table *table = &recorded->listing.processes;
	const struct index_entry *merged;

	if (want->pid)
		return find_process(recorded, want);
	merged = find_merged(recorded, want);
	return !merged && !want->container && table->count == 1 ? &table->entries[0] : merged;
}

/*
 * Is it snapshots/SEQ/NAME.pb.gz, below the recording? The index may be hostile. A name of one in which its process had not ended
 * yet may differ from its last.
 */
static bool is_moment(const char *file)
{
	static const char folder[] = "snapshots/";
	size_t length = strlen(file);

	return !strncmp(file, folder, sizeof(folder) - 1) && !strstr(file, "..") &&
	       !strstr(file, "/" OUTPUT_FILE_MAPPINGS) && length > 6 && !strcmp(file + length - 6, ".pb.gz");
}

/* The file with that number; NULL: there are no more, and *ret_count is how many there are. */
static const char *moment_name(const struct index_entry *entry, u32 index, u32 *ret_count)
{
	u32 count = 0;

	for (char *const *file = entry ? entry->files : NULL; file && *file; file++)
		if (is_moment(*file) && count++ == index)
			return *file;
	*ret_count = count;
	return NULL;
}

static u32 recorded_moment_count(struct source *source, const struct source_want *want)
{
	u32 count;

	moment_name(find_entry((const struct recorded *)source, want), UINT32_MAX, &count);
	return count;
}

static int recorded_moment(struct source *source, const struct source_want *want, u32 index,
			   struct profile **ret_profile)
{
	const struct recorded *recorded = (const struct recorded *)source;
	u32 count;
	const char *name = moment_name(find_entry(recorded, want), index, &count);

	return name ? read_named(recorded, name, ret_profile) : -ENOENT;
}

static int recorded_list(struct source *source, bool gc, struct source_listing *ret_listing)
{
	const struct recorded *recorded = (const struct recorded *)source;

	(void)gc; /* what is on disk is complete */
	*ret_listing = recorded->listing;
	ret_listing->processes = (struct index_table){0};
	return index_table_copy(&recorded->listing.processes, &ret_listing->processes);
}

static void recorded_close(struct source *source)
{
	struct recorded *recorded = (struct recorded *)source;

	source_listing_release(&recorded->listing);
	index_table_release(&recorded->merged);
	cJSON_Delete(recorded->index);
	free(recorded);
}

/* --- opening --- */

static int out_of_memory(void)
{
	log_error("out of memory");
	return STATUS_FAILED;
}

/* A profile of mappings is none that whoever lists processes has figures of. */
static int read_listed(const struct recorded *recorded, const char *name, struct profile **ret_profile)
{
	char path[PATH_MAX];
	int status =
		profile_file_read(text_path(path, "%s/%s", recorded->folder, name), recorded->index, NULL, ret_profile);

	if (status || (*ret_profile)->kind == PROFILE_HEAP)
		return status;
	log_error("'%s' is a profile of mappings, which 'heaptap report' shows: name one of a heap, or a recording",
		  path);
	profile_free(*ret_profile);
	return STATUS_FAILED;
}

/* The listing needs no more of the profile than its file's name. */
static int list_file(struct recorded *recorded, const char *name)
{
	char **files = calloc(2, sizeof(*files));
	struct profile *profile;
	int status;

	if (!files)
		return out_of_memory();
	status = read_listed(recorded, name, &profile);
	if (!status && !(files[0] = strdup(name))) {
		profile_free(profile);
		status = out_of_memory();
	}
	if (status) {
		free(files);
		return status;
	}
	recorded->listing.sample_bytes = profile->sample_bytes;
	recorded->listing.start_unix_ns = profile->start_unix_ns;
	recorded->listing.duration_ns = profile->duration_ns;
	return index_table_add(&recorded->listing.processes, profile, files) ? out_of_memory() : STATUS_DONE;
}

static int list_files(struct recorded *recorded)
{
	struct dirent **entries;
	int count = scandir(recorded->folder, &entries, profile_file_is_named, alphasort), status = STATUS_DONE;

	if (count < 0) {
		log_error("cannot read directory '%s': %s", recorded->folder, shortage_explain(-errno).text);
		return STATUS_FAILED;
	}
	for (int i = 0; i < count; i++) {
		if (!status)
			status = list_file(recorded, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (count || status)
		return status;
	log_error("no profile in '%s': no file there ends in .pb.gz", recorded->folder);
	return STATUS_NO_TARGET;
}

static int list_indexed(struct recorded *recorded)
{
	struct source_listing *listing = &recorded->listing;
	struct recording head;

	if (index_table_read(recorded->index, &listing->processes) ||
	    index_merged_read(recorded->index, &recorded->merged))
		return out_of_memory();
	listing->named = !index_is_population(recorded->index);
	index_head_read(recorded->index, &head);
	listing->sample_bytes = head.sample_bytes;
	listing->start_unix_ns = head.start_unix_ns;
	listing->duration_ns = head.duration_ns;
	listing->processes_missing = head.processes_missing;
	listing->processes_refused = head.processes_refused;
	snprintf(listing->attach, sizeof(listing->attach), "%s", head.attach ? head.attach : "");
	text_printable(listing->attach);
	return STATUS_DONE;
}

static int open_file(struct recorded *recorded, const char *path)
{
	char copy[PATH_MAX];

	text_path(recorded->folder, "%s", dirname((char *)text_path(copy, "%s", path)));
	recorded->index = profile_file_index(path);
	return list_file(recorded, basename((char *)text_path(copy, "%s", path)));
}

static int open_path(struct recorded *recorded, const char *path)
{
	struct stat status;

	if (stat(path, &status)) {
		log_error(errno == ENOENT || errno == ENOTDIR ? "no such file or directory: '%s'"
							      : "cannot read '%s': %m",
			  path);
		return errno == ENOENT || errno == ENOTDIR ? STATUS_NO_TARGET : STATUS_FAILED;
	}
	if (!S_ISDIR(status.st_mode))
		return open_file(recorded, path);
	text_path(recorded->folder, "%s", path);
	recorded->index = index_read(path);
	return recorded->index ? list_indexed(recorded) : list_files(recorded);
}

int recorded_open(const char *path, struct source **ret_source)
{
	static const struct source_ops ops = {
		.list = recorded_list,
		.profile = recorded_profile,
		.close = recorded_close,
		.moment_count = recorded_moment_count,
		.moment = recorded_moment,
	};
	struct recorded *recorded = calloc(1, sizeof(*recorded));
	int status;

	if (!recorded)
		return out_of_memory();
	recorded->source.ops = &ops;
	recorded->listing.ended = true;
	recorded->listing.named = true;
	status = open_path(recorded, path);
	if (status)
		recorded_close(&recorded->source);
	else
		*ret_source = &recorded->source;
	return status;
}
