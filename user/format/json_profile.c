/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything heaptap knows of one process, as JSON for programs. Called by output_file.c.
 */
#include "format/json_profile.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/stream.h"
#include "format/json_process.h"
#include "profile/lifetime_summary.h"
#include "profile/sites.h"

static bool add_cost(cJSON *object, const struct profile *profile)
{
	cJSON *cost = cJSON_AddObjectToObject(object, "cost");

	return json_add_double(cost, "hit_cost_ns", profile->hit_cost_ns) &&
	       json_add_u64(cost, "cpu_ns", profile->cpu_ns) &&
	       json_add_double(cost, "slowdown_percent", profile->slowdown_percent);
}

static bool add_point(cJSON *object, const char *name, const struct survival_point *point)
{
	cJSON *item = cJSON_AddObjectToObject(object, name);

	return json_add_double(item, "estimate", point->estimate) && json_add_double(item, "lower", point->lower) &&
	       json_add_double(item, "upper", point->upper) && json_add_double(item, "at_risk", point->at_risk);
}

static bool add_survival(cJSON *object, const char *name, const struct lifetime_summary_survival *survival)
{
	cJSON *item = cJSON_AddObjectToObject(object, name);

	return add_point(item, "young", &survival->young) && add_point(item, "tenured", &survival->tenured) &&
	       json_add_double(item, "median_cycles", survival->median_cycles);
}

/* `null` when nothing is known. */
static bool add_lifespan(cJSON *object, const struct profile *profile, const struct lifetime_summary *lifetime_summary)
{
	cJSON *item;

	if (!lifetime_summary || !lifetime_summary->samples)
		return cJSON_AddNullToObject(object, "lifespan") != NULL;
	item = cJSON_AddObjectToObject(object, "lifespan");
	return json_add_u64(item, "samples", lifetime_summary->samples) &&
	       json_add_text(item, "verdict", verdict_name(lifetime_summary->verdict)) &&
	       add_survival(item, "objects", &lifetime_summary->objects) &&
	       add_survival(item, "bytes", &lifetime_summary->bytes) &&
	       json_add_double(item, "growth_bytes_per_second", lifetime_summary->growth) &&
	       json_add_double(item, "growth_standard_error", lifetime_summary->growth_error) &&
	       json_add_double(item, "seconds_to_memory_limit", lifetime_summary_time_left(profile, lifetime_summary));
}

static bool add_lifetime(cJSON *object, const struct lifetime *lifetime)
{
	cJSON *item;

	if (!lifetime)
		return cJSON_AddNullToObject(object, "lifetime") != NULL;
	item = cJSON_AddObjectToObject(object, "lifetime");
	return json_add_counts(item, "died", lifetime->died, LIFETIME_CLASSES) &&
	       json_add_counts(item, "living", lifetime->ended, LIFETIME_CLASSES) &&
	       json_add_counts(item, "born", lifetime->born, LIFETIME_BUCKETS) &&
	       json_add_counts(item, "gone", lifetime->gone, LIFETIME_DEATH_BUCKETS);
}

static bool add_ages(cJSON *object, const struct profile_model *model)
{
	cJSON *ages = cJSON_AddArrayToObject(object, "age_ns"), *clock = cJSON_AddArrayToObject(object, "bucket_ns");
	bool ok = ages && clock;

	for (u32 class = 0; ok && class < LIFETIME_CLASSES && lifetime_class_start(class) <= model->cycles; class ++)
		ok = json_append_u64(ages, model->age_ns[class]);
	for (u32 bucket = 0; ok && bucket <= model->cycles / lifetime_width(model->cycles); bucket++)
		ok = json_append_u64(clock, model->clock_ns[bucket]);
	return ok;
}

