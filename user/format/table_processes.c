/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_processes.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "format/process_end.h"
#include "format/site_label.h"
#include "format/summary_line.h"
#include "format/table_view.h"
#include "profile/ledger.h"
#include "view/population.h"

#define COMM_COLUMNS	  24
#define COMM_BESIDE	  15 /* a container */
#define CONTAINER_COLUMNS 15
#define LOSS_COLUMNS	  76

static u64 losses(const struct index_entry *entry)
{
	return ledger_losses(entry->facts->ledger).count;
}

static int descending(u64 a, u64 b)
{
	return a > b ? -1 : a < b;
}

static int by_weight(const void *a, const void *b)
{
	const struct index_entry *left = *(const struct index_entry *const *)a;
	const struct index_entry *right = *(const struct index_entry *const *)b;
	int order = descending(index_entry_rank(left), index_entry_rank(right));

	order = order ? order : descending(left->total[ALLOC_SPACE], right->total[ALLOC_SPACE]);
	order = order ? order : descending(left->samples, right->samples);
	return order ? order : descending(right->facts->pid, left->facts->pid);
}

static int by_losses(const void *a, const void *b)
{
	const struct index_entry *left = *(const struct index_entry *const *)a;
	const struct index_entry *right = *(const struct index_entry *const *)b;
	int order = descending(losses(left), losses(right));

	return order ? order : descending(right->facts->pid, left->facts->pid);
}

/* NULL: no memory. */
static const struct index_entry **sort(const struct index_entry *entries, u32 count,
				       int (*compare)(const void *a, const void *b))
{
	const struct index_entry **order = calloc(count + 1UL, sizeof(const struct index_entry *));

	for (u32 i = 0; order && i < count; i++)
		order[i] = &entries[i];
	if (order)
		qsort(order, count, sizeof(const struct index_entry *), compare);
	return order;
}

/* A name that a process chose, cut and made printable. */
static const char *name(const char *text, int columns, char buffer[SITE_LABEL_SIZE])
{
	snprintf(buffer, SITE_LABEL_SIZE, "%.*s", columns, text ? text : "");
	return text_printable(buffer);
}

static struct units_text who(const struct index_entry *entry)
{
	if (entry->facts->processes)
		return units_format("%" PRIu32 " merged", entry->facts->processes);
	if (entry->facts->image > 1)
		return units_format("%" PRIu32 "-%" PRIu32, entry->facts->pid, entry->facts->image);
	return units_format("%" PRIu32, entry->facts->pid);
}

static const char *verdict(const struct index_entry *entry)
{
	return entry->lifespan.samples ? verdict_name(entry->lifespan.verdict) : "-";
}

static struct units_text bytes(u64 bytes_known)
{
	return bytes_known ? units_bytes((double)bytes_known) : units_format("-");
}

static struct units_text in_use(const struct index_entry *entry)
{
	return entry->facts->alloc_only ? units_format("-") : units_bytes((double)entry->total[INUSE_SPACE]);
}

/* An ended process's last size is the one seen last; one that the OOM killer ended was at its largest. */
static struct units_text resident_end(const struct profile *facts)
{
	return bytes(facts->exit.oom_killed || !facts->rss_end_bytes ? facts->rss_peak_bytes : facts->rss_end_bytes);
}

static struct units_text growth(const struct index_entry *entry)
{
	return entry->lifespan.verdict == VERDICT_GROWING ? units_bytes(entry->lifespan.growth) : units_format("-");
}

static void print_row(const struct index_entry *entry, double left_s, FILE *out)
{
	char id[SITE_LABEL_ID_COLUMNS + 1], comm[SITE_LABEL_SIZE], container[SITE_LABEL_SIZE], end[PROCESS_END_SIZE];
	const char *in = site_label_container(entry->facts, id);

	fprintf(out, "  %10s %10s %10s %10s %10s %-9s %8s %-9s %12s  ", in_use(entry).text,
		units_bytes((double)entry->total[ALLOC_SPACE]).text, bytes(entry->facts->rss_start_bytes).text,
		resident_end(entry->facts).text, growth(entry).text, verdict(entry),
		isfinite(left_s) ? units_seconds(left_s * 1e9).text : "-", process_end_brief(entry->facts, end),
		who(entry).text);
	name(entry->facts->comm, in ? COMM_BESIDE : COMM_COLUMNS, comm);
	if (in)
		fprintf(out, "%-15s %s\n", comm, name(in, CONTAINER_COLUMNS, container));
	else
		fprintf(out, "%s\n", comm);
}

