/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One profile at a time, and the parsed index.json of its directory, without which a profile is shown all the same. */
#include "cli/report.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/output_file.h"
#include "profile/lifetime_summary.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "live/profile_file.h"
#include "cli/report_difference.h"
#include "cli/report_page.h"
#include "format/index_read.h"
#include "format/table_lifetimes.h"
#include "format/table_memory.h"
#include "format/table_processes.h"
#include "format/table_profile.h"
#include "view/population.h"
#include "format/folded.h"
#include "format/text.h"
#include "system/shortage.h"

/* --- one profile --- */

/* Said; what follows a failure fails too. */
static bool said_unwritten;

/* `err`: 0 or the negative errno of what was written last. */
static int finish_output(int err)
{
	errno = -err;
	if (!err && !fflush(stdout) && !ferror(stdout))
		return STATUS_DONE;
	if (said_unwritten)
		return STATUS_FAILED;
	said_unwritten = true;
	log_error("cannot write to standard output: %s", errno ? strerror(errno) : "output is incomplete");
	return STATUS_FAILED;
}

static struct table_view view_of(const struct report_options *options)
{
	return (struct table_view){options->top, table_view_columns(STDOUT_FILENO), options->stacks};
}

static int render(const struct profile *profile, const struct report_options *options)
{
	struct table_view view = view_of(options);
	enum measure measure = options->measure;
	int err = 0;

	if (profile->alloc_only) /* what is in use is not known */
		measure = measure_is_space(measure) ? ALLOC_SPACE : ALLOC_OBJECTS;
	if (options->format == REPORT_TEXT)
		err = text_write(profile, stdout);
	else if (options->format == REPORT_FOLDED)
		err = folded_write(profile, stdout, measure);
	else if (!options->lifetimes)
		err = table_profile_print(profile, measure, &view, stdout);
	else {
		table_profile_print_head(profile, stdout);
		table_lifetimes_print(profile, &view, stdout);
	}
	if (err == -ENOMEM) {
		log_error("no memory for the report");
		return STATUS_FAILED;
	}
	return finish_output(err);
}

/*
 * Keep in use only the objects that are known to be older. Figures about everything in use are cleared, since they do
 * not compare with what is left. False when the profile does not know ages.
 */
static bool keep_older(struct profile *profile, double seconds)
{
	if (!profile->model.known)
		return false;
	for (u32 i = 0; i < profile->sample_count; i++)
		profile->samples[i].inuse_count =
			lifetime_summary_older(profile, &profile->samples[i], (u64)(seconds * 1e9));
	profile->model.known = false;
	profile->peak_inuse_space = 0;
	profile->rss_start_bytes = profile->rss_end_bytes = profile->rss_peak_bytes = profile->rss_peak_seen = 0;
	profile->memory.known = false;
	return true;
}

/* Are the profiles of mappings shown too? Other views have no place for them, and show one that is named alone. */
static bool shows_mappings(const struct report_options *options)
{
	return options->format == REPORT_TABLE && !options->lifetimes && options->older_s <= 0;
}

/* What system calls mapped is in a file of the same name, in a folder beside it. One that cannot be read is said; the rest is shown. */
static int add_regions(const char *path, const cJSON *index, const struct report_options *options,
		       struct profile *profile)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *below;
	int status = STATUS_DONE;

	if (!shows_mappings(options) || profile->kind != PROFILE_HEAP)
		return STATUS_DONE;
	if (asprintf(&below, "%.*s" OUTPUT_FILE_MAPPINGS "%s", (int)(name - path), path, name) < 0) {
		log_error("out of memory");
		return STATUS_FAILED;
	}
	if (!access(below, F_OK))
		status = profile_file_read(below, index, options->site_skip, &profile->regions);
	free(below);
	return status;
}

