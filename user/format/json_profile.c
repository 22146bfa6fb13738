/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/json_profile.h"

#include <math.h>
#include <stdlib.h>

#include "format/json_memory.h"
#include "format/json_restraint.h"
#include "profile/sample_residency.h"
#include "profile/frame_role.h"
#include "profile/ledger.h"
#include "profile/lifetime_summary.h"
#include "profile/sites.h"

/* --- members that index.json has too --- */

/* Only where a Go program kept the profile itself. */
static void write_go(struct json *json, const struct profile_go *go)
{
	if (!go->version[0])
		return;
	json_object(json, "go");
	json_text(json, "version", go->version);
	json_u64(json, "cycle", go->cycle);
	json_u64(json, "age_ns", go->age_ns);
	json_bool(json, "beside", go->beside);
	json_close(json);
}

void json_profile_identity(struct json *json, const struct profile *profile)
{
	if (profile->processes)
		json_u64(json, "processes", profile->processes);
	json_u64(json, "pid", profile->pid);
	json_u64(json, "image", profile->image);
	json_text(json, "comm", profile->comm);
	json_text(json, "exe", profile->exe);
	json_text(json, "cgroup", profile->cgroup);
	json_text(json, "container", profile->container);
	json_text(json, "container_name", profile->container_name);
	json_bool(json, "exited", profile->exited);
	json_u64_if(json, "exit_status", profile->exit.known && !profile->exit.signal, profile->exit.status);
	json_u64_if(json, "exit_signal", profile->exit.signal, profile->exit.signal);
	json_bool(json, "oom_killed", profile->exit.oom_killed);
	write_go(json, &profile->go);
}

void json_profile_measures(struct json *json, const char *const *names, const u64 value[MEASURE_MAX], bool alloc_only)
{
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		json_u64_if(json, names[m], !alloc_only || !measure_is_inuse(m), value[m]);
}

void json_profile_errors(struct json *json, const char *const *names, const double error[MEASURE_MAX], bool alloc_only)
{
	json_object(json, "standard_error");
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		json_double(json, names[m], alloc_only && measure_is_inuse(m) ? NAN : error[m]);
	json_close(json);
}

void json_profile_peak(struct json *json, const struct profile *profile)
{
	bool known = profile->peak_inuse_space;

	json_object(json, "peak");
	json_u64_if(json, "inuse_space", known, profile->peak_inuse_space);
	json_u64_if(json, "at_ns", known, profile->peak_at_ns);
	json_close(json);
}

/* Where a profile says 0 for unknown, JSON says null. */
static void known(struct json *json, const char *name, u64 value)
{
	json_u64_if(json, name, value, value);
}

void json_profile_rss(struct json *json, const struct profile *profile)
{
	json_object(json, "rss");
	known(json, "start_bytes", profile->rss_start_bytes);
	known(json, "end_bytes", profile->rss_end_bytes);
	known(json, "peak_bytes", profile->rss_peak_bytes);
	known(json, "peak_seen_bytes", profile->rss_peak_seen);
	json_u64_if(json, "inuse_space_at_peak", profile->rss_peak_seen && !profile->alloc_only,
		    profile->rss_peak_inuse);
	json_close(json);
	json_memory_write(json, &profile->memory);
}

void json_profile_memory(struct json *json, const struct profile *profile)
{
	json_object(json, "cgroup_memory");
	known(json, "limit_bytes", profile->memory_limit);
	known(json, "used_bytes", profile->memory_used);
	json_close(json);
}

void json_profile_ledger(struct json *json, const u64 ledger[COUNTER_MAX])
{
	json_object(json, "ledger");
	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		json_u64(json, ledger_name(i), ledger[i]);
	json_close(json);
}

/* --- lifetimes --- */

void json_profile_growth(struct json *json, const struct profile *profile, const struct lifetime_summary *summary)
{
	bool grows = summary->verdict == VERDICT_GROWING;

	json_text(json, "verdict", summary->samples ? verdict_name(summary->verdict) : NULL);
	json_double(json, "growth_bytes_per_second", grows ? summary->growth : NAN);
	json_double(json, "growth_standard_error", grows ? summary->growth_error : NAN);
	json_double(json, "seconds_to_memory_limit", lifetime_summary_time_left(profile, summary));
}

static void write_point(struct json *json, const char *name, const struct survival_point *point)
{
	json_object(json, name);
	json_double(json, "estimate", point->estimate);
	json_double(json, "lower", point->lower);
	json_double(json, "upper", point->upper);
	json_double(json, "at_risk", point->at_risk);
	json_close(json);
}

static void write_survival(struct json *json, const char *name, const struct lifetime_summary_survival *survival)
{
	json_object(json, name);
	write_point(json, "young", &survival->young);
	write_point(json, "tenured", &survival->tenured);
	json_double(json, "median_cycles", survival->median_cycles);
	json_close(json);
}

