/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/index_write.h"

#include "format/json_memory.h"
#include "format/json_profile.h"
#include "format/json_restraint.h"
#include "format/output_file.h"
#include "profile/ledger.h"
#include "view/population.h"

/* Integers even with --alloc-only: sums over what the .pb.gz holds, and a sum over nothing is 0. */
static void write_sums(struct json *json, const struct index_entry *entry)
{
	json_texts(json, "files", (const char *const *)entry->files);
	json_u64(json, "start_unix_ns", entry->facts->start_unix_ns);
	json_u64(json, "duration_ns", entry->facts->duration_ns);
	json_profile_measures(json, profile_measure_names, entry->total, false);
	json_profile_errors(json, profile_measure_names, entry->stderr_total, entry->facts->alloc_only);
	json_u64(json, "samples", entry->samples);
	json_object(json, "hits");
	json_u64(json, "alloc", entry->facts->ledger[COUNTER_HITS_ALLOC]);
	json_u64(json, "free", entry->facts->ledger[COUNTER_HITS_FREE]);
	json_close(json);
}

static u64 less(u64 whole, u64 part)
{
	return whole > part ? whole - part : 0;
}

static void write_part(struct json *json, const char *name, u64 processes, u64 objects, u64 space)
{
	json_object(json, name);
	json_u64(json, "processes", processes);
	json_u64(json, profile_measure_names[INUSE_OBJECTS], objects);
	json_u64(json, profile_measure_names[INUSE_SPACE], space);
	json_close(json);
}

/* What is in use now, and what was in use when processes ended. */
static void write_parts(struct json *json, const struct index_entry *sum)
{
	const struct profile_ended ended = index_entry_ended(sum);

	write_part(json, "living", less(sum->facts->processes, ended.processes),
		   less(sum->total[INUSE_OBJECTS], ended.inuse_objects),
		   less(sum->total[INUSE_SPACE], ended.inuse_space));
	write_part(json, "ended", ended.processes, ended.inuse_objects, ended.inuse_space);
}

static void write_cost(struct json *json, const struct profile *facts)
{
	json_u64(json, "cpu_ns", facts->cpu_ns);
	json_double(json, "slowdown_percent", facts->slowdown_percent);
	json_restraint_write(json, &facts->restraint);
	json_profile_ledger(json, facts->ledger);
}

/* Only of a recording with --mappings. */
static void write_regions(struct json *json, const struct index_entry *entry)
{
	if (!entry->regions_known)
		return;
	json_object(json, "mappings");
	json_object(json, "program");
	json_profile_measures(json, profile_region_names, entry->program_regions, false);
	json_close(json);
	json_object(json, "allocator");
	json_profile_measures(json, profile_region_names, entry->allocator_regions, false);
	json_close(json);
	json_object(json, "ledger");
	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		if (entry->region_ledger[i])
			json_u64(json, ledger_name(i), entry->region_ledger[i]);
	json_close(json);
	json_close(json);
}

static void write_process(struct json *json, const struct index_entry *entry)
{
	json_object(json, NULL);
	json_profile_identity(json, entry->facts);
	if (entry->facts->go.version[0])
		json_u64(json, "sample_bytes", entry->facts->sample_bytes);
	write_sums(json, entry);
	if (entry->facts->processes)
		write_parts(json, entry);
	json_profile_peak(json, entry->facts);
	json_profile_rss(json, entry->facts);
	json_profile_memory(json, entry->facts);
	write_regions(json, entry);
	json_profile_growth(json, entry->facts, &entry->lifespan);
	write_cost(json, entry->facts);
	json_close(json);
}

static void write_merged(struct json *json, const struct index_entry *entry)
{
	json_object(json, NULL);
	json_text(json, "name", entry->facts->stem);
	json_text(json, "container", entry->facts->container);
	json_text(json, "container_name", entry->facts->container_name);
	json_u64(json, "processes", entry->facts->processes);
	write_sums(json, entry);
	write_parts(json, entry);
	json_memory_write(json, &entry->facts->memory);
	write_regions(json, entry);
	write_cost(json, entry->facts);
	json_close(json);
}

static void write_head(struct json *json, const struct recording *recording, const struct index_entry *sum)
{
	json_text(json, "heaptap", recording->version);
	json_u64(json, "sample_bytes", recording->sample_bytes);
	json_text(json, "attach", recording->attach);
	json_u64(json, "start_unix_ns", recording->start_unix_ns);
	json_u64(json, "duration_ns", recording->duration_ns);
	json_texts(json, "options", recording->options);
	write_parts(json, sum);
	json_memory_write(json, &sum->facts->memory);
	json_memory_group_write(json, &recording->group);
	json_u64(json, "processes_missing", recording->processes_missing);
	json_u64(json, "processes_refused", recording->processes_refused);
	json_profile_ledger(json, sum->facts->ledger);
}

int index_write(const struct recording *recording, const struct index_entry *entries, u32 count, FILE *out)
{
	struct population population;
	struct json json;

	population_sum(entries, count, &population);
	json_begin(&json, out);
	write_head(&json, recording, &population.sum);
	json_rows(&json, "processes");
	for (u32 i = 0; i < count; i++)
		write_process(&json, &entries[i]);
	json_close(&json);
	if (recording->merged) {
		json_rows(&json, "merged");
		for (u32 i = 0; i < recording->merged_count; i++)
			write_merged(&json, &recording->merged[i]);
		json_close(&json);
	}
	return json_end(&json);
}

int index_write_file(int dir, const struct recording *recording, const struct index_entry *entries, u32 count)
{
	struct output_file file;
	int err = output_file_open(&file, dir);

	return err ? err : output_file_close(&file, index_write(recording, entries, count, file.out), "index.json");
}
