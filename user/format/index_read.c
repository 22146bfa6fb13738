/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values may be hostile: one of an unexpected type counts as missing. */
#include "format/index_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/string_list.h"
#include "base/text.h"
#include "format/json_memory.h"
#include "format/json_restraint.h"
#include "profile/ledger.h"

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* A whole number, rounded where it has more digits than a double, as times of day do. 0: none below 2^63. */
static u64 number_of(const cJSON *object, const char *name)
{
	const cJSON *item = member(object, name);

	return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble < 0x1p63 ? item->valuedouble : 0;
}

/* A figure, else `unknown`: none is negative, and none 2^63, which is more than any number of bytes. */
static double figure_of(const cJSON *object, const char *name, double unknown)
{
	const cJSON *item = member(object, name);

	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 0x1p63 ? item->valuedouble
											    : unknown;
}

static u64 measure_of(const cJSON *row, enum measure measure)
{
	return number_of(row, profile_measure_names[measure]);
}

/* `name` may lack the folders in front of it. */
static bool is_named(const char *file, const char *name)
{
	size_t length = strlen(file), end = strlen(name);

	return length >= end && !strcmp(file + length - end, name) && (length == end || file[length - end - 1] == '/');
}

static bool lists_file(const cJSON *row, const char *name)
{
	const cJSON *file;

	cJSON_ArrayForEach (file, member(row, "files"))
		if (cJSON_IsString(file) && is_named(file->valuestring, name))
			return true;
	return false;
}

/* What the row says that was allocated, or of mappings that was mapped by whomever. */
static u64 sum_of(const cJSON *row, const struct profile *profile, enum measure measure)
{
	const cJSON *mappings = member(row, "mappings");
	const char *name = profile_names(profile)[measure];

	if (profile->kind != PROFILE_REGIONS)
		return number_of(row, name);
	return number_of(member(mappings, "program"), name) + number_of(member(mappings, "allocator"), name);
}

/* Equal, but for what rounding does to numbers of more digits than a double has, and to the sum of two. */
static bool same_number(u64 a, u64 b)
{
	return (a > b ? a - b : b - a) <= a >> 51;
}

/* The row that lists file `name` and has the same sums as its profile. NULL: none. */
static const cJSON *find_row(const cJSON *index, const char *list, const char *name, const struct profile *profile)
{
	const cJSON *row;
	u64 totals[MEASURE_MAX];

	profile_totals(profile, totals);
	cJSON_ArrayForEach (row, member(index, list))
		if (lists_file(row, name) && same_number(sum_of(row, profile, ALLOC_SPACE), totals[ALLOC_SPACE]) &&
		    same_number(sum_of(row, profile, ALLOC_OBJECTS), totals[ALLOC_OBJECTS]))
			return row;
	return NULL;
}

static void take_text(const cJSON *process, const char *name, char **text)
{
	const cJSON *item = member(process, name);
	char *copy = cJSON_IsString(item) ? strdup(item->valuestring) : NULL;

	if (!copy)
		return;
	free(*text);
	*text = copy;
}

static void take_ledger(const cJSON *process, struct profile *profile)
{
	bool regions = profile->kind == PROFILE_REGIONS;
	const cJSON *ledger = member(regions ? member(process, "mappings") : process, "ledger");

	for (unsigned int i = 0; cJSON_IsObject(ledger) && i < COUNTER_MAX; i++)
		profile->ledger[i] = number_of(ledger, ledger_name(i));
}

static void take_exit(const cJSON *process, struct profile_exit *ret_exit)
{
	const cJSON *status = member(process, "exit_status"), *signal = member(process, "exit_signal");

	*ret_exit = (struct profile_exit){
		.known = cJSON_IsNumber(status) || cJSON_IsNumber(signal),
		.oom_killed = cJSON_IsTrue(member(process, "oom_killed")),
		.status = (u8)number_of(process, "exit_status"),
		.signal = (u8)number_of(process, "exit_signal"),
	};
}

/* For a row of merged processes. */
static void take_ended(const cJSON *row, struct profile_ended *ret_ended)
{
	const cJSON *ended = member(row, "ended");

	*ret_ended = (struct profile_ended){
		.processes = (u32)number_of(ended, "processes"),
		.inuse_objects = measure_of(ended, INUSE_OBJECTS),
		.inuse_space = measure_of(ended, INUSE_SPACE),
	};
}

/* For a profile that a Go program kept itself. */
static void take_go(const cJSON *process, struct profile *profile)
{
	const cJSON *go = member(process, "go"), *version = member(go, "version");

	if (!cJSON_IsString(version))
		return;
	snprintf(profile->go.version, sizeof(profile->go.version), "%s", version->valuestring);
	profile->go.cycle = (u32)number_of(go, "cycle");
	profile->go.age_ns = number_of(go, "age_ns");
	profile->go.beside = cJSON_IsTrue(member(go, "beside"));
	profile->duration_ns = number_of(process, "duration_ns"); /* its .pb.gz has none */
}

