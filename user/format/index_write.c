/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/index_write.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/string_list.h"
#include "format/json_profile.h"
#include "format/output_file.h"
#include "profile/merge.h"

/* --- entries --- */

static u64 sampled_allocations(const struct profile *profile)
{
	u64 count = 0;

	for (u32 i = 0; i < profile->sample_count; i++)
		count += profile->samples[i].alloc_count;
	return count;
}

struct index_entry index_entry_of(const struct profile *profile, char *const *files)
{
	static char *const none[] = {NULL};
	struct index_entry entry = {.facts = profile, .files = files ? files : none};

	profile_totals(profile, entry.total);
	entry.samples = sampled_allocations(profile);
	if (profile->model.known) /* without memory for it the verdict stays unknown */
		lifetime_summary_of_process(profile, &entry.lifespan);
	return entry;
}

struct profile_ended index_entry_ended(const struct index_entry *entry)
{
	if (entry->facts->processes || !entry->facts->exited)
		return entry->facts->ended;
	return (struct profile_ended){1, entry->total[INUSE_OBJECTS], entry->total[INUSE_SPACE]};
}

void index_entries_sum(const struct index_entry *entries, u32 count, struct profile *facts, struct index_entry *ret_sum)
{
	struct profile_ended ended = {0};

	*ret_sum = (struct index_entry){.facts = facts};
	for (u32 i = 0; i < count; i++) {
		struct profile_ended more = index_entry_ended(&entries[i]);

		ended.processes += more.processes;
		ended.inuse_objects += more.inuse_objects;
		ended.inuse_space += more.inuse_space;
		merge_facts(facts, entries[i].facts);
		ret_sum->samples += entries[i].samples;
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			ret_sum->total[m] += entries[i].total[m];
	}
	facts->ended = ended;
}

int index_table_add(struct index_table *table, struct profile *profile, char **files)
{
	if (!files)
		files = calloc(1, sizeof(*files));
	if (!files || array_grow(&table->entries, table->count, 1)) {
		string_list_free(files);
		profile_free(profile);
		return -ENOMEM;
	}
	table->entries[table->count++] = index_entry_of(profile, files);
	profile_strip(profile);
	return 0;
}

static int compare_begin(const void *a, const void *b)
{
	const struct profile *left = ((const struct index_entry *)a)->facts;
	const struct profile *right = ((const struct index_entry *)b)->facts;

	if (left->start_unix_ns != right->start_unix_ns)
		return left->start_unix_ns < right->start_unix_ns ? -1 : 1;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return left->image < right->image ? -1 : left->image > right->image;
}

void index_table_sort(struct index_table *table)
{
	if (table->count)
		qsort(table->entries, table->count, sizeof(*table->entries), compare_begin);
}

void index_table_release(struct index_table *table)
{
	for (u32 i = 0; i < table->count; i++) {
		string_list_free((char **)table->entries[i].files);
		profile_free((struct profile *)table->entries[i].facts);
	}
	free(table->entries);
}

/* --- the text --- */

/* Integers even with --alloc-only: sums over what the .pb.gz holds, and a sum over nothing is 0. */
static void write_sums(struct json *json, const struct index_entry *entry)
{
	json_texts(json, "files", (const char *const *)entry->files);
	json_u64(json, "start_unix_ns", entry->facts->start_unix_ns);
	json_u64(json, "duration_ns", entry->facts->duration_ns);
	json_profile_measures(json, entry->total, false);
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
	json_profile_ledger(json, facts->ledger);
}

static void write_process(struct json *json, const struct index_entry *entry)
{
	json_object(json, NULL);
	json_profile_identity(json, entry->facts);
	write_sums(json, entry);
	if (entry->facts->processes)
		write_parts(json, entry);
	json_profile_peak(json, entry->facts);
	json_profile_rss(json, entry->facts);
	json_profile_memory(json, entry->facts);
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
	json_u64(json, "processes_missing", recording->processes_missing);
	json_u64(json, "processes_refused", recording->processes_refused);
	json_profile_ledger(json, sum->facts->ledger);
}

int index_write(const struct recording *recording, const struct index_entry *entries, u32 count, FILE *out)
{
	struct profile facts = {0};
	struct index_entry sum;
	struct json json;

	index_entries_sum(entries, count, &facts, &sum);
	json_begin(&json, out);
	write_head(&json, recording, &sum);
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
