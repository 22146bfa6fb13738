/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "format/process_end.h"
#include "format/site_label.h"
#include "format/table_lifetimes.h"
#include "format/table_processes.h"
#include "format/table_view.h"

#define SITES		5
#define GROWING		3
#define GROWING_SEVERAL 2
#define PROCESSES	4
#define COLUMNS_MIN	40
#define LINE_SIZE	2048

/* A line that fits, whatever names stand in it. */
__attribute__((format(printf, 3, 4))) static void put(unsigned int columns, FILE *out, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	columns = columns ? columns : TABLE_VIEW_COLUMNS;
	text_cut(text_printable(text), columns < COLUMNS_MIN ? COLUMNS_MIN : columns);
	fprintf(out, "%s\n", text);
}

/* --- who, and how much --- */

static struct units_text interval(u64 sample_bytes)
{
	if (sample_bytes == 1)
		return units_format("every allocation");
	if (sample_bytes % 1024)
		return units_format("a sample per %s B", units_digits(sample_bytes).text);
	return units_format("a sample per %s KiB", units_digits(sample_bytes / 1024).text);
}

static void put_head(const struct profile *profile, unsigned int columns, FILE *out)
{
	char end[PROCESS_END_SIZE], image[40] = "";

	if (profile->image > 1)
		snprintf(image, sizeof(image), " (program %" PRIu32 " of this pid)", profile->image);
	put(columns, out, "%" PRIu32 " %s%s %s", profile->pid, profile->comm, image, profile->exe ? profile->exe : "");
	put(columns, out, "  %s, %s%s%s%s", units_seconds((double)profile->duration_ns).text,
	    interval(profile->sample_bytes).text,
	    !profile->ledger[COUNTER_INLINE]					  ? ""
	    : profile->ledger[COUNTER_INLINE] == profile->ledger[COUNTER_SAMPLED] ? ", all taken inside"
										  : ", some taken inside",
	    profile->exited ? ", " : "", profile->exited ? process_end(profile, end) : "");
}

static void put_total(const struct profile *profile, const char *name, const struct profile_site *sums, bool inuse,
		      unsigned int columns, FILE *out)
{
	enum measure space = inuse ? INUSE_SPACE : ALLOC_SPACE, objects = inuse ? INUSE_OBJECTS : ALLOC_OBJECTS;

	if (profile_is_exact(profile))
		put(columns, out, "  %-10s %10s = %s B in %s objects", name,
		    units_bytes((double)sums->value[space]).text, units_digits(sums->value[space]).text,
		    units_digits(sums->value[objects]).text);
	else
		put(columns, out, "  %-10s %10s ±%s in %s ±%s objects, %s samples", name,
		    units_bytes((double)sums->value[space]).text, units_bytes(sums->stderr_value[space]).text,
		    units_digits(sums->value[objects]).text,
		    units_digits((u64)llround(sums->stderr_value[objects])).text,
		    units_digits(inuse ? sums->inuse_samples : sums->alloc_samples).text);
}

static void put_totals(const struct overview *overview, unsigned int columns, FILE *out)
{
	const struct profile *profile = overview->profile;

	if (profile->alloc_only)
		put(columns, out, "  in use     not recorded (--alloc-only)");
	else
		put_total(profile, profile->exited ? "at exit" : "in use", &overview->sums, true, columns, out);
	put_total(profile, "allocated", &overview->sums, false, columns, out);
	if (profile->peak_inuse_space && !profile->alloc_only)
		put(columns, out, "  peak       %10s in use, %s after the start",
		    units_bytes((double)profile->peak_inuse_space).text,
		    units_seconds((double)profile->peak_at_ns).text);
}

/* --- growth --- */

static const char *const no_growth[] = {
	[VERDICT_UNKNOWN] = "not known: too few samples",
	[VERDICT_TRANSIENT] = "none: hardly anything lives on",
	[VERDICT_FILLING] = "slows down, or what is old goes: filling, as a cache does",
	[VERDICT_STEADY] = "none: steady, as many objects die as come to stay",
	[VERDICT_MIXED] = "not clear",
};

/* ", limit reached in 38 s", or nothing. */
static struct units_text limit_reached(const struct profile *profile, const struct lifetime_summary *summary)
{
	double left_s = lifetime_summary_time_left(profile, summary);