static void take_process(const cJSON *process, struct profile *profile)
{
	const cJSON *peak = member(process, "peak");
	const cJSON *rss = member(process, "rss");
	const cJSON *memory = member(process, "cgroup_memory");
	u64 hits;

	profile->pid = number_of(process, "pid");
	profile->image = number_of(process, "image");
	profile->processes = number_of(process, "processes");
	take_text(process, "comm", &profile->comm);
	take_text(process, "exe", &profile->exe);
	take_text(process, "cgroup", &profile->cgroup);
	take_text(process, "container", &profile->container);
	take_text(process, "container_name", &profile->container_name);
	profile->exited = cJSON_IsTrue(member(process, "exited"));
	take_exit(process, &profile->exit);
	take_go(process, profile);
	take_ended(process, &profile->ended);
	profile->peak_inuse_space = number_of(peak, "inuse_space");
	profile->peak_at_ns = number_of(peak, "at_ns");
	profile->rss_start_bytes = number_of(rss, "start_bytes");
	profile->rss_end_bytes = number_of(rss, "end_bytes");
	profile->rss_peak_bytes = number_of(rss, "peak_bytes");
	profile->rss_peak_seen = number_of(rss, "peak_seen_bytes");
	profile->rss_peak_inuse = number_of(rss, "inuse_space_at_peak");
	profile->memory = json_memory_read(member(process, "memory"));
	profile->cpu_ns = number_of(process, "cpu_ns");
	if (memory) {
		profile->memory_limit = number_of(memory, "limit_bytes");
		profile->memory_used = number_of(memory, "used_bytes");
	}
	profile->slowdown_percent = figure_of(process, "slowdown_percent", profile->slowdown_percent);
	profile->restraint = json_restraint_read(member(process, "max_overhead"));
	take_ledger(process, profile);
	/* The cost of a trap is not in the index, but the percentage was computed from it. */
	hits = profile->ledger[COUNTER_HITS_ALLOC] + profile->ledger[COUNTER_HITS_FREE];
	if (hits)
		profile->hit_cost_ns = profile->slowdown_percent / 100 * profile->cpu_ns / hits;
}

void index_complete(const cJSON *index, const char *name, struct profile *profile)
{
	const cJSON *row = find_row(index, "processes", name, profile);

	if (!row)
		row = find_row(index, "merged", name, profile);
	if (row)
		take_process(row, profile);
}

bool index_is_population(const cJSON *index)
{
	return cJSON_IsArray(member(index, "merged"));
}

bool index_merged_has_file(const cJSON *index, const char *name)
{
	const cJSON *row;

	cJSON_ArrayForEach (row, member(index, "merged"))
		if (lists_file(row, name))
			return true;
	return false;
}

/* What lists of processes need; an older index has none of it. */
static void take_growth(const cJSON *row, struct lifetime_summary *lifespan)
{
	const cJSON *verdict = member(row, "verdict");

	if (!cJSON_IsString(verdict))
		return;
	lifespan->samples = 1;
	lifespan->verdict = verdict_find(verdict->valuestring);
	lifespan->growth = figure_of(row, "growth_bytes_per_second", 0);
	lifespan->growth_error = figure_of(row, "growth_standard_error", NAN);
}

/* NULL: no memory. */
static char **files_of(const cJSON *row)
{
	const cJSON *list = member(row, "files"), *file;
	char **files = calloc(cJSON_GetArraySize(list) + 1UL, sizeof(*files));
	u32 count = 0;

	cJSON_ArrayForEach (file, list) {
		if (!files || !cJSON_IsString(file))
			continue;
		files[count] = strdup(file->valuestring);
		if (files[count++])
			continue;
		string_list_free(files);
		return NULL;
	}
	return files;
}

/* NAN: the index is of a heaptap that did not write it. */
static double error_of(const cJSON *row, enum measure measure)
{
	return figure_of(member(row, "standard_error"), profile_measure_names[measure], NAN);
}

/* With --alloc-only what is in use has no error, and is 0 in the index, which does not mean that nothing was. */
static bool is_alloc_only(const cJSON *row)
{
	const cJSON *errors = member(row, "standard_error");

	return cJSON_IsNumber(member(errors, profile_measure_names[ALLOC_SPACE])) &&
	       cJSON_IsNull(member(errors, profile_measure_names[INUSE_SPACE]));
}

static int add_row(const cJSON *index, const cJSON *row, struct index_table *table)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	struct index_entry *entry;
	char **files = files_of(row);

	if (!profile || !files || text_copy("", &profile->comm)) {
		profile_free(profile);
		string_list_free(files);
		return -ENOMEM;
	}
	take_process(row, profile);
	profile->start_unix_ns = number_of(row, "start_unix_ns");
	profile->duration_ns = number_of(row, "duration_ns");
	profile->sample_bytes = number_of(cJSON_IsNumber(member(row, "sample_bytes")) ? row : index, "sample_bytes");
	profile->alloc_only = is_alloc_only(row);
	if (index_table_add(table, profile, files))
		return -ENOMEM;
	entry = &table->entries[table->count - 1];
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		entry->total[m] = measure_of(row, m);
		entry->stderr_total[m] = error_of(row, m);
	}
	entry->samples = number_of(row, "samples");
	take_growth(row, &entry->lifespan);
	return 0;
}

static int read_rows(const cJSON *index, const char *list, struct index_table *table)
{
	const cJSON *row;
	int err = 0;

	cJSON_ArrayForEach (row, member(index, list))
		err = err ? err : add_row(index, row, table);
	return err;
}

int index_table_read(const cJSON *index, struct index_table *table)
{
	return read_rows(index, "processes", table);
}

int index_merged_read(const cJSON *index, struct index_table *table)
{
	return read_rows(index, "merged", table);
}

void index_head_read(const cJSON *index, struct recording *ret_recording)
{
	*ret_recording = (struct recording){
		.version = cJSON_GetStringValue(member(index, "heaptap")),
		.sample_bytes = number_of(index, "sample_bytes"),
		.attach = cJSON_GetStringValue(member(index, "attach")),
		.start_unix_ns = number_of(index, "start_unix_ns"),
		.duration_ns = number_of(index, "duration_ns"),
		.processes_missing = number_of(index, "processes_missing"),
		.processes_refused = number_of(index, "processes_refused"),
		.group = json_memory_group_read(member(index, "group_memory")),
	};
}
