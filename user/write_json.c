/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything heaptap knows of one process, and the index of a recording, as JSON for programs. One table row is one
 * line, built and dropped by itself, so that memory does not grow with the profile. Called by writer.c.
 */
#include "writer.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "lifespan.h"
#include "utf8.h"

static const char *const measure_names[MEASURE_MAX] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};

/* --- members: each returns whether there was memory
 * ----------------------------------------------------------------------- */

/* cJSON's own numbers are doubles, which lose integers above 2^53. */
static bool add_u64(cJSON *object, const char *name, u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return cJSON_AddRawToObject(object, name, text) != NULL;
}

/* Where a profile says 0 for unknown, JSON says null. */
static bool add_known(cJSON *object, const char *name, u64 value)
{
	return value ? add_u64(object, name, value) : cJSON_AddNullToObject(object, name) != NULL;
}

/* Estimates of errors and costs: six digits are more than they are worth. */
static bool add_double(cJSON *object, const char *name, double value)
{
	char text[32];

	if (!isfinite(value))
		return cJSON_AddNullToObject(object, name) != NULL;
	snprintf(text, sizeof(text), "%.6g", value);
	return cJSON_AddRawToObject(object, name, text) != NULL;
}

static bool add_bool(cJSON *object, const char *name, bool value)
{
	return cJSON_AddBoolToObject(object, name, value) != NULL;
}

static bool add_text(cJSON *object, const char *name, const char *text)
{
	char *clean;
	bool ok;

	if (!text)
		return cJSON_AddNullToObject(object, name) != NULL;
	clean = utf8_clean(text);
	ok = clean && cJSON_AddStringToObject(object, name, clean);
	free(clean);
	return ok;
}

static bool append_u64(cJSON *array, u64 value)
{
	char text[24];
	cJSON *item;

	snprintf(text, sizeof(text), "%" PRIu64, value);
	item = cJSON_CreateRaw(text);
	return item && cJSON_AddItemToArray(array, item);
}

static bool append_text(cJSON *array, const char *text)
{
	char *clean = utf8_clean(text);
	cJSON *item = clean ? cJSON_CreateString(clean) : NULL;

	free(clean);
	return item && cJSON_AddItemToArray(array, item);
}

static bool add_texts(cJSON *object, const char *name, const char *const *texts)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);
	bool ok = array;

	for (; ok && texts && *texts; texts++)
		ok = append_text(array, *texts);
	return ok;
}

/* Without free probes in-use is unknown: null, not 0. */
static bool add_measures(cJSON *object, const u64 value[MEASURE_MAX], bool alloc_only)
{
	bool ok = true;

	for (unsigned int m = 0; ok && m < MEASURE_MAX; m++)
		ok = alloc_only && m >= INUSE_OBJECTS ? cJSON_AddNullToObject(object, measure_names[m]) != NULL
						      : add_u64(object, measure_names[m], value[m]);
	return ok;
}

static bool add_ledger(cJSON *object, const u64 ledger[COUNTER_MAX])
{
	cJSON *item = cJSON_AddObjectToObject(object, "ledger");
	bool ok = item;

	for (unsigned int i = 0; ok && i < COUNTER_MAX; i++)
		ok = add_u64(item, ledger_name(i), ledger[i]);
	return ok;
}

static bool add_rss(cJSON *object, const struct profile *profile)
{
	cJSON *rss = cJSON_AddObjectToObject(object, "rss");

	return add_known(rss, "start_bytes", profile->rss_start_bytes) &&
	       add_known(rss, "end_bytes", profile->rss_end_bytes) &&
	       add_known(rss, "peak_bytes", profile->rss_peak_bytes);
}

static bool add_peak(cJSON *object, const struct profile *profile)
{
	cJSON *peak = cJSON_AddObjectToObject(object, "peak");

	return add_known(peak, "inuse_space", profile->peak_inuse_space) &&
	       (profile->peak_inuse_space ? add_u64(peak, "at_ns", profile->peak_at_ns)
					  : cJSON_AddNullToObject(peak, "at_ns") != NULL);
}

static bool add_cost(cJSON *object, const struct profile *profile)
{
	cJSON *cost = cJSON_AddObjectToObject(object, "cost");

	return add_double(cost, "hit_cost_ns", profile->hit_cost_ns) && add_u64(cost, "cpu_ns", profile->cpu_ns) &&
	       add_double(cost, "slowdown_percent", profile->slowdown_percent);
}

static bool add_point(cJSON *object, const char *name, const struct survival_point *point)
{
	cJSON *item = cJSON_AddObjectToObject(object, name);

	return add_double(item, "estimate", point->estimate) && add_double(item, "lower", point->lower) &&
	       add_double(item, "upper", point->upper) && add_double(item, "at_risk", point->at_risk);
}

