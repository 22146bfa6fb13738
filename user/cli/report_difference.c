/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/report_difference.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/output_file.h"
#include "base/log.h"
#include "base/status.h"
#include "base/string_list.h"
#include "base/text.h"
#include "live/profile_file.h"
#include "cli/profile_pairs.h"
#include "format/table_diff.h"
#include "system/shortage.h"

/* --- two files --- */

/* The last part of the path of its program, as far as the file was not deleted. NULL: of several, or unknown. */
static const char *program_of(const struct profile *profile, size_t *ret_length)
{
	const char *path = profile->exe, *slash, *deleted;

	if (!path && profile->mapping_count)
		path = profile->mappings[0].path;
	if (!path || profile->label_count)
		return NULL;
	slash = strrchr(path, '/');
	path = slash ? slash + 1 : path;
	deleted = strstr(path, " (deleted)");
	*ret_length = deleted ? (size_t)(deleted - path) : strlen(path);
	return path;
}

static void warn_of_other_program(const struct profile *before, const struct profile *after)
{
	size_t old_length, new_length;
	const char *old = program_of(before, &old_length), *new = program_of(after, &new_length);

	if (old && new && (old_length != new_length || strncmp(old, new, old_length)))
		log_note("the two profiles are of different programs, '%.*s' and '%.*s': their sites have little in "
			 "common",
			 (int)old_length, old, (int)new_length, new);
}

static void warn_of_order(const struct profile *before, const struct profile *after, const char *base, const char *path)
{
	if (before->start_unix_ns + before->duration_ns > after->start_unix_ns + after->duration_ns)
		log_note("'%s' is newer than '%s': what grew is shown as shrunk; swap them: --base '%s' '%s'", base,
			 path, path, base);
}

void report_difference_warn(const struct profile *before, const char *before_name, const struct profile *after,
			    const char *after_name)
{
	warn_of_other_program(before, after);
	warn_of_order(before, after, before_name, after_name);
}

static int print_difference(const struct profile *before, const struct profile *after, const struct table_view *view)
{
	int err = table_diff_print(before, after, view, stdout);

	if (!err)
		return STATUS_DONE;
	log_error("cannot compare the profiles: %s", strerror(-err));
	return STATUS_FAILED;
}

static int refuse_kinds(const char *base, const char *path, bool base_is_of_mappings)
{
	log_error("'%s' is a profile of mappings and '%s' one of a heap: compare two of a kind",
		  base_is_of_mappings ? base : path, base_is_of_mappings ? path : base);
	return STATUS_FAILED;
}

/* One of the two. */
struct compared {
	const char *path;
	const cJSON *index; /* of its recording; NULL: none */
};

static int compare_files(const struct compared *base, const struct compared *newer,
			 const struct report_options *options, const struct table_view *view)
{
	struct profile *before = NULL, *after = NULL;
	int status = profile_file_read(base->path, base->index, options->site_skip, &before);

	if (!status)
		status = profile_file_read(newer->path, newer->index, options->site_skip, &after);
	if (!status && before->kind != after->kind) {
		status = refuse_kinds(base->path, newer->path, before->kind == PROFILE_REGIONS);
	} else if (!status) {
		report_difference_warn(before, base->path, after, newer->path);
		status = print_difference(before, after, view);
	}
	profile_free(before);
	profile_free(after);
	return status;
}

/* --- directories --- */

#define NAMED_MAX 5 /* files that have no partner */

/* Two places with profiles: directories, or a file in one. */
struct place {
	const char *path; /* as given */
	char *folder;	  /* that the names are in */
	char **names;
	cJSON *index; /* of all of them; NULL: none */
	bool is_directory;
};

static int no_memory(void)
{
	log_error("out of memory");
	return STATUS_FAILED;
}