/* What a profile of mappings cannot show. */
static bool lacks_ages(const char *path, const struct profile *profile, const struct report_options *options)
{
	if (profile->kind != PROFILE_REGIONS || (!options->lifetimes && options->older_s <= 0))
		return false;
	log_error("'%s' is a profile of mappings, of which no ages are known: report it without '%s'", path,
		  options->lifetimes ? "--lifetimes" : "--older-than");
	return true;
}

static int report_file(const char *path, const cJSON *index, const struct report_options *options)
{
	struct profile *profile;
	int status = profile_file_read(path, index, options->site_skip, &profile), regions;

	if (status)
		return status;
	if (lacks_ages(path, profile, options)) {
		profile_free(profile);
		return STATUS_FAILED;
	}
	regions = add_regions(path, index, options, profile);
	if (options->older_s > 0 && !keep_older(profile, options->older_s)) {
		log_error("'%s' does not say how old objects are: frees were not recorded, or not by heaptap, or it is "
			  "of several processes",
			  path);
		profile_free(profile);
		return STATUS_FAILED;
	}
	if (options->older_s > 0)
		log_note("in use: only what is known to have lived for more than %g s", options->older_s);
	status = render(profile, options);
	profile_free(profile);
	return status ? status : regions;
}

static int report_one(const struct report_options *options)
{
	cJSON *index = profile_file_index(options->path);
	int status = report_file(options->path, index, options);

	cJSON_Delete(index);
	return status;
}

/* --- a directory of profiles --- */

static int report_entry(const char *name, bool first, const cJSON *index, const struct report_options *options)
{
	char *path;
	int status;

	if (asprintf(&path, "%s/%s", options->path, name) < 0) {
		log_error("out of memory");
		return STATUS_FAILED;
	}
	if (!first && options->format == REPORT_TABLE)
		putchar('\n');
	status = report_file(path, index, options);
	free(path);
	return status;
}

static int report_empty(const cJSON *index, const struct report_options *options, bool mappings)
{
	if (mappings) {
		log_note(
			"no heap profile in '%s': nothing was sampled; for what system calls mapped, report '%s/mappings'",
			options->path, options->path);
		return STATUS_DONE;
	}
	if (!index) {
		log_error("no profile in '%s': no file there ends in .pb.gz", options->path);
		return STATUS_NO_TARGET;
	}
	log_note("no profile in '%s': nothing was sampled, or pprof was not among the formats", options->path);
	return STATUS_DONE;
}

static void print_processes(const cJSON *index, const struct index_table *table, unsigned int top)
{
	struct recording head;
	struct population population;

	table_processes_print(table->entries, table->count, top, stdout);
	index_head_read(index, &head);
	population_sum(table->entries, table->count, &population);
	table_memory_print_group(&head.group, &population.facts.memory, stdout);
}

/* A recording of many processes: a table of them, and the profile that is merged from all. */
static int report_population(const cJSON *index, const struct report_options *options)
{
	struct index_table table = {0};
	bool tables = options->format == REPORT_TABLE && !options->lifetimes;
	const char *all = NULL;
	int status = STATUS_DONE;

	if (tables && index_table_read(index, &table)) {
		log_error("out of memory");
		status = STATUS_FAILED;
	}
	if (tables)
		print_processes(index, &table, options->top);
	if (index_merged_has_file(index, OUTPUT_FILE_OF_ALL))
		all = OUTPUT_FILE_OF_ALL;
	else if (shows_mappings(options) && index_merged_has_file(index, OUTPUT_FILE_MAPPINGS_OF_ALL))
		all = OUTPUT_FILE_MAPPINGS_OF_ALL;
	if (all)
		status = report_entry(all, !tables, index, options) ? STATUS_FAILED : status;
	else
		log_note("no " OUTPUT_FILE_OF_ALL " in '%s': nothing was sampled, or pprof was not among the formats",
			 options->path);
	if (tables)
		table_processes_print_losses(table.entries, table.count, options->top, stdout);
	index_table_release(&table);
	return finish_output(0) ? STATUS_FAILED : status;
}