static bool add_survival(cJSON *object, const char *name, const struct lifespan_survival *survival)
{
	cJSON *item = cJSON_AddObjectToObject(object, name);

	return add_point(item, "young", &survival->young) && add_point(item, "tenured", &survival->tenured) &&
	       add_double(item, "median_cycles", survival->median_cycles);
}

/* `null` when nothing is known. */
static bool add_lifespan(cJSON *object, const struct profile *profile, const struct lifespan *lifespan)
{
	cJSON *item;

	if (!lifespan || !lifespan->samples)
		return cJSON_AddNullToObject(object, "lifespan") != NULL;
	item = cJSON_AddObjectToObject(object, "lifespan");
	return add_u64(item, "samples", lifespan->samples) &&
	       add_text(item, "verdict", verdict_name(lifespan->verdict)) &&
	       add_survival(item, "objects", &lifespan->objects) && add_survival(item, "bytes", &lifespan->bytes) &&
	       add_double(item, "growth_bytes_per_second", lifespan->growth) &&
	       add_double(item, "growth_standard_error", lifespan->growth_error) &&
	       add_double(item, "seconds_to_memory_limit", lifespan_time_left(profile, lifespan));
}

static bool add_counts_u32(cJSON *object, const char *name, const u32 *counts, u32 count)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);
	bool ok = array;

	while (count && !counts[count - 1])
		count--;
	for (u32 i = 0; ok && i < count; i++)
		ok = append_u64(array, counts[i]);
	return ok;
}

static bool add_lifetime(cJSON *object, const struct lifetime *lifetime)
{
	cJSON *item;

	if (!lifetime)
		return cJSON_AddNullToObject(object, "lifetime") != NULL;
	item = cJSON_AddObjectToObject(object, "lifetime");
	return add_counts_u32(item, "died", lifetime->died, LIFETIME_CLASSES) &&
	       add_counts_u32(item, "living", lifetime->ended, LIFETIME_CLASSES) &&
	       add_counts_u32(item, "born", lifetime->born, LIFETIME_BUCKETS) &&
	       add_counts_u32(item, "gone", lifetime->gone, LIFETIME_DEATH_BUCKETS);
}

static bool add_ages(cJSON *object, const struct profile_model *model)
{
	cJSON *ages = cJSON_AddArrayToObject(object, "age_ns"), *clock = cJSON_AddArrayToObject(object, "bucket_ns");
	bool ok = ages && clock;

	for (u32 class = 0; ok && class < LIFETIME_CLASSES && lifetime_class_start(class) <= model->cycles; class ++)
		ok = append_u64(ages, model->age_ns[class]);
	for (u32 bucket = 0; ok && bucket <= model->cycles / lifetime_width(model->cycles); bucket++)
		ok = append_u64(clock, model->clock_ns[bucket]);
	return ok;
}

/* The model collector; `null` with --alloc-only. */
static bool add_model(cJSON *object, const struct profile *profile)
{
	const struct profile_model *model = &profile->model;
	struct lifespan lifespan;
	cJSON *item;

	if (!model->known)
		return cJSON_AddNullToObject(object, "model") != NULL;
	if (lifespan_of_process(profile, &lifespan))
		return false;
	item = cJSON_AddObjectToObject(object, "model");
	return add_u64(item, "gogc", model->gogc_percent) && add_u64(item, "tenure", model->tenure) &&
	       add_u64(item, "cycles", model->cycles) && add_u64(item, "requests", model->requests) &&
	       add_u64(item, "cycles_ns", model->cycles_ns) && add_double(item, "cycles_bytes", model->cycles_bytes) &&
	       add_double(item, "marked_bytes", model->marked_bytes) &&
	       add_double(item, "goal_bytes", model->goal_bytes) &&
	       add_double(item, "visited_bytes", model->visited_bytes) &&
	       add_double(item, "tenured_bytes", model->tenured_bytes) &&
	       add_double(item, "tenured_bytes_per_second", model->trend) &&
	       add_double(item, "judged_bytes", model->judged_bytes) &&
	       add_double(item, "promoted_bytes", model->promoted_bytes) && add_ages(item, model) &&
	       add_lifespan(item, profile, &lifespan);
}

static bool add_limit(cJSON *object, const struct profile *profile)
{
	cJSON *memory = cJSON_AddObjectToObject(object, "cgroup_memory");

	return add_known(memory, "limit_bytes", profile->memory_limit) &&
	       add_known(memory, "used_bytes", profile->memory_used);
}

static bool add_identity(cJSON *object, const struct profile *profile)
{
	return add_u64(object, "pid", profile->pid) && add_u64(object, "image", profile->image) &&
	       add_text(object, "comm", profile->comm) && add_text(object, "exe", profile->exe) &&
	       add_text(object, "cgroup", profile->cgroup) && add_text(object, "container", profile->container) &&
	       add_bool(object, "exited", profile->exited);
}

