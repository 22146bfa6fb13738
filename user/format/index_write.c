/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/index_write.h"

#include <errno.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/stream.h"
#include "base/string_list.h"
#include "format/json_process.h"
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
	return entry;
}

static int grow(struct index_table *table)
{
	u32 capacity = table->capacity ? 2 * table->capacity : 64;
	struct index_entry *entries;

	if (table->count < table->capacity)
		return 0;
	entries = reallocarray(table->entries, capacity, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	table->capacity = capacity;
	return 0;
}

int index_table_add(struct index_table *table, struct profile *profile, char **files)
{
	if (!files)
		files = calloc(1, sizeof(*files));
	if (!files || grow(table)) {
		string_list_free(files);
		profile_free(profile);
		return -ENOMEM;
	}
	table->entries[table->count++] = index_entry_of(profile, files);
	profile_strip(profile);
	return 0;
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

static bool add_hits(cJSON *object, const struct profile *profile)
{
	cJSON *hits = cJSON_AddObjectToObject(object, "hits");

	return json_add_u64(hits, "alloc", profile->ledger[COUNTER_HITS_ALLOC]) &&
	       json_add_u64(hits, "free", profile->ledger[COUNTER_HITS_FREE]);
}

static bool add_sums(cJSON *row, const struct index_entry *entry)
{
	/* Integers even with --alloc-only: sums over what the .pb.gz holds, and a sum over nothing is 0. */
	return json_add_u64(row, "start_unix_ns", entry->facts->start_unix_ns) &&
	       json_add_u64(row, "duration_ns", entry->facts->duration_ns) &&
	       json_add_measures(row, entry->total, false) && json_add_u64(row, "samples", entry->samples) &&
	       add_hits(row, entry->facts);
}

static cJSON *make_process(const void *table, u32 i)
{
	const struct index_entry *entry = &((const struct index_entry *)table)[i];
	const struct profile *facts = entry->facts;
	cJSON *row = cJSON_CreateObject();
	bool ok;

	ok = json_add_identity(row, facts) && json_add_texts(row, "files", (const char *const *)entry->files) &&
	     add_sums(row, entry) && json_add_peak(row, facts) && json_add_rss(row, facts) &&
	     json_add_u64(row, "cpu_ns", facts->cpu_ns) &&
	     json_add_double(row, "slowdown_percent", facts->slowdown_percent) && json_add_ledger(row, facts->ledger);
	return json_row_or_null(row, ok);
}

static cJSON *make_merged(const void *table, u32 i)
{
	const struct index_entry *entry = &((const struct index_entry *)table)[i];
	const struct profile *facts = entry->facts;
	cJSON *row = cJSON_CreateObject();
	bool ok;

	ok = json_add_text(row, "name", facts->stem) && json_add_text(row, "container", facts->container) &&
	     json_add_text(row, "container_name", facts->container_name) &&
	     json_add_u64(row, "processes", facts->processes) &&
	     json_add_texts(row, "files", (const char *const *)entry->files) && add_sums(row, entry) &&
	     json_add_u64(row, "cpu_ns", facts->cpu_ns) &&
	     json_add_double(row, "slowdown_percent", facts->slowdown_percent) && json_add_ledger(row, facts->ledger);
	return json_row_or_null(row, ok);
}

int index_write(const struct recording *recording, const struct index_entry *entries, u32 count, FILE *out)
{
	cJSON *head = cJSON_CreateObject();
	u64 ledger[COUNTER_MAX] = {0};
	bool ok;
	int err;

	for (u32 i = 0; i < count; i++)
		for (unsigned int c = 0; c < COUNTER_MAX; c++)
			ledger[c] += entries[i].facts->ledger[c];
	ok = json_add_text(head, "heaptap", recording->version) &&
	     json_add_u64(head, "sample_bytes", recording->sample_bytes) &&
	     json_add_text(head, "attach", recording->attach) &&
	     json_add_u64(head, "start_unix_ns", recording->start_unix_ns) &&
	     json_add_u64(head, "duration_ns", recording->duration_ns) &&
	     json_add_texts(head, "options", recording->options) && json_add_ledger(head, ledger);
	err = json_print_members(head, ok, out);
	if (!err)
		err = json_print_table("processes", count, make_process, entries, out);
	if (!err && recording->merged)
		err = json_print_table("merged", recording->merged_count, make_merged, recording->merged, out);
	fputs("\n}\n", out);
	return err ? err : stream_flush(out);
}

int index_write_file(int dir, const struct recording *recording, const struct index_entry *entries, u32 count)
{
	struct output_file file;
	int err = output_file_open(&file, dir);

	return err ? err : output_file_close(&file, index_write(recording, entries, count, file.out), "index.json");
}