static void write_lifespan(struct json *json, const struct profile *profile, const struct lifetime_summary *summary)
{
	if (!summary->samples) {
		json_null(json, "lifespan");
		return;
	}
	json_object(json, "lifespan");
	json_u64(json, "samples", summary->samples);
	write_survival(json, "objects", &summary->objects);
	write_survival(json, "bytes", &summary->bytes);
	json_profile_growth(json, profile, summary);
	json_close(json);
}

static void write_lifetime(struct json *json, const struct lifetime_pack *pack)
{
	struct lifetime lifetime = lifetime_unpack(pack);

	if (!pack) {
		json_null(json, "lifetime");
		return;
	}
	json_object(json, "lifetime");
	json_counts(json, "died", lifetime.died, LIFETIME_CLASSES);
	json_counts(json, "living", lifetime.ended, LIFETIME_CLASSES);
	json_counts(json, "born", lifetime.born, LIFETIME_BUCKETS);
	json_counts(json, "gone", lifetime.gone, LIFETIME_DEATH_BUCKETS);
	json_close(json);
}

static void write_ages(struct json *json, const struct profile_model *model)
{
	json_array(json, "age_ns");
	for (u32 class = 0; class < LIFETIME_CLASSES && lifetime_class_start(class) <= model->cycles; class ++)
		json_u64(json, NULL, model->age_ns[class]);
	json_close(json);
	json_array(json, "bucket_ns");
	for (u32 bucket = 0; bucket <= model->ticks / lifetime_width(model->ticks); bucket++)
		json_u64(json, NULL, model->clock_ns[bucket]);
	json_close(json);
}

/* The model collector: null with --alloc-only. `summary` is that of the process. */
static void write_model(struct json *json, const struct profile *profile, const struct lifetime_summary *summary)
{
	const struct profile_model *model = &profile->model;

	if (!model->known) {
		json_null(json, "model");
		return;
	}
	json_object(json, "model");
	json_u64(json, "gogc", model->gogc_percent);
	json_u64(json, "tenure", model->tenure);
	json_u64(json, "cycles", model->cycles);
	json_u64(json, "requests", model->requests);
	json_u64(json, "ticks", model->ticks);
	json_u64(json, "cycles_ns", model->cycles_ns);
	json_double(json, "cycles_bytes", model->cycles_bytes);
	json_double(json, "marked_bytes", model->marked_bytes);
	json_double(json, "goal_bytes", model->goal_bytes);
	json_double(json, "visited_bytes", model->visited_bytes);
	json_double(json, "tenured_bytes", model->tenured_bytes);
	json_double(json, "tenured_bytes_per_second", model->trend);
	json_double(json, "judged_bytes", model->judged_bytes);
	json_double(json, "promoted_bytes", model->promoted_bytes);
	write_ages(json, model);
	write_lifespan(json, profile, summary);
	json_close(json);
}

/* --- the process --- */

static void write_totals(struct json *json, const struct profile *profile)
{
	u64 total[MEASURE_MAX];

	profile_totals(profile, total);
	json_object(json, "totals");
	json_profile_measures(json, profile_names(profile), total, profile->alloc_only);
	json_close(json);
	if (profile->kind != PROFILE_REGIONS)
		return;
	profile_region_totals(profile, true, total);
	json_object(json, "allocator");
	json_profile_measures(json, profile_region_names, total, false);
	json_close(json);
}

static void write_process(struct json *json, const struct profile *profile, const struct lifetime_summary *summary)
{
	json_u64(json, "heaptap_profile", 1);
	if (profile->kind == PROFILE_REGIONS)
		json_text(json, "kind", "mappings");
	json_profile_identity(json, profile);
	json_u64(json, "start_unix_ns", profile->start_unix_ns);
	json_u64(json, "duration_ns", profile->duration_ns);
	json_u64(json, "sample_bytes", profile->sample_bytes);
	json_bool(json, "alloc_only", profile->alloc_only);
	write_totals(json, profile);
	json_profile_peak(json, profile);
	json_profile_rss(json, profile);
	json_profile_memory(json, profile);
	json_object(json, "cost");
	json_double(json, "hit_cost_ns", profile->hit_cost_ns);
	json_u64(json, "cpu_ns", profile->cpu_ns);
	json_double(json, "slowdown_percent", profile->slowdown_percent);
	json_close(json);
	json_restraint_write(json, &profile->restraint);
	write_model(json, profile, summary);
	json_profile_ledger(json, profile->ledger);
}

/* --- the tables --- */

/* Raw samples and the estimates made of them. */
static void write_counts(struct json *json, const struct profile *profile, u64 alloc_samples, u64 inuse_samples,
			 const u64 value[MEASURE_MAX])
{
	json_u64(json, "alloc_samples", alloc_samples);
	json_u64_if(json, "inuse_samples", !profile->alloc_only, inuse_samples);
	json_profile_measures(json, profile_names(profile), value, profile->alloc_only);
}