	return isfinite(left_s) ? units_format(", limit reached in %s", units_seconds(left_s * 1e9).text)
				: units_format("%s", "");
}

static void put_growth(const struct overview *overview, unsigned int columns, FILE *out)
{
	const struct lifetime_summary *process = &overview->process;
	const struct profile *profile = overview->profile;

	if (profile->alloc_only)
		return;
	if (process->verdict == VERDICT_GROWING)
		put(columns, out, "  growth     %10s/s ±%s%s", units_bytes(process->growth).text,
		    units_bytes(process->growth_error).text, limit_reached(profile, process).text);
	else if (!profile->model.known || !profile->model.gogc_percent)
		put(columns, out, "  growth     not known (--gogc off)");
	else if (process->verdict == VERDICT_EARLY || profile->model.ticks < VERDICT_TICKS)
		put(columns, out, "  growth     too early to tell: %" PRIu32 " of %d s; record longer",
		    profile->model.ticks < VERDICT_TICKS ? profile->model.ticks : VERDICT_TICKS, VERDICT_TICKS);
	else
		put(columns, out, "  growth     %s", no_growth[process->verdict]);
}

static void put_growing_site(const struct overview *overview, const struct profile_site *site, unsigned int columns,
			     FILE *out)
{
	struct units_text limit = limit_reached(overview->profile, &site->lifetime_summary);
	struct units_text rate = units_format(", %s/s", units_bytes(site->lifetime_summary.growth).text);
	struct table_view view = {.columns = columns};
	char label[SITE_LABEL_SIZE];

	put(columns, out, "grows: %s%s%s",
	    site_label(overview->profile, site,
		       table_view_site(&view, 7 + (unsigned int)(strlen(rate.text) + strlen(limit.text))), label),
	    rate.text, limit.text);
}

static void put_growing(const struct overview *overview, unsigned int columns, FILE *out)
{
	const struct lifetime_summary *process = &overview->process;

	for (u32 i = 0; i < overview->growing_count && i < GROWING; i++)
		put_growing_site(overview, overview->growing[i], columns, out);
	if (overview->growing_count > GROWING)
		put(columns, out, "and %" PRIu32 " more sites grow", overview->growing_count - GROWING);
	else if (!overview->growing_count && process->verdict == VERDICT_GROWING)
		put(columns, out, "grows: no site by itself, all together %s/s%s", units_bytes(process->growth).text,
		    limit_reached(overview->profile, process).text);
}

/* --- memory --- */

static void put_memory(const struct profile *profile, unsigned int columns, FILE *out)
{
	u64 now = profile->exited ? 0 : profile->rss_end_bytes;
	char text[256] = "";
	size_t length = 0;

	if (now)
		length += (size_t)snprintf(text, sizeof(text), ", %s at the end", units_bytes((double)now).text);
	if (profile->rss_start_bytes)
		length += (size_t)snprintf(text + length, sizeof(text) - length, ", %s at the start",
					   units_bytes((double)profile->rss_start_bytes).text);
	if (profile->rss_peak_bytes)
		snprintf(text + length, sizeof(text) - length, ", %s at most",
			 units_bytes((double)profile->rss_peak_bytes).text);
	if (*text)
		put(columns, out, "  resident   %s", text + 2);
	if (profile->memory_limit && profile->exited)
		put(columns, out, "  limit      %10s of its group", units_bytes((double)profile->memory_limit).text);
	else if (profile->memory_limit)
		put(columns, out, "  limit      %10s of its group, %s of it used",
		    units_bytes((double)profile->memory_limit).text, units_bytes((double)profile->memory_used).text);
}

/* --- sites --- */

static void put_site(const struct overview *overview, const struct profile_site *site, unsigned int columns, FILE *out)
{
	bool inuse = measure_is_inuse(overview->by);
	struct units_text error = units_bytes(site->stderr_value[overview->by]);
	double share = 100.0 * (double)site->value[overview->by] / (double)overview->sums.value[overview->by];
	struct table_view view = {.columns = columns};
	char label[SITE_LABEL_SIZE];

	if (profile_is_exact(overview->profile))
		put(columns, out, "  %10s %5.1f%% %11s  %s", units_bytes((double)site->value[overview->by]).text, share,
		    units_digits(site->value[inuse ? INUSE_OBJECTS : ALLOC_OBJECTS]).text,
		    site_label(overview->profile, site, table_view_site(&view, 33), label));
	else
		put(columns, out, "  %10s%*s±%s %5.1f%% %7s  %s", units_bytes((double)site->value[overview->by]).text,
		    11 - (int)strlen(error.text), "", error.text, share,
		    units_digits(inuse ? site->inuse_samples : site->alloc_samples).text,
		    site_label(overview->profile, site, table_view_site(&view, 42), label));
}