/* Where how it ended is more to the point than how it grew, it stands in the place of that. */
static void print_brief_row(const struct index_entry *entry, unsigned int columns, FILE *out)
{
	char id[SITE_LABEL_ID_COLUMNS + 1], line[SITE_LABEL_SIZE], end[PROCESS_END_SIZE];
	const char *in = site_label_container(entry->facts, id);

	snprintf(line, sizeof(line), "  %10s %10s %10s %10s %-9s %8s  %s%s%s", in_use(entry).text,
		 bytes(entry->facts->rss_start_bytes).text, resident_end(entry->facts).text,
		 entry->facts->exited ? process_end_brief(entry->facts, end) : growth(entry).text, verdict(entry),
		 who(entry).text, entry->facts->comm, in ? " in " : "", in ? in : "");
	text_cut(text_printable(line), table_view_line(columns));
	fprintf(out, "%s\n", line);
}

static u32 count_sampled(const struct index_entry *entries, u32 count)
{
	u32 sampled = 0;

	for (u32 i = 0; i < count; i++)
		sampled += entries[i].samples > 0;
	return sampled;
}

/* Below the rows; how many others there are. */
static void print_others(u32 sampled, u32 shown, u32 silent, const char *where, FILE *out)
{
	if (sampled > shown && silent)
		fprintf(out, "  and %" PRIu32 " more with samples, %" PRIu32 " without%s\n", sampled - shown, silent,
			where);
	else if (sampled > shown)
		fprintf(out, "  and %" PRIu32 " more with samples%s\n", sampled - shown, where);
	else if (silent)
		fprintf(out, "  %s%" PRIu32 " without a sample\n", shown ? "and " : "", silent);
}

void table_processes_print(const struct index_entry *entries, u32 count, unsigned int top, FILE *out)
{
	const struct index_entry **order = sort(entries, count, by_weight);
	u32 sampled = count_sampled(entries, count), shown = sampled < top ? sampled : top;
	struct population population;
	char line[SUMMARY_LINE_SIZE];

	if (!order) {
		fputs("(no memory for the table of processes)\n", out);
		return;
	}
	population_sum(entries, count, &population);
	fprintf(out, "Processes: %" PRIu32 "\n", population.facts.processes);
	fprintf(out, "%s\n", summary_line_population(&population, line));
	if (shown)
		fprintf(out, "  %10s %10s %10s %10s %10s %-9s %8s %-9s %12s  %-15s %s\n", "in use", "allocated",
			"RSS start", "RSS end", "growth/s", "verdict", "to limit", "ended", "pid", "name", "container");
	for (u32 i = 0, row = 0; row < shown; i++)
		if (order[i]->samples && ++row)
			print_row(order[i], population_time_left(entries, count, order[i]), out);
	print_others(sampled, shown, count - sampled, "", out);
	free(order);
}

void table_processes_print_brief(const struct index_entry *entries, u32 count, unsigned int top, unsigned int columns,
				 FILE *out)
{
	const struct index_entry **order = sort(entries, count, by_weight);
	u32 sampled = count_sampled(entries, count), shown = sampled < top ? sampled : top;

	if (shown && order)
		fprintf(out, "  %10s %10s %10s %10s %-9s %8s  %s\n", "in use", "RSS start", "RSS end", "growth/s",
			"verdict", "pid", "name");
	for (u32 i = 0, row = 0; order && row < shown; i++)
		if (order[i]->samples && ++row)
			print_brief_row(order[i], columns, out);
	print_others(sampled, order ? shown : 0, count - sampled, "; -v or 'heaptap report' shows more", out);
	free(order);
}

static void print_loss(const struct index_entry *entry, FILE *out)
{
	char comm[SITE_LABEL_SIZE], text[256] = "";
	size_t length = 0;

	for (unsigned int i = 0; i < COUNTER_MAX && length < LOSS_COLUMNS; i++)
		if (ledger_is_loss(i) && entry->facts->ledger[i])
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %s", length ? ", " : "",
						   ledger_name(i), units_digits(entry->facts->ledger[i]).text);
	fprintf(out, "  %14s  %-16s %s\n", who(entry).text, name(entry->facts->comm, COMM_COLUMNS, comm), text);
}

void table_processes_print_losses(const struct index_entry *entries, u32 count, unsigned int top, FILE *out)
{
	const struct index_entry **order = sort(entries, count, by_losses);
	u32 lost = 0;

	while (order && lost < count && losses(order[lost]))
		lost++;
	if (lost)
		fputs("\nLosses by process\n", out);
	for (u32 i = 0; i < lost && i < top; i++)
		print_loss(order[i], out);
	if (lost > top)
		fprintf(out, "  and %" PRIu32 " more\n", lost - top);
	free(order);
}