/* The model collector; `null` with --alloc-only. */
static bool add_model(cJSON *object, const struct profile *profile)
{
	const struct profile_model *model = &profile->model;
	struct lifetime_summary lifetime_summary;
	cJSON *item;

	if (!model->known)
		return cJSON_AddNullToObject(object, "model") != NULL;
	if (lifetime_summary_of_process(profile, &lifetime_summary))
		return false;
	item = cJSON_AddObjectToObject(object, "model");
	return json_add_u64(item, "gogc", model->gogc_percent) && json_add_u64(item, "tenure", model->tenure) &&
	       json_add_u64(item, "cycles", model->cycles) && json_add_u64(item, "requests", model->requests) &&
	       json_add_u64(item, "cycles_ns", model->cycles_ns) &&
	       json_add_double(item, "cycles_bytes", model->cycles_bytes) &&
	       json_add_double(item, "marked_bytes", model->marked_bytes) &&
	       json_add_double(item, "goal_bytes", model->goal_bytes) &&
	       json_add_double(item, "visited_bytes", model->visited_bytes) &&
	       json_add_double(item, "tenured_bytes", model->tenured_bytes) &&
	       json_add_double(item, "tenured_bytes_per_second", model->trend) &&
	       json_add_double(item, "judged_bytes", model->judged_bytes) &&
	       json_add_double(item, "promoted_bytes", model->promoted_bytes) && add_ages(item, model) &&
	       add_lifespan(item, profile, &lifetime_summary);
}

static bool add_limit(cJSON *object, const struct profile *profile)
{
	cJSON *memory = cJSON_AddObjectToObject(object, "cgroup_memory");

	return json_add_known(memory, "limit_bytes", profile->memory_limit) &&
	       json_add_known(memory, "used_bytes", profile->memory_used);
}

static int print_head(const struct profile *profile, FILE *out)
{
	cJSON *head = cJSON_CreateObject();
	u64 total[MEASURE_MAX];
	cJSON *totals;
	bool ok;

	profile_totals(profile, total);
	ok = json_add_u64(head, "heaptap_profile", 1) && json_add_identity(head, profile) &&
	     json_add_u64(head, "start_unix_ns", profile->start_unix_ns) &&
	     json_add_u64(head, "duration_ns", profile->duration_ns) &&
	     json_add_u64(head, "sample_bytes", profile->sample_bytes) &&
	     json_add_bool(head, "alloc_only", profile->alloc_only);
	totals = cJSON_AddObjectToObject(head, "totals");
	ok = ok && json_add_measures(totals, total, profile->alloc_only) && json_add_peak(head, profile) &&
	     json_add_rss(head, profile) && add_limit(head, profile) && add_cost(head, profile) &&
	     add_model(head, profile) && json_add_ledger(head, profile->ledger);
	return json_print_members(head, ok, out);
}

static bool add_build_id(cJSON *object, const struct profile_mapping *mapping)
{
	char text[2 * sizeof(mapping->build_id) + 1];

	for (u8 i = 0; i < mapping->build_id_size && i < sizeof(mapping->build_id); i++)
		snprintf(text + 2 * i, 3, "%02x", mapping->build_id[i]);
	return json_add_text(object, "build_id", mapping->build_id_size ? text : NULL);
}

static cJSON *make_mapping(const void *table, u32 i)
{
	const struct profile_mapping *mapping = &((const struct profile *)table)->mappings[i];
	cJSON *row = cJSON_CreateObject();

	return json_row_or_null(row, json_add_u64(row, "start", mapping->start) &&
					     json_add_u64(row, "end", mapping->end) &&
					     json_add_u64(row, "file_offset", mapping->file_offset) &&
					     json_add_text(row, "path", mapping->path) && add_build_id(row, mapping));
}

static bool append_line(cJSON *lines, const struct profile_line *line)
{
	cJSON *row = cJSON_CreateObject();

	if (!cJSON_AddItemToArray(lines, row)) {
		cJSON_Delete(row);
		return false;
	}
	return json_add_text(row, "function", line->function) && json_add_text(row, "system_name", line->system_name) &&
	       json_add_text(row, "file", line->file) && json_add_u64(row, "line", line->line) &&
	       json_add_u64(row, "start_line", line->start_line);
}

static cJSON *make_location(const void *table, u32 i)
{
	const struct profile *profile = table;
	const struct profile_location *location = &profile->locations[i];
	cJSON *row = cJSON_CreateObject(), *lines;
	bool ok = json_add_u64(row, "address", location->address);

	if (location->mapping < profile->mapping_count)
		ok = ok && json_add_u64(row, "mapping", location->mapping);
	else
		ok = ok && cJSON_AddNullToObject(row, "mapping");
	ok = ok && json_add_u64(row, "function_offset", location->function_offset);
	lines = cJSON_AddArrayToObject(row, "lines");
	for (u32 j = 0; ok && j < location->line_count; j++)
		ok = append_line(lines, &location->lines[j]);
	return json_row_or_null(row, ok && lines);
}

