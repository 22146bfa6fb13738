/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing changes after the opening, so that threads need no lock. Profiles are read anew each time: the files are the store. */
#include "live/recorded.h"

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
#include "live/recorded_files.h"
#include "profile/merge.h"
#include "system/shortage.h"

struct recorded {
	struct source source;
	struct recorded_files files;
	struct source_listing
		listing;	   /* its processes as the index has them: a Go program's two profiles in two rows */
	struct index_table merged; /* containers and all */
};

/* --- from files to profiles --- */

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
	const char *name = recorded_files_profile(entry, folder_of(want));

	if (name)
		return recorded_files_read(&recorded->files, name, ret_profile);
	if (entry->samples || want->regions)
		return -ENOENT;
	*ret_profile = profile_copy_facts(entry->facts);
	return *ret_profile ? 0 : -ENOMEM;
}

static bool is_wanted(const struct index_entry *entry, const struct source_want *want)
{
	return !want->container || source_is_container(want->container, entry->facts);
}

/* Those that Go programs kept themselves, or the others. One that samples at another interval is in no sum. */
static int merge_those(const struct recorded *recorded, const struct source_want *want, bool go, struct merge *merge)
{
	const struct index_table *table = &recorded->listing.processes;
	int err = 0;

	for (u32 i = 0; i < table->count && !err; i++) {
		const struct index_entry *entry = &table->entries[i];
		const char *name = recorded_files_profile(entry, folder_of(want));

		if (name && is_wanted(entry, want) && !entry->facts->go.version[0] == !go)
			err = recorded_files_merge(&recorded->files, name, merge);
		if (err == -EINVAL && go)
			err = 0;
	}
	return err;
}

/* Those of the container, or all. */
static int merge_entries(const struct recorded *recorded, const struct source_want *want, struct profile **ret_profile)
{
	struct merge *merge = merge_new();
	int err = merge ? merge_those(recorded, want, false, merge) : -ENOMEM;

	err = err ? err : merge_those(recorded, want, true, merge);
	if (!err && want->regions && !merge_profile(merge)->processes)
		err = -ENOENT;
	err = err ? err : recorded_files_take(merge, ret_profile);
	merge_free(merge);
	return err;
}

/* --- a process with two profiles --- */

/* What a Go program kept itself, where the entry, one of the listing's, is what it has from malloc. NULL: the process has one profile. */
static const struct index_entry *find_go(const struct recorded *recorded, const struct index_entry *entry)
{
	const struct index_table *table = &recorded->listing.processes;
	const struct index_entry *next = entry + 1;

	return next < table->entries + table->count && index_entry_is_beside(next, entry) ? next : NULL;
}

/* Both profiles of it. Those that cannot be added up, or of which one has no file: its own, of what most of its memory is. */
static int read_process(const struct recorded *recorded, const struct index_entry *entry,
			const struct source_want *want, struct profile **ret_profile)
{
	const struct index_entry *go = want->regions ? NULL : find_go(recorded, entry);
	const char *name = recorded_files_profile(entry, ""), *go_name = go ? recorded_files_profile(go, "") : NULL;

	if (!go_name)
		return read_entry(recorded, entry, want, ret_profile);
	if (!name || !merge_can_add(entry->facts, go->facts))
		return recorded_files_read(&recorded->files, go_name, ret_profile);
	return recorded_files_read_both(&recorded->files, name, go_name, ret_profile);
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
		const char *name = recorded_files_profile(entry, merged_folder(want));

		if (name && (want->container ? source_is_container(want->container, entry->facts)
					     : !strcmp(name + strlen(merged_folder(want)), OUTPUT_FILE_ALL)))
			return entry;
	}
	return NULL;
}

/* The first wanted process, and how many there are. */
static const struct index_entry *find_wanted(const struct recorded *recorded, const struct source_want *want,
					     u32 *ret_count)
{
	const struct index_table *table = &recorded->listing.processes;
	const struct index_entry *first = NULL;

	*ret_count = 0;
	for (u32 i = 0; i < table->count; i++) {
		const struct index_entry *entry = &table->entries[i];

		if (!is_wanted(entry, want) || (i && index_entry_is_beside(entry, entry - 1)))
			continue;
		first = first ? first : entry;
		++*ret_count;
	}
	return first;
}

