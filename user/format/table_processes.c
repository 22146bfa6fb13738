/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_processes.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/site_label.h"
#include "profile/ledger.h"
#include "base/units.h"

#define COMM_COLUMNS	  24
#define COMM_BESIDE	  15 /* a container */
#define CONTAINER_COLUMNS 15
#define LOSS_COLUMNS	  76

static u64 losses(const struct index_entry *entry)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		sum += ledger_is_loss(i) ? entry->facts->ledger[i] : 0;
	return sum;
}

static int descending(u64 a, u64 b)
{
	return a > b ? -1 : a < b;
}

static int by_size(const void *a, const void *b)
{
	const struct index_entry *left = *(const struct index_entry *const *)a;
	const struct index_entry *right = *(const struct index_entry *const *)b;
	int order = descending(left->total[INUSE_SPACE], right->total[INUSE_SPACE]);

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

static bool is_growing(const struct index_entry *entry)
{
	return entry->lifespan.verdict == VERDICT_GROWING && !entry->facts->exited;
}

static bool same_group(const struct profile *a, const struct profile *b)
{
	return a->cgroup && b->cgroup && !strcmp(a->cgroup, b->cgroup);
}

/* Until the growing processes of its group together reach the group's limit: INFINITY where it has none of either. */
static double time_left(const struct index_entry *entries, u32 count, const struct index_entry *entry)
{
	struct lifetime_summary group = {.growth = is_growing(entry) ? entry->lifespan.growth : 0};

	if (!is_growing(entry) || !entry->facts->memory_limit)
		return INFINITY;
	for (u32 i = 0; i < count; i++)
		if (&entries[i] != entry && is_growing(&entries[i]) && same_group(entries[i].facts, entry->facts))
			group.growth += entries[i].lifespan.growth;
	return lifetime_summary_time_left(entry->facts, &group);
}

static const char *verdict(const struct index_entry *entry)
{
	return entry->lifespan.samples ? verdict_name(entry->lifespan.verdict) : "-";
}

static void print_row(const struct index_entry *entry, double left_s, FILE *out)
{
	char id[SITE_LABEL_ID_COLUMNS + 1], comm[SITE_LABEL_SIZE], container[SITE_LABEL_SIZE];
	const char *in = site_label_container(entry->facts, id);
	bool grows = entry->lifespan.verdict == VERDICT_GROWING;

	fprintf(out, "  %10s %10s %10s %8s %10s %-9s %8s  %12s  ",
		entry->facts->alloc_only ? "-" : units_bytes((double)entry->total[INUSE_SPACE]).text,
		units_bytes((double)entry->total[ALLOC_SPACE]).text, units_digits(entry->samples).text,
		units_digits(losses(entry)).text, grows ? units_bytes(entry->lifespan.growth).text : "-",
		verdict(entry), isfinite(left_s) ? units_seconds(left_s * 1e9).text : "-", who(entry).text);
	name(entry->facts->comm, in ? COMM_BESIDE : COMM_COLUMNS, comm);
	if (in)
		fprintf(out, "%-15s %s\n", comm, name(in, CONTAINER_COLUMNS, container));
	else
		fprintf(out, "%s\n", comm);
}

void table_processes_print(const struct index_entry *entries, u32 count, unsigned int top, FILE *out)
{
	const struct index_entry **order = sort(entries, count, by_size);
	u32 sampled = 0, shown;
	u64 processes = 0;

	for (u32 i = 0; i < count; i++) {
		processes += entries[i].facts->processes ? entries[i].facts->processes : 1;
		sampled += entries[i].samples > 0;
	}
	if (!order) {
		fputs("(no memory for the table of processes)\n", out);
		return;
	}
	shown = sampled < top ? sampled : top;
	fprintf(out, "Processes: %" PRIu64 "\n", processes);
	if (shown)
		fprintf(out, "  %10s %10s %10s %8s %10s %-9s %8s  %12s  %-15s %s\n", "in use", "allocated", "samples",
			"losses", "growth/s", "verdict", "to limit", "pid", "name", "container");
	for (u32 i = 0; i < shown; i++)
		print_row(order[i], time_left(entries, count, order[i]), out);
	if (sampled > shown)
		fprintf(out, "  and %" PRIu32 " more with samples\n", sampled - shown);
	if (count > sampled)
		fprintf(out, "  %s%" PRIu32 " without a sample\n", shown ? "and " : "", count - sampled);
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