static void write_site(struct json *json, const struct profile *profile, const struct profile_site *site)
{
	json_object(json, NULL);
	json_u64_if(json, "location", site->location, site->location ? (u64)(site->location - profile->locations) : 0);
	json_u64_if(json, "line", profile_site_line(site), site->line);
	json_u64(json, "example", (u64)(site->example - profile->samples));
	write_counts(json, profile, site->alloc_samples, site->inuse_samples, site->value);
	json_profile_errors(json, profile_names(profile), site->stderr_value, profile->alloc_only);
	write_lifespan(json, profile, &site->lifetime_summary);
	json_close(json);
}

static void write_labels(struct json *json, const struct profile_labels *labels)
{
	json_object(json, NULL);
	known(json, "pid", labels->pid);
	json_text(json, "comm", labels->comm);
	json_text(json, "container", labels->container);
	json_text(json, "container_id", labels->container_id);
	json_close(json);
}

static void write_residency(struct json *json, const struct sample_residency *residency)
{
	if (!residency)
		return;
	json_object(json, "residency");
	json_u64(json, "objects", residency->objects);
	json_u64(json, "bytes", residency->bytes);
	json_u64(json, "resident_bytes", residency->resident);
	json_u64(json, "swapped_bytes", residency->swapped);
	json_u64(json, "pieces_read", residency->read);
	json_u64(json, "pieces_zero", residency->zero);
	json_close(json);
}

static void write_sample(struct json *json, const struct profile *profile, const struct profile_sample *sample)
{
	u64 value[MEASURE_MAX];

	profile_sample_values(profile, sample, value);
	json_object(json, NULL);
	json_array(json, "stack");
	for (u32 i = 0; i < sample->depth; i++)
		json_u64(json, NULL, sample->location[i]);
	json_close(json);
	if (profile->label_count)
		json_u64_if(json, "origin", sample->labels, sample->labels - 1UL);
	json_u64(json, "size", sample->size);
	write_counts(json, profile, sample->alloc_count, sample->inuse_count, value);
	write_lifetime(json, sample->lifetime);
	write_residency(json, sample->residency);
	json_close(json);
}

static void write_line(struct json *json, const struct profile_line *line)
{
	json_object(json, NULL);
	json_text(json, "function", line->function);
	json_text(json, "system_name", line->system_name);
	json_text(json, "file", line->file);
	json_u64(json, "line", line->line);
	json_u64(json, "start_line", line->start_line);
	json_text(json, "role", frame_role_name(line->role));
	json_close(json);
}

static void write_location(struct json *json, const struct profile *profile, const struct profile_location *location)
{
	json_object(json, NULL);
	json_u64(json, "address", location->address);
	json_u64_if(json, "mapping", location->mapping < profile->mapping_count, location->mapping);
	json_u64(json, "function_offset", location->function_offset);
	json_array(json, "lines");
	for (u32 i = 0; i < location->line_count; i++)
		write_line(json, &location->lines[i]);
	json_close(json);
	json_close(json);
}

static void write_mapping(struct json *json, const struct profile_mapping *mapping)
{
	char build_id[PROFILE_BUILD_ID_SIZE];

	json_object(json, NULL);
	json_u64(json, "start", mapping->start);
	json_u64(json, "end", mapping->end);
	json_u64(json, "file_offset", mapping->file_offset);
	json_text(json, "path", mapping->path);
	json_text(json, "build_id", mapping->build_id_size ? profile_build_id(mapping, build_id) : NULL);
	json_close(json);
}

static void write_tables(struct json *json, const struct profile *profile, const struct profile_site *sites, u32 count)
{
	json_rows(json, "sites");
	for (u32 i = 0; i < count; i++)
		write_site(json, profile, &sites[i]);
	json_close(json);
	if (profile->label_count) {
		json_rows(json, "origins");
		for (u32 i = 0; i < profile->label_count; i++)
			write_labels(json, &profile->labels[i]);
		json_close(json);
	}
	json_rows(json, "samples");
	for (u32 i = 0; i < profile->sample_count; i++)
		write_sample(json, profile, &profile->samples[i]);
	json_close(json);
	json_rows(json, "locations");
	for (u32 i = 0; i < profile->location_count; i++)
		write_location(json, profile, &profile->locations[i]);
	json_close(json);
	json_rows(json, "mappings");
	for (u32 i = 0; i < profile->mapping_count; i++)
		write_mapping(json, &profile->mappings[i]);
	json_close(json);
}

int json_profile_write(const struct profile *profile, FILE *out)
{
	struct lifetime_summary summary = {0};
	struct profile_site *sites;
	struct json json;
	u32 count;
	int err = profile->model.known ? lifetime_summary_of_process(profile, &summary) : 0;

	if (!err)
		err = profile_sites(profile, profile->alloc_only ? ALLOC_SPACE : INUSE_SPACE, &sites, &count);
	if (err)
		return err;
	json_begin(&json, out);
	write_process(&json, profile, &summary);
	write_tables(&json, profile, sites, count);
	free(sites);
	return json_end(&json);
}