static bool add_counts(cJSON *row, const char *alloc_name, u64 alloc, const char *inuse_name, u64 inuse,
		       bool alloc_only)
{
	return json_add_u64(row, alloc_name, alloc) &&
	       (alloc_only ? cJSON_AddNullToObject(row, inuse_name) != NULL : json_add_u64(row, inuse_name, inuse));
}

static cJSON *make_sample(const void *table, u32 i)
{
	const struct profile *profile = table;
	const struct profile_sample *sample = &profile->samples[i];
	cJSON *row = cJSON_CreateObject(), *stack = cJSON_AddArrayToObject(row, "stack");
	u64 value[MEASURE_MAX];
	bool ok = stack;

	profile_sample_values(profile, sample, value);
	for (u32 j = 0; ok && j < sample->depth; j++)
		ok = json_append_u64(stack, sample->location[j]);
	if (profile->label_count)
		ok = ok && (sample->labels ? json_add_u64(row, "origin", sample->labels - 1)
					   : cJSON_AddNullToObject(row, "origin") != NULL);
	ok = ok && json_add_u64(row, "size", sample->size) &&
	     add_counts(row, "alloc_samples", sample->alloc_count, "inuse_samples", sample->inuse_count,
			profile->alloc_only) &&
	     json_add_measures(row, value, profile->alloc_only) && add_lifetime(row, sample->lifetime);
	return json_row_or_null(row, ok);
}

static cJSON *make_labels(const void *table, u32 i)
{
	const struct profile_labels *labels = &((const struct profile *)table)->labels[i];
	cJSON *row = cJSON_CreateObject();

	return json_row_or_null(row, json_add_known(row, "pid", labels->pid) &&
					     json_add_text(row, "comm", labels->comm) &&
					     json_add_text(row, "container", labels->container) &&
					     json_add_text(row, "container_id", labels->container_id));
}

struct site_table {
	const struct profile *profile;
	const struct profile_site *sites;
};

static bool add_errors(cJSON *row, const struct profile_site *site, bool alloc_only)
{
	cJSON *errors = cJSON_AddObjectToObject(row, "standard_error");
	bool ok = errors;

	for (unsigned int m = 0; ok && m < MEASURE_MAX; m++)
		ok = json_add_double(errors, json_measure_names[m],
				     alloc_only && m >= INUSE_OBJECTS ? NAN : site->stderr_value[m]);
	return ok;
}

static cJSON *make_site(const void *table, u32 i)
{
	const struct profile *profile = ((const struct site_table *)table)->profile;
	const struct profile_site *site = &((const struct site_table *)table)->sites[i];
	cJSON *row = cJSON_CreateObject();
	bool ok;

	if (site->leaf)
		ok = json_add_u64(row, "location", (u64)(site->leaf - profile->locations));
	else
		ok = cJSON_AddNullToObject(row, "location");
	ok = ok && json_add_u64(row, "example", (u64)(site->example - profile->samples)) &&
	     add_counts(row, "alloc_samples", site->alloc_samples, "inuse_samples", site->inuse_samples,
			profile->alloc_only) &&
	     json_add_measures(row, site->value, profile->alloc_only) && add_errors(row, site, profile->alloc_only) &&
	     add_lifespan(row, profile, &site->lifetime_summary);
	return json_row_or_null(row, ok);
}

static int print_sites(const struct profile *profile, FILE *out)
{
	struct profile_site *sites;
	struct site_table table;
	u32 count;
	int err = profile_sites(profile, profile->alloc_only ? ALLOC_SPACE : INUSE_SPACE, &sites, &count);

	if (err)
		return err;
	table = (struct site_table){.profile = profile, .sites = sites};
	err = json_print_table("sites", count, make_site, &table, out);
	free(sites);
	return err;
}

int json_profile_write(const struct profile *profile, FILE *out)
{
	int err = print_head(profile, out);

	if (!err)
		err = print_sites(profile, out);
	if (!err && profile->label_count)
		err = json_print_table("origins", profile->label_count, make_labels, profile, out);
	if (!err)
		err = json_print_table("samples", profile->sample_count, make_sample, profile, out);
	if (!err)
		err = json_print_table("locations", profile->location_count, make_location, profile, out);
	if (!err)
		err = json_print_table("mappings", profile->mapping_count, make_mapping, profile, out);
	fputs("\n}\n", out);
	return err ? err : stream_flush(out);
}
