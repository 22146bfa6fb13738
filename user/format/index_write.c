/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/index_write.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/string_list.h"
#include "format/json_profile.h"
#include "format/output_file.h"

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
	write_cost(json, entry->facts);
	json_close(json);
}

static void write_head(struct json *json, const struct recording *recording, const u64 ledger[COUNTER_MAX])
{
	json_text(json, "heaptap", recording->version);
	json_u64(json, "sample_bytes", recording->sample_bytes);
	json_text(json, "attach", recording->attach);
	json_u64(json, "start_unix_ns", recording->start_unix_ns);
	json_u64(json, "duration_ns", recording->duration_ns);
	json_texts(json, "options", recording->options);
	json_profile_ledger(json, ledger);
}

int index_write(const struct recording *recording, const struct index_entry *entries, u32 count, FILE *out)
{
	u64 ledger[COUNTER_MAX] = {0};
	struct json json;

	for (u32 i = 0; i < count; i++)
		for (unsigned int c = 0; c < COUNTER_MAX; c++)
			ledger[c] += entries[i].facts->ledger[c];
	json_begin(&json, out);
	write_head(&json, recording, ledger);
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