/* `of` says whose sites they are: "" where no other's could be meant. */
static void put_sites(const struct overview *overview, const char *of, unsigned int columns, FILE *out)
{
	const struct profile *profile = overview->profile;
	u32 shown = overview->site_count < SITES ? overview->site_count : SITES;
	const char *title = !measure_is_inuse(overview->by) ? "allocated" : profile->exited ? "at exit" : "in use";

	if (!shown)
		put(columns, out, "no sample: nothing was allocated, or too little for the interval");
	else if (profile_is_exact(profile))
		put(columns, out, "  %10s %6s %11s  site (%" PRIu32 " of %" PRIu32 "%s)", title, "share", "objects",
		    shown, overview->site_count, of);
	else
		put(columns, out, "  %10s %11s %6s %7s  site (%" PRIu32 " of %" PRIu32 "%s)", title, "std error",
		    "share", "samples", shown, overview->site_count, of);
	for (u32 i = 0; i < shown; i++)
		put_site(overview, &overview->sites[i], columns, out);
}

void table_summary_print_sites(const struct overview *overview, unsigned int columns, FILE *out)
{
	char of[64];

	snprintf(of, sizeof(of), " of %" PRIu32 " %s alone", overview->profile->pid, overview->profile->comm);
	put_sites(overview, of, columns, out);
}

/* --- losses and cost --- */

static void put_losses(const u64 ledger[COUNTER_MAX], unsigned int columns, FILE *out)
{
	const struct ledger_losses losses = ledger_losses(ledger);
	char text[LINE_SIZE] = "";
	size_t length = 0, room = columns ? columns : TABLE_VIEW_COLUMNS;

	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		if (ledger_is_loss(i) && ledger[i])
			length += (size_t)snprintf(text + length, sizeof(text) - length, ", %s %s", ledger_name(i),
						   units_digits(ledger[i]).text);
	if (losses.kinds && length + 5 <= room)
		put(columns, out, "lost:%s", text + 1);
	else if (losses.kinds)
		put(columns, out, "lost: %s in all, of %" PRIu32 " kinds: 'heaptap report' or -v lists them",
		    units_digits(losses.count).text, losses.kinds);
	if (losses.missing)
		put(columns, out, "DOES NOT BALANCE: %s sampled allocations are accounted for %s",
		    units_digits((u64)llabs(losses.missing)).text, losses.missing > 0 ? "nowhere" : "twice");
}

static void put_cost(const struct profile *profile, unsigned int columns, FILE *out)
{
	u64 traps = profile->ledger[COUNTER_HITS_ALLOC] + profile->ledger[COUNTER_HITS_FREE];
	char share[64] = "";

	if (profile->cpu_ns)
		snprintf(share, sizeof(share), ", %.1f %% of the CPU time used (%s)", profile->slowdown_percent,
			 units_seconds((double)profile->cpu_ns).text);
	if (traps)
		put(columns, out, "cost: %s traps x %s = %s%s", units_digits(traps).text,
		    units_seconds(profile->hit_cost_ns).text, units_seconds((double)traps * profile->hit_cost_ns).text,
		    share);
	if (profile->ledger[COUNTER_CHILDREN])
		put(columns, out, "not traced: %" PRIu64 " child processes; --follow traces them",
		    profile->ledger[COUNTER_CHILDREN]);
}

/* --- whole summaries --- */

void table_summary_print(const struct overview *overview, unsigned int columns, FILE *out)
{
	const struct profile *profile = overview->profile;

	put_head(profile, columns, out);
	put_totals(overview, columns, out);
	put_growth(overview, columns, out);
	put_memory(profile, columns, out);
	put_growing(overview, columns, out);
	put_sites(overview, "", columns, out);
	put_losses(profile->ledger, columns, out);
	put_cost(profile, columns, out);
}