/* --- streaming
 * ---------------------------------------------------------------------------------------------------------- */

/* Print and drop one value; NULL stands for one that found no memory. */
static int print_item(cJSON *item, FILE *out)
{
	char *text = item ? cJSON_PrintUnformatted(item) : NULL;
	int err = text ? 0 : -ENOMEM;

	if (text)
		fputs(text, out);
	cJSON_free(text);
	cJSON_Delete(item);
	return err;
}

/* The members of an object, one a line, without its closing brace. */
static int print_members(cJSON *object, bool complete, FILE *out)
{
	const char *before = "{\n";
	int err = complete ? 0 : -ENOMEM;

	for (cJSON *item = object ? object->child : NULL; !err && item; item = item->next) {
		char *text = cJSON_PrintUnformatted(item);

		if (text)
			fprintf(out, "%s\"%s\":%s", before, item->string, text);
		else
			err = -ENOMEM;
		before = ",\n";
		cJSON_free(text);
	}
	cJSON_Delete(object);
	return err;
}

/* A table as the next member: `make` builds row i, NULL without memory. */
static int print_table(const char *name, u32 count, cJSON *(*make)(const void *table, u32 i), const void *table,
		       FILE *out)
{
	int err = 0;

	fprintf(out, ",\n\"%s\":[", name);
	for (u32 i = 0; !err && i < count; i++) {
		fputs(i ? ",\n" : "\n", out);
		err = print_item(make(table, i), out);
	}
	fputc(']', out);
	return err;
}

/* NULL instead of a half-built row. */
static cJSON *row_or_null(cJSON *row, bool ok)
{
	if (ok)
		return row;
	cJSON_Delete(row);
	return NULL;
}

/* --- one process
 * -------------------------------------------------------------------------------------------------------- */

static int print_head(const struct profile *profile, FILE *out)
{
	cJSON *head = cJSON_CreateObject();
	u64 total[MEASURE_MAX];
	cJSON *totals;
	bool ok;

	profile_totals(profile, total);
	ok = add_u64(head, "heaptap_profile", 1) && add_identity(head, profile) &&
	     add_u64(head, "start_unix_ns", profile->start_unix_ns) &&
	     add_u64(head, "duration_ns", profile->duration_ns) &&
	     add_u64(head, "sample_bytes", profile->sample_bytes) && add_bool(head, "alloc_only", profile->alloc_only);
	totals = cJSON_AddObjectToObject(head, "totals");
	ok = ok && add_measures(totals, total, profile->alloc_only) && add_peak(head, profile) &&
	     add_rss(head, profile) && add_limit(head, profile) && add_cost(head, profile) &&
	     add_model(head, profile) && add_ledger(head, profile->ledger);
	return print_members(head, ok, out);
}

static bool add_build_id(cJSON *object, const struct profile_mapping *mapping)
{
	char text[2 * sizeof(mapping->build_id) + 1];

	for (u8 i = 0; i < mapping->build_id_size && i < sizeof(mapping->build_id); i++)
		snprintf(text + 2 * i, 3, "%02x", mapping->build_id[i]);
	return add_text(object, "build_id", mapping->build_id_size ? text : NULL);
}

static cJSON *make_mapping(const void *table, u32 i)
{
	const struct profile_mapping *mapping = &((const struct profile *)table)->mappings[i];
	cJSON *row = cJSON_CreateObject();

	return row_or_null(row, add_u64(row, "start", mapping->start) && add_u64(row, "end", mapping->end) &&
					add_u64(row, "file_offset", mapping->file_offset) &&
					add_text(row, "path", mapping->path) && add_build_id(row, mapping));
}

static bool append_line(cJSON *lines, const struct profile_line *line)
{
	cJSON *row = cJSON_CreateObject();

	if (!cJSON_AddItemToArray(lines, row)) {
		cJSON_Delete(row);
		return false;
	}
	return add_text(row, "function", line->function) && add_text(row, "system_name", line->system_name) &&
	       add_text(row, "file", line->file) && add_u64(row, "line", line->line) &&
	       add_u64(row, "start_line", line->start_line);
}

static cJSON *make_location(const void *table, u32 i)
{
	const struct profile *profile = table;
	const struct profile_location *location = &profile->locations[i];
	cJSON *row = cJSON_CreateObject(), *lines;
	bool ok = add_u64(row, "address", location->address);

	if (location->mapping < profile->mapping_count)
		ok = ok && add_u64(row, "mapping", location->mapping);
	else
		ok = ok && cJSON_AddNullToObject(row, "mapping");
	ok = ok && add_u64(row, "function_offset", location->function_offset);
	lines = cJSON_AddArrayToObject(row, "lines");
	for (u32 j = 0; ok && j < location->line_count; j++)
		ok = append_line(lines, &location->lines[j]);
	return row_or_null(row, ok && lines);
}