/* The profiles of a directory, and those in its folder of mappings. */
struct listing {
	struct dirent **profiles, **mappings;
	int count, mapping_count;
};

static int list(const struct report_options *options, struct listing *ret_listing)
{
	char below[PATH_MAX];

	*ret_listing = (struct listing){0};
	ret_listing->count = scandir(options->path, &ret_listing->profiles, profile_file_is_named, alphasort);
	if (ret_listing->count < 0) {
		log_error("cannot read directory '%s': %s", options->path, shortage_explain(-errno).text);
		return STATUS_FAILED;
	}
	/* Most have none. */
	ret_listing->mapping_count = scandir(text_path(below, "%s/" OUTPUT_FILE_MAPPINGS, options->path),
					     &ret_listing->mappings, profile_file_is_named, alphasort);
	if (ret_listing->mapping_count < 0)
		ret_listing->mapping_count = 0;
	return STATUS_DONE;
}

static void release_names(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

/* If so, it is shown with the process's heap. It is all there is of a process without samples. */
static bool is_beside(const struct listing *listing, const struct dirent *mapping)
{
	for (int i = 0; i < listing->count; i++)
		if (!strcmp(listing->profiles[i]->d_name, mapping->d_name))
			return true;
	return false;
}

/* A bad file does not hide the others, but makes the status STATUS_FAILED. */
static int report_listing(const struct listing *listing, const cJSON *index, const struct report_options *options)
{
	char name[NAME_MAX + sizeof(OUTPUT_FILE_MAPPINGS)];
	int status = STATUS_DONE;
	bool first = true;

	for (int i = 0; i < listing->count && !ferror(stdout); i++, first = false)
		if (report_entry(listing->profiles[i]->d_name, first, index, options) != STATUS_DONE)
			status = STATUS_FAILED;
	for (int i = 0; i < listing->mapping_count && shows_mappings(options) && !ferror(stdout); i++) {
		if (is_beside(listing, listing->mappings[i]))
			continue;
		snprintf(name, sizeof(name), OUTPUT_FILE_MAPPINGS "%s", listing->mappings[i]->d_name);
		if (report_entry(name, first, index, options) != STATUS_DONE)
			status = STATUS_FAILED;
		first = false;
	}
	return status;
}

/* One without an index may be a folder of a recording, which has it. */
static int report_folder(const struct listing *listing, const struct report_options *options)
{
	char inside[PATH_MAX];
	cJSON *index = profile_file_index(text_path(inside, "%s/.", options->path));
	int status = report_listing(listing, index, options);

	cJSON_Delete(index);
	return status;
}

static int report_directory(const struct report_options *options)
{
	struct listing listing;
	int status = list(options, &listing);
	bool mappings = listing.mapping_count;
	cJSON *index;

	if (status)
		return status;
	index = index_read(options->path);
	if (index_is_population(index))
		status = report_population(index, options);
	else if (!listing.count && !(mappings && shows_mappings(options)))
		status = report_empty(index, options, mappings);
	else
		status = index ? report_listing(&listing, index, options) : report_folder(&listing, options);
	cJSON_Delete(index);
	release_names(listing.profiles, listing.count);
	release_names(listing.mappings, listing.mapping_count);
	return status;
}

int report_run(const struct report_options *options)
{
	struct table_view view = view_of(options);
	struct stat status;

	said_unwritten = false;
	if (options->html)
		return report_page(options);
	if (options->base) {
		int compared = report_difference(options, &view);

		return finish_output(0) ? STATUS_FAILED : compared;
	}
	if (!stat(options->path, &status))
		return S_ISDIR(status.st_mode) ? report_directory(options) : report_one(options);
	if (errno == ENOENT || errno == ENOTDIR) {
		log_error("no such file or directory: '%s'", options->path);
		return STATUS_NO_TARGET;
	}
	log_error("cannot read '%s': %s", options->path, strerror(errno));
	return STATUS_FAILED;
}