static int list_directory(struct place *place)
{
	struct dirent **entries;
	int count = scandir(place->path, &entries, profile_file_is_named, alphasort);
	char below[PATH_MAX];

	if (count < 0) {
		log_error("cannot read directory '%s': %s", place->path, shortage_explain(-errno).text);
		return STATUS_FAILED;
	}
	place->folder = strdup(place->path);
	place->names = calloc((size_t)count + 1, sizeof(*place->names));
	for (int i = 0; i < count; i++) {
		if (place->names)
			place->names[i] = strdup(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (!place->folder || string_list_count(place->names) != (u32)count)
		return no_memory();
	if (count)
		return STATUS_DONE;
	if (access(text_path(below, "%s/" OUTPUT_FILE_MAPPINGS, place->path), F_OK))
		log_error("no profile in '%s': no file there ends in .pb.gz", place->path);
	else
		log_error(
			"no heap profile in '%s': nothing was sampled; for what system calls mapped, compare '%s/mappings'",
			place->path, place->path);
	return STATUS_NO_TARGET;
}

static int list_file(struct place *place)
{
	const char *slash = strrchr(place->path, '/');

	place->folder = slash ? strndup(place->path, (size_t)(slash - place->path) + 1) : strdup(".");
	place->names = calloc(2, sizeof(*place->names));
	if (place->names)
		place->names[0] = strdup(slash ? slash + 1 : place->path);
	return place->folder && place->names && place->names[0] ? STATUS_DONE : no_memory();
}

static int open_place(const char *path, struct place *place)
{
	char file[PATH_MAX];
	struct stat stat_of;
	int status;

	*place = (struct place){.path = path};
	place->is_directory = !stat(path, &stat_of) && S_ISDIR(stat_of.st_mode);
	status = place->is_directory ? list_directory(place) : list_file(place);
	if (!status)
		place->index = profile_file_index(text_path(file, "%s/%s", place->folder, place->names[0]));
	return status;
}

static void close_place(struct place *place)
{
	free(place->folder);
	string_list_free(place->names);
	cJSON_Delete(place->index);
}

static void say_lonely(const struct place *place, const struct profile_pair *pairs, u32 count, bool is_old)
{
	u32 lonely = 0;

	for (u32 i = 0; i < count; i++) {
		const char *name = is_old ? pairs[i].before : pairs[i].after;

		if ((is_old ? pairs[i].after : pairs[i].before) || lonely++ >= NAMED_MAX)
			continue;
		log_note("only in '%s': %s", place->path, name);
	}
	if (lonely > NAMED_MAX)
		log_note("and %u more that are only in '%s'", lonely - NAMED_MAX, place->path);
}

/* The profiles that are merged of all may be compared whatever has become of the processes. */
static void say_merged(const struct place *before, const struct place *after)
{
	static const char name[] = OUTPUT_FILE_OF_ALL;
	char old[PATH_MAX], new[PATH_MAX];

	text_path(old, "%s/%s", before->path, name);
	text_path(new, "%s/%s", after->path, name);
	if (!access(old, R_OK) && !access(new, R_OK))
		log_note("for all processes together: heaptap report --base '%s' '%s'", old, new);
}

static int compare_pair(const struct place *before, const struct place *after, const struct profile_pair *pair,
			const struct report_options *options, const struct table_view *view)
{
	char old_path[PATH_MAX], new_path[PATH_MAX];
	const struct compared old = {text_path(old_path, "%s/%s", before->folder, pair->before), before->index};
	const struct compared new = {text_path(new_path, "%s/%s", after->folder, pair->after), after->index};

	return compare_files(&old, &new, options, view);
}

/* Pairs with a partner come first. */
static int compare_pairs(const struct place *before, const struct place *after, const struct profile_pair *pairs,
			 u32 count, const struct report_options *options, const struct table_view *view)
{
	int status = STATUS_DONE;
	u32 i;

	for (i = 0; i < count && pairs[i].before && pairs[i].after && !ferror(stdout); i++) {
		if (i)
			putchar('\n');
		if (compare_pair(before, after, &pairs[i], options, view) != STATUS_DONE)
			status = STATUS_FAILED;
	}
	if (!i) {
		log_error("'%s' and '%s' have no process and no program in common", before->path, after->path);
		status = STATUS_NO_TARGET;
	}
	if (i == count)
		return status;
	if (before->is_directory && after->is_directory) {
		say_lonely(before, pairs, count, true);
		say_lonely(after, pairs, count, false);
		say_merged(before, after);
	}
	return status;
}

static int compare_places(const struct place *before, const struct place *after, const struct report_options *options,
			  const struct table_view *view)
{
	u32 count;
	struct profile_pair *pairs = profile_pairs_find(before->names, after->names, &count);
	int status = pairs ? compare_pairs(before, after, pairs, count, options, view) : no_memory();

	free(pairs);
	return status;
}

int report_difference(const struct report_options *options, const struct table_view *view)
{
	struct place before, after;
	int status = open_place(options->base, &before), after_status = open_place(options->path, &after);

	status = status ? status : after_status;
	if (!status && (before.is_directory || after.is_directory))
		status = compare_places(&before, &after, options, view);
	else if (!status)
		status = compare_files(&(struct compared){options->base, before.index},
				       &(struct compared){options->path, after.index}, options, view);
	close_place(&before);
	close_place(&after);
	return status;
}
