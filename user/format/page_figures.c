/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_figures.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "format/json_profile.h"
#include "format/page_data.h"
#include "format/table_summary.h"
#include "format/table_view.h"

#define COLUMNS TABLE_VIEW_COLUMNS

/* --- what the terminal says --- */

/* Lines of a text, which is taken apart. */
static void write_lines(const char *name, char *text, struct json *json)
{
	char *rest = text, *line;

	json_array(json, name);
	while ((line = strsep(&rest, "\n")))
		if (*line || rest)
			json_text(json, NULL, line);
	json_close(json);
}

static void print_summary(const struct page *page, const struct page_view *view, const struct overview *overview,
			  FILE *out)
{
	struct table_summary several = {.entries = page->entries, .count = page->entry_count, .all = overview};

	if (view->kind == PAGE_VIEW_ALL)
		table_summary_print_several(&several, COLUMNS, out);
	else
		table_summary_print(overview, COLUMNS, out);
}

/* The processes that grow: what their sites do is in views of their own. */
static void print_growing_processes(const struct page *page, FILE *out)
{
	for (u32 i = 0; i < page->entry_count; i++) {
		const struct index_entry *entry = &page->entries[i];

		if (entry->lifespan.verdict == VERDICT_GROWING)
			fprintf(out, "grows: %" PRIu32 " %s, %s/s\n", entry->facts->pid, text_plain(entry->facts->comm),
				units_bytes(entry->lifespan.growth).text);
	}
}

static int write_words(const struct page *page, const struct page_view *view, const struct overview *overview,
		       struct json *json)
{
	char *summary = NULL, *verdicts = NULL;
	size_t size;
	FILE *out = open_memstream(&summary, &size);
	int err = out ? 0 : -ENOMEM;

	if (out) {
		print_summary(page, view, overview, out);
		err = fclose(out) ? -ENOMEM : 0;
	}
	out = err ? NULL : open_memstream(&verdicts, &size);
	if (out) {
		if (view->kind == PAGE_VIEW_ALL)
			print_growing_processes(page, out);
		else
			table_summary_print_growing(overview, COLUMNS, out);
		err = fclose(out) ? -ENOMEM : 0;
	}
	if (!out || err) {
		err = -ENOMEM;
	} else {
		write_lines("summary", summary, json);
		write_lines("verdicts", verdicts, json);
	}
	free(summary);
	free(verdicts);
	return err;
}

/* --- figures --- */

static void write_facts(const struct profile *profile, struct json *json)
{
	json_object(json, "facts");
	json_profile_identity(json, profile);
	json_u64_text(json, "start_unix_ns", profile->start_unix_ns);
	json_u64(json, "duration_ns", profile->duration_ns);
	json_u64(json, "sample_bytes", profile->sample_bytes);
	json_bool(json, "alloc_only", profile->alloc_only);
	json_profile_peak(json, profile);
	json_profile_rss(json, profile);
	json_profile_memory(json, profile);
	json_close(json);
}

static void write_totals(const struct overview *overview, struct json *json)
{
	const struct profile_site *sums = &overview->sums;

	json_object(json, "totals");
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		if (overview->profile->alloc_only && measure_is_inuse(m)) {
			json_null(json, profile_measure_names[m]);
			continue;
		}
		json_object(json, profile_measure_names[m]);
		json_u64(json, "value", sums->value[m]);
		json_double(json, "error", sums->stderr_value[m]);
		json_u64(json, "samples", measure_is_inuse(m) ? sums->inuse_samples : sums->alloc_samples);
		json_close(json);
	}
	json_close(json);
}

static void write_growth(const struct overview *overview, struct json *json)
{
	const struct lifetime_summary *process = &overview->process;
	bool grows = process->verdict == VERDICT_GROWING;

	if (!process->samples) {
		json_null(json, "growth");
		return;
	}
	json_object(json, "growth");
	json_text(json, "verdict", verdict_name(process->verdict));
	json_double(json, "bytes_per_second", grows ? process->growth : NAN);
	json_double(json, "error", grows ? process->growth_error : NAN);
	json_double(json, "seconds_to_limit", lifetime_summary_time_left(overview->profile, process));
	json_close(json);
}

static void write_losses(const struct overview *overview, struct json *json)
{
	const u64 *ledger = overview->profile->ledger;

	json_array(json, "losses");
	for (unsigned int i = 0; i < COUNTER_MAX; i++) {
		if (!ledger_is_loss(i) || !ledger[i])
			continue;
		json_object(json, NULL);
		json_text(json, "name", ledger_name(i));
		json_text(json, "meaning", ledger_meaning(i));
		json_u64(json, "count", ledger[i]);
		json_close(json);
	}
	json_close(json);
	json_s64(json, "balance", overview->losses.missing);
}

static void write_cost(const struct profile *profile, struct json *json)
{
	u64 traps = profile->ledger[COUNTER_HITS_ALLOC] + profile->ledger[COUNTER_HITS_FREE];

	if (!traps) {
		json_null(json, "cost");
		return;
	}
	json_object(json, "cost");
	json_u64(json, "traps", traps);
	json_double(json, "ns_each", profile->hit_cost_ns);
	json_double(json, "percent", profile->cpu_ns ? profile->slowdown_percent : NAN);
	json_close(json);
}

/* --- all --- */

int page_figures_write(const struct page *page, const struct page_view *view, const struct overview *overview,
		       struct json *json)
{
	static const char *const kinds[] = {
		[PAGE_VIEW_PROCESS] = "process", [PAGE_VIEW_CONTAINER] = "container", [PAGE_VIEW_ALL] = "all"};
	int err;

	json_text(json, "name", view->name);
	json_text(json, "kind", kinds[view->kind]);
	err = write_words(page, view, overview, json);
	write_facts(view->profile, json);
	write_totals(overview, json);
	write_growth(overview, json);
	write_losses(overview, json);
	write_cost(view->profile, json);
	json_text(json, "by", profile_measure_names[overview->by]);
	return err;
}
