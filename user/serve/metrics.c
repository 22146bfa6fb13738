/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/stream.h"
#include "profile/ledger.h"
#include "serve/series.h"

struct metrics {
	const struct source_listing *listing;
	struct series_list list;
	bool open;
	FILE *out;
};

enum kind {
	KIND_GAUGE,
	KIND_COUNTER,
	KIND_INFO
};

/* OpenMetrics names the family; its counters' samples end in _total, which the older format takes for the family's name. */
static void print_head(const struct metrics *metrics, const char *name, enum kind kind, const char *unit,
		       const char *help)
{
	static const char *const kinds[] = {"gauge", "counter", "info"};
	const char *suffix = metrics->open ? "" : kind == KIND_COUNTER ? "_total" : kind == KIND_INFO ? "_info" : "";

	fprintf(metrics->out, "# HELP heaptap_%s%s %s\n", name, suffix, help);
	fprintf(metrics->out, "# TYPE heaptap_%s%s %s\n", name, suffix,
		kind == KIND_INFO && !metrics->open ? "gauge" : kinds[kind]);
	if (metrics->open && unit)
		fprintf(metrics->out, "# UNIT heaptap_%s %s\n", name, unit);
}

/* Clean text. */
static void print_value(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_label(FILE *out, bool *any, const char *name, const char *value)
{
	fprintf(out, "%c%s=\"", *any ? ',' : '{', name);
	print_value(out, value);
	fputc('"', out);
	*any = true;
}

/* The name of a sample with its labels, and one more label where `name` is not NULL. */
static void print_name(const struct metrics *metrics, const char *family, bool counter, const struct series *series,
		       const char *name, const char *value)
{
	bool any = false;
	char pid[16];

	fprintf(metrics->out, "heaptap_%s%s", family, counter ? "_total" : "");
	if (series && series->labelled) {
		print_label(metrics->out, &any, "container", series->container);
		print_label(metrics->out, &any, "comm", series->comm);
	}
	if (series && series->pid) {
		snprintf(pid, sizeof(pid), "%u", series->pid);
		print_label(metrics->out, &any, "pid", pid);
	}
	if (name)
		print_label(metrics->out, &any, name, value);
	fputs(any ? "} " : " ", metrics->out);
}

static void print_one(const struct metrics *metrics, const char *family, enum kind kind, const char *unit,
		      const char *help, double value)
{
	print_head(metrics, family, kind, unit, help);
	print_name(metrics, family, kind == KIND_COUNTER, NULL, NULL, NULL);
	fprintf(metrics->out, "%.17g\n", value);
}

/* A number of each series, at `offset`. */
static void print_counters(const struct metrics *metrics, const char *family, const char *unit, const char *help,
			   size_t offset)
{
	print_head(metrics, family, KIND_COUNTER, unit, help);
	for (u32 i = 0; i < metrics->list.count; i++) {
		const struct series *series = &metrics->list.series[i];
		u64 number;

		memcpy(&number, (const char *)series + offset, sizeof(number));
		print_name(metrics, family, true, series, NULL, NULL);
		fprintf(metrics->out, "%" PRIu64 "\n", number);
	}
}

static void print_inuse(const struct metrics *metrics, const char *family, const char *unit, const char *help,
			enum measure measure)
{
	print_head(metrics, family, KIND_GAUGE, unit, help);
	for (u32 i = 0; i < metrics->list.count; i++) {
		if (!metrics->list.series[i].inuse_known)
			continue;
		print_name(metrics, family, false, &metrics->list.series[i], NULL, NULL);
		fprintf(metrics->out, "%" PRIu64 "\n", metrics->list.series[i].total[measure]);
	}
}

/* What is not known is left out. */
static void print_resident(const struct metrics *metrics)
{
	print_head(metrics, "resident_bytes", KIND_GAUGE, "bytes", "Resident memory, as the kernel counts it.");
	for (u32 i = 0; i < metrics->list.count; i++) {
		if (!metrics->list.series[i].resident)
			continue;
		print_name(metrics, "resident_bytes", false, &metrics->list.series[i], NULL, NULL);
		fprintf(metrics->out, "%" PRIu64 "\n", metrics->list.series[i].resident);
	}
}

static void print_processes(const struct metrics *metrics)
{
	print_head(metrics, "processes", KIND_GAUGE, NULL, "Processes of the series that are traced.");
	for (u32 i = 0; i < metrics->list.count; i++) {
		print_name(metrics, "processes", false, &metrics->list.series[i], NULL, NULL);
		fprintf(metrics->out, "%u\n", metrics->list.series[i].living);
	}
	print_head(metrics, "growth_bytes_per_second", KIND_GAUGE, NULL,
		   "How fast processes grow whose growth is more than chance, estimated; 0 where none is.");
	for (u32 i = 0; i < metrics->list.count; i++) {
		if (!metrics->list.series[i].inuse_known)
			continue;
		print_name(metrics, "growth_bytes_per_second", false, &metrics->list.series[i], NULL, NULL);
		fprintf(metrics->out, "%.17g\n", metrics->list.series[i].growth);
	}
}

static void print_traps(const struct metrics *metrics)
{
	print_head(metrics, "calls", KIND_COUNTER, NULL,
		   "Calls of allocating and freeing functions that the kernel saw, and that the process paid for.");
	for (u32 i = 0; i < metrics->list.count; i++) {
		print_name(metrics, "calls", true, &metrics->list.series[i], "kind", "alloc");
		fprintf(metrics->out, "%" PRIu64 "\n", metrics->list.series[i].hits_alloc);
		print_name(metrics, "calls", true, &metrics->list.series[i], "kind", "free");
		fprintf(metrics->out, "%" PRIu64 "\n", metrics->list.series[i].hits_free);
	}
}

static void print_part(const struct metrics *metrics, const struct series *series, const char *part, u64 bytes)
{
	print_name(metrics, "memory_bytes", false, series, "part", part);
	fprintf(metrics->out, "%" PRIu64 "\n", bytes);
}

static void print_memory(const struct metrics *metrics)
{
	print_head(metrics, "memory_bytes", KIND_GAUGE, "bytes",
		   "What resident memory consists of when it was last read; swapped and hugetlb stand beside it.");
	for (u32 i = 0; i < metrics->list.count; i++) {
		const struct series *series = &metrics->list.series[i];
		struct memory_amount sum = {0};

		if (!series->memory_known)
			continue;
		for (unsigned int part = 0; part < MEMORY_PART_MAX; part++) {
			print_part(metrics, series, memory_part_names[part], series->memory[part].resident);
			memory_count(&sum, &series->memory[part]);
		}
		print_part(metrics, series, "swapped", sum.swap);
		print_part(metrics, series, "hugetlb", sum.hugetlb);
	}
}

static void print_lost(const struct metrics *metrics)
{
	print_head(metrics, "lost", KIND_COUNTER, NULL,
		   "Events that were lost, or kept without their stack or their end, by the ledger's counters.");
	for (unsigned int c = 0; c < COUNTER_MAX; c++) {
		if (!ledger_is_loss(c))
			continue;
		print_name(metrics, "lost", true, NULL, "counter", ledger_name(c));
		fprintf(metrics->out, "%" PRIu64 "\n", metrics->list.counted[c]);
	}
}

/* Steps are counted for every process that lives. */
static void print_budget(const struct metrics *metrics)
{
	static const enum counter counters[] = {COUNTER_BUDGET_STEPS, COUNTER_BUDGET_UNFOLLOWED, COUNTER_BUDGET_SCALED};

	print_head(metrics, "max_overhead", KIND_COUNTER, NULL,
		   "What --max-overhead has left out, by the ledger's counters; steps for each process.");
	for (unsigned int i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		print_name(metrics, "max_overhead", true, NULL, "counter", ledger_name(counters[i]));
		fprintf(metrics->out, "%" PRIu64 "\n", metrics->list.counted[counters[i]]);
	}
}

static void print_recording(const struct metrics *metrics)
{
	const struct source_listing *listing = metrics->listing;
	bool any = false;

	print_head(metrics, "build", KIND_INFO, NULL, "The program's version, and by which probes it traces.");
	fputs("heaptap_build_info", metrics->out);
	print_label(metrics->out, &any, "version", HEAPTAP_VERSION);
	print_label(metrics->out, &any, "attach", listing->attach);
	fputs("} 1\n", metrics->out);
	print_one(metrics, "sample_interval_bytes", KIND_GAUGE, "bytes",
		  "Mean number of allocated bytes between two samples.", (double)listing->sample_bytes);
	print_one(metrics, "traced_seconds", KIND_GAUGE, "seconds", "For how long processes have been traced.",
		  (double)listing->duration_ns / 1e9);
	print_one(metrics, "ended", KIND_GAUGE, NULL, "1: tracing is over, and no number changes any more.",
		  listing->ended);
	print_one(metrics, "processes_missing", KIND_COUNTER, NULL,
		  "Processes that began and ended while the ring was full.", (double)listing->processes_missing);
	print_one(metrics, "processes_refused", KIND_COUNTER, NULL, "Processes that were not traced: too many at once.",
		  (double)listing->processes_refused);
}

static void print_amount(const struct metrics *metrics, const char *family, const char *unit, const char *help,
			 u64 number)
{
	print_head(metrics, family, KIND_COUNTER, unit, help);
	print_name(metrics, family, true, NULL, NULL, NULL);
	fprintf(metrics->out, "%" PRIu64 "\n", number);
}

static void print_dropped(const struct metrics *metrics, const struct push_ledger *ledger)
{
	print_head(metrics, "push_dropped_profiles", KIND_COUNTER, NULL,
		   "Profiles that the store will not get, by cause.");
	for (unsigned int cause = 0; cause < PUSH_CAUSE_COUNT; cause++) {
		print_name(metrics, "push_dropped_profiles", true, NULL, "cause", push_cause_name(cause));
		fprintf(metrics->out, "%" PRIu64 "\n", ledger->dropped[cause].profiles);
	}
}

static void print_failed(const struct metrics *metrics, const struct push_ledger *ledger)
{
	print_head(metrics, "push_failed_attempts", KIND_COUNTER, NULL,
		   "Attempts to send a request that failed, by cause, whether it was sent again or not.");
	for (unsigned int cause = 0; cause < PUSH_FAILURE_COUNT; cause++) {
		print_name(metrics, "push_failed_attempts", true, NULL, "cause", push_failure_name(cause));
		fprintf(metrics->out, "%" PRIu64 "\n", ledger->failed[cause]);
	}
}

/* They balance: taken and resumed are sent, dropped or waiting. */
static void print_pushed(const struct metrics *metrics, const struct push_ledger *ledger)
{
	print_amount(metrics, "push_taken_profiles", NULL, "Profiles made to be pushed.", ledger->taken.profiles);
	print_amount(metrics, "push_resumed_profiles", NULL, "Profiles that another run had left in the spool.",
		     ledger->resumed.profiles);
	print_amount(metrics, "push_sent_profiles", NULL, "Profiles that the store answered that it has.",
		     ledger->sent.profiles);
	print_dropped(metrics, ledger);
	print_one(metrics, "push_waiting_profiles", KIND_GAUGE, NULL, "Profiles in memory, in the spool or under way.",
		  (double)ledger->waiting.profiles);
	print_amount(metrics, "push_spooled_profiles", NULL, "Profiles written to the spool, whatever became of them.",
		     ledger->spooled.profiles);
	print_amount(metrics, "push_attempts", NULL, "Requests to the store that were begun, repeated ones too.",
		     ledger->attempts);
	print_failed(metrics, ledger);
	print_amount(metrics, "push_sent_requests", NULL, "Requests that the store answered that it has.",
		     ledger->sent.requests);
	print_amount(metrics, "push_sent_bytes", "bytes", "Bytes of the bodies of those requests, as they were sent.",
		     ledger->sent_bytes);
	print_amount(metrics, "push_untold_processes", NULL,
		     "Processes that ended between two intervals and were too many to be kept.",
		     ledger->untold_processes);
	print_amount(metrics, "push_untold_bytes", "bytes", "What they had allocated and was not pushed.",
		     ledger->untold_bytes);
}

static void print_series(const struct metrics *metrics)
{
	print_processes(metrics);
	print_inuse(metrics, "inuse_bytes", "bytes", "Bytes in use, estimated from samples.", INUSE_SPACE);
	print_inuse(metrics, "inuse_objects", NULL, "Objects in use, estimated from samples.", INUSE_OBJECTS);
	print_counters(metrics, "allocated_bytes", "bytes",
		       "Bytes allocated since tracing began, estimated from samples.",
		       offsetof(struct series, total[ALLOC_SPACE]));
	print_counters(metrics, "allocated_objects", NULL,
		       "Objects allocated since tracing began, estimated from samples.",
		       offsetof(struct series, total[ALLOC_OBJECTS]));
	print_counters(metrics, "samples", NULL, "Allocations that were sampled; estimates rest on them.",
		       offsetof(struct series, samples));
	print_resident(metrics);
	print_memory(metrics);
	print_traps(metrics);
	print_lost(metrics);
	print_budget(metrics);
}

int metrics_write(const struct source_listing *listing, const struct metrics_scope *scope,
		  const struct push_ledger *pushed, bool open_metrics, FILE *out)
{
	struct metrics metrics = {.listing = listing, .open = open_metrics, .out = out};
	int err = series_list_make(listing, scope, &metrics.list);

	if (!err && !metrics.list.processes && (scope->pid || scope->container))
		err = -ENOENT;
	if (!err) {
		print_recording(&metrics);
		print_series(&metrics);
		if (pushed && !scope->pid && !scope->container)
			print_pushed(&metrics, pushed);
		if (open_metrics)
			fputs("# EOF\n", out);
		err = stream_flush(out);
	}
	series_list_release(&metrics.list);
	return err;
}

bool metrics_accepts_open(const char *accept)
{
	return accept && strstr(accept, "application/openmetrics-text");
}