static bool add_counts(cJSON *row, const char *alloc_name, u64 alloc, const char *inuse_name, u64 inuse,
		       bool alloc_only)
{
	return add_u64(row, alloc_name, alloc) &&
	       (alloc_only ? cJSON_AddNullToObject(row, inuse_name) != NULL : add_u64(row, inuse_name, inuse));
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
		ok = append_u64(stack, sample->location[j]);
	ok = ok && add_u64(row, "size", sample->size) &&
	     add_counts(row, "alloc_samples", sample->alloc_count, "inuse_samples", sample->inuse_count,
			profile->alloc_only) &&
	     add_measures(row, value, profile->alloc_only) && add_lifetime(row, sample->lifetime);
	return row_or_null(row, ok);
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
		ok = add_double(errors, measure_names[m],
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
		ok = add_u64(row, "location", (u64)(site->leaf - profile->locations));
	else
		ok = cJSON_AddNullToObject(row, "location");
	ok = ok && add_u64(row, "example", (u64)(site->example - profile->samples)) &&
	     add_counts(row, "alloc_samples", site->alloc_samples, "inuse_samples", site->inuse_samples,
			profile->alloc_only) &&
	     add_measures(row, site->value, profile->alloc_only) && add_errors(row, site, profile->alloc_only) &&
	     add_lifespan(row, profile, &site->lifespan);
	return row_or_null(row, ok);
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
	err = print_table("sites", count, make_site, &table, out);
	free(sites);
	return err;
}

int write_json(const struct profile *profile, FILE *out)
{
	int err = print_head(profile, out);

	if (!err)
		err = print_sites(profile, out);
	if (!err)
		err = print_table("samples", profile->sample_count, make_sample, profile, out);
	if (!err)
		err = print_table("locations", profile->location_count, make_location, profile, out);
	if (!err)
		err = print_table("mappings", profile->mapping_count, make_mapping, profile, out);
	fputs("\n}\n", out);
	return err ? err : writer_flush(out);
}

/* --- index.json
 * --------------------------------------------------------------------------------------------------------- */

static u64 sampled_allocations(const struct profile *profile)
{
	u64 count = 0;

	for (u32 i = 0; i < profile->sample_count; i++)
		count += profile->samples[i].alloc_count;
	return count;
}

static bool add_hits(cJSON *object, const struct profile *profile)
{
	cJSON *hits = cJSON_AddObjectToObject(object, "hits");

	return add_u64(hits, "alloc", profile->ledger[COUNTER_HITS_ALLOC]) &&
	       add_u64(hits, "free", profile->ledger[COUNTER_HITS_FREE]);
}

/* Totals here are integers even with --alloc-only: sums over what the .pb.gz holds, and a sum over nothing is 0. */
static cJSON *make_process(const void *table, u32 i)
{
	const struct index_entry *entry = &((const struct index_entry *)table)[i];
	const struct profile *profile = entry->profile;
	cJSON *row = cJSON_CreateObject();
	u64 total[MEASURE_MAX];
	bool ok;

	profile_totals(profile, total);
	ok = add_identity(row, profile) && add_texts(row, "files", (const char *const *)entry->files) &&
	     add_u64(row, "start_unix_ns", profile->start_unix_ns) &&
	     add_u64(row, "duration_ns", profile->duration_ns) && add_measures(row, total, false) &&
	     add_u64(row, "samples", sampled_allocations(profile)) && add_hits(row, profile) &&
	     add_peak(row, profile) && add_rss(row, profile) && add_u64(row, "cpu_ns", profile->cpu_ns) &&
	     add_double(row, "slowdown_percent", profile->slowdown_percent) && add_ledger(row, profile->ledger);
	return row_or_null(row, ok);
}

int write_index(const struct recording *recording, const struct index_entry *entries, u32 count, FILE *out)
{
	cJSON *head = cJSON_CreateObject();
	u64 ledger[COUNTER_MAX] = {0};
	bool ok;
	int err;

	for (u32 i = 0; i < count; i++)
		for (unsigned int c = 0; c < COUNTER_MAX; c++)
			ledger[c] += entries[i].profile->ledger[c];
	ok = add_text(head, "heaptap", recording->version) && add_u64(head, "sample_bytes", recording->sample_bytes) &&
	     add_text(head, "attach", recording->attach) && add_u64(head, "start_unix_ns", recording->start_unix_ns) &&
	     add_u64(head, "duration_ns", recording->duration_ns) && add_texts(head, "options", recording->options) &&
	     add_ledger(head, ledger);
	err = print_members(head, ok, out);
	if (!err)
		err = print_table("processes", count, make_process, entries, out);
	fputs("\n}\n", out);
	return err ? err : writer_flush(out);
}