/* What is in use now, and what ended processes had in use, which no longer takes memory. */
static void put_now_and_then(const struct index_entry *sum, unsigned int columns, FILE *out)
{
	const struct profile_ended *ended = &sum->facts->ended;
	u64 inuse = sum->total[INUSE_SPACE], now = inuse > ended->inuse_space ? inuse - ended->inuse_space : 0;

	struct units_text gone = units_format("%s", "");

	if (ended->processes)
		gone = units_format("; %s", units_bytes((double)ended->inuse_space).text);
	put(columns, out, "  in use     %10s now, in %" PRIu32 " processes%s%s", units_bytes((double)now).text,
	    sum->facts->processes - ended->processes, gone.text,
	    ended->processes ? units_format(" at exit of %" PRIu32 " ended", ended->processes).text : "");
}

/* The peaks of different processes were at different times, so they have no sum. */
static void put_largest_peak(const struct table_summary *summary, unsigned int columns, FILE *out)
{
	const struct profile *largest = NULL;

	for (u32 i = 0; i < summary->count; i++) {
		const struct profile *facts = summary->entries[i].facts;

		if (facts->peak_inuse_space > (largest ? largest->peak_inuse_space : 0))
			largest = facts;
	}
	if (largest)
		put(columns, out, "  peak       %10s in use by %" PRIu32 " %s, %s after its start",
		    units_bytes((double)largest->peak_inuse_space).text, largest->pid, largest->comm,
		    units_seconds((double)largest->peak_at_ns).text);
}

/* What grows by itself is in the rows of the processes, and in the lines below them. */
static void put_growth_of_all(const struct table_summary *summary, u64 samples, unsigned int columns, FILE *out)
{
	const struct processes_growth growth = table_processes_growth(summary->entries, summary->count);
	struct units_text limit = units_format("%s", ""), sites = limit;

	if (isfinite(growth.left_s))
		limit = units_format(", limit in %s", units_seconds(growth.left_s * 1e9).text);
	if (summary->growing_sites)
		sites = units_format(", %" PRIu32 " sites", summary->growing_sites);
	if (growth.processes)
		put(columns, out, "  growth     %10s/s ±%s in %" PRIu32 " process%s%s%s",
		    units_bytes(growth.bytes).text, units_bytes(growth.error).text, growth.processes,
		    growth.processes == 1 ? "" : "es", sites.text, limit.text);
	else if (!growth.known)
		put(columns, out, "  growth     not known (--gogc off)");
	else if (growth.ticks < VERDICT_TICKS)
		put(columns, out, "  growth     too early to tell: %" PRIu32 " of %d s; record longer", growth.ticks,
		    VERDICT_TICKS);
	else
		put(columns, out, "  growth     %s",
		    samples ? "none seen in any process that lives" : no_growth[VERDICT_UNKNOWN]);
}

static void put_growing_processes(const struct table_summary *summary, unsigned int columns, FILE *out)
{
	u32 shown = 0;

	for (; shown < GROWING_SEVERAL && shown < summary->growing_sites && summary->growing[shown]; shown++)
		put(columns, out, "grows: %s", summary->growing[shown]);
}

void table_summary_print_several(const struct table_summary *summary, unsigned int columns, FILE *out)
{
	struct profile facts = {0};
	struct index_entry sum;

	index_entries_sum(summary->entries, summary->count, &facts, &sum);
	put(columns, out, "%" PRIu32 " processes, %s, %s, %s samples", facts.processes,
	    units_seconds((double)facts.duration_ns).text, interval(facts.sample_bytes).text,
	    units_digits(sum.samples).text);
	if (facts.alloc_only) {
		put(columns, out, "  allocated  %10s", units_bytes((double)sum.total[ALLOC_SPACE]).text);
	} else {
		put_now_and_then(&sum, columns, out);
		put_largest_peak(summary, columns, out);
		put_growth_of_all(summary, sum.samples, columns, out);
	}
	table_processes_print_brief(summary->entries, summary->count, PROCESSES, columns, out);
	put_growing_processes(summary, columns, out);
	if (summary->all)
		put_sites(summary->all, facts.ended.processes ? ", now and at exit" : "", columns, out);
	else if (summary->sites)
		fputs(summary->sites, out);
	put_losses(facts.ledger, columns, out);
	put_cost(&facts, columns, out);
}