static int profile_of_several(const struct recorded *recorded, const struct source_want *want,
			      struct profile **ret_profile)
{
	const struct index_entry *merged = find_merged(recorded, want), *first;
	u32 count;

	if (merged)
		return recorded_files_read(&recorded->files, recorded_files_profile(merged, merged_folder(want)),
					   ret_profile);
	first = find_wanted(recorded, want, &count);
	if (!first)
		return -ENOENT;
	return count == 1 ? read_process(recorded, first, want, ret_profile)
			  : merge_entries(recorded, want, ret_profile);
}

static int recorded_profile(struct source *source, const struct source_want *want, struct profile **ret_profile)
{
	const struct recorded *recorded = (const struct recorded *)source;
	const struct index_entry *entry;

	if (!want->pid)
		return profile_of_several(recorded, want, ret_profile);
	entry = find_process(recorded, want);
	return entry ? read_process(recorded, entry, want, ret_profile) : -ENOENT;
}

/* --- earlier profiles --- */

/* The process whose files they are. NULL: it is not one process. */
static const struct index_entry *find_one(const struct recorded *recorded, const struct source_want *want)
{
	const struct index_entry *first;
	u32 count;

	if (want->pid)
		return find_process(recorded, want);
	first = want->container || find_merged(recorded, want) ? NULL : find_wanted(recorded, want, &count);
	return first && count == 1 ? first : NULL;
}

/* Both NULL: they are no one's. Merged profiles stand beside none. */
static struct recorded_pair find_pair(const struct recorded *recorded, const struct source_want *want)
{
	const struct index_entry *process = find_one(recorded, want);

	if (process)
		return (struct recorded_pair){process, find_go(recorded, process)};
	return (struct recorded_pair){want->pid ? NULL : find_merged(recorded, want), NULL};
}

static u32 recorded_moment_count(struct source *source, const struct source_want *want)
{
	const struct recorded *recorded = (const struct recorded *)source;

	return recorded_files_moment_count(find_pair(recorded, want));
}

static int recorded_moment(struct source *source, const struct source_want *want, u32 index,
			   struct profile **ret_profile)
{
	const struct recorded *recorded = (const struct recorded *)source;

	return recorded_files_read_moment(&recorded->files, find_pair(recorded, want), index, ret_profile);
}

static int recorded_list(struct source *source, bool gc, struct source_listing *ret_listing)
{
	const struct recorded *recorded = (const struct recorded *)source;
	int err;

	(void)gc; /* what is on disk is complete */
	*ret_listing = recorded->listing;
	ret_listing->processes = (struct index_table){0};
	err = index_table_copy(&recorded->listing.processes, &ret_listing->processes);
	index_table_join(&ret_listing->processes);
	return err;
}

static void recorded_close(struct source *source)
{
	struct recorded *recorded = (struct recorded *)source;

	source_listing_release(&recorded->listing);
	index_table_release(&recorded->merged);
	cJSON_Delete(recorded->files.index);
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
	int status = profile_file_read(text_path(path, "%s/%s", recorded->files.folder, name), recorded->files.index,
				       NULL, ret_profile);

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
	profile->go.beside = false; /* the other file is not listed */
	return index_table_add(&recorded->listing.processes, profile, files) ? out_of_memory() : STATUS_DONE;
}

static int list_files(struct recorded *recorded)
{
	struct dirent **entries;
	int count = scandir(recorded->files.folder, &entries, profile_file_is_named, alphasort), status = STATUS_DONE;

	if (count < 0) {
		log_error("cannot read directory '%s': %s", recorded->files.folder, shortage_explain(-errno).text);
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
	log_error("no profile in '%s': no file there ends in .pb.gz", recorded->files.folder);
	return STATUS_NO_TARGET;
}

static int list_indexed(struct recorded *recorded)
{
	struct source_listing *listing = &recorded->listing;
	struct recording head;

	if (index_table_read(recorded->files.index, &listing->processes) ||
	    index_merged_read(recorded->files.index, &recorded->merged))
		return out_of_memory();
	listing->named = !index_is_population(recorded->files.index);
	index_head_read(recorded->files.index, &head);
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

	text_path(recorded->files.folder, "%s", dirname((char *)text_path(copy, "%s", path)));
	recorded->files.index = profile_file_index(path);
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
	text_path(recorded->files.folder, "%s", path);
	recorded->files.index = index_read(path);
	return recorded->files.index ? list_indexed(recorded) : list_files(recorded);
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
