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
#include "format/summary_line.h"
#include "format/table_lifetimes.h"
#include "format/table_memory.h"
#include "format/table_processes.h"
#include "format/table_regions.h"
#include "format/table_view.h"

#define SITES		5
#define GROWING		3
#define GROWING_SEVERAL 2
#define PROCESSES	4
#define LINE_SIZE	2048
#define TITLE		13 /* columns of "  resident   " */

/* A line that fits, whatever names stand in it. */
__attribute__((format(printf, 3, 4))) static void put(unsigned int columns, FILE *out, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_cut(text_printable(text), table_view_line(columns));
	fprintf(out, "%s\n", text);
}

/* --- who, and how much --- */

static void put_head(const struct profile *profile, unsigned int columns, FILE *out)
{
	char end[PROCESS_END_SIZE], image[40] = "";

	if (profile->image > 1)
		snprintf(image, sizeof(image), " (program %" PRIu32 " of this pid)", profile->image);
	put(columns, out, "%" PRIu32 " %s%s %s", profile->pid, profile->comm, image, profile->exe ? profile->exe : "");
	put(columns, out, "  %s, %s%s%s%s", units_seconds((double)profile->duration_ns).text,
	    summary_line_interval(profile->sample_bytes).text,
	    !profile->ledger[COUNTER_INLINE]					  ? ""
	    : profile->ledger[COUNTER_INLINE] == profile->ledger[COUNTER_SAMPLED] ? ", all taken inside"
										  : ", some taken inside",
	    profile->exited ? ", " : "", profile->exited ? process_end(profile, end) : "");
}

static void put_totals(const struct overview *overview, unsigned int columns, FILE *out)
{
	const struct profile *profile = overview->profile;
	char line[SUMMARY_LINE_SIZE];

	put(columns, out, "%s", summary_line_total(profile, &overview->sums, true, line));
	put(columns, out, "%s", summary_line_total(profile, &overview->sums, false, line));
	if (profile->peak_inuse_space && !profile->alloc_only)
		put(columns, out, "  peak       %10s in use, %s after the start",
		    units_bytes((double)profile->peak_inuse_space).text,
		    units_seconds((double)profile->peak_at_ns).text);
}

/* --- growth --- */

/* For a profile that the program keeps itself: whose it is, and of what moment. Growth is known where its objects were followed. */
static void put_go(const struct profile_go *go, bool exited, unsigned int columns, FILE *out)
{
	char cycle[32] = "before its first GC", age[64] = "";

	if (go->cycle)
		snprintf(cycle, sizeof(cycle), "as of its GC %" PRIu32, go->cycle);
	if (exited)
		snprintf(age, sizeof(age), ", read %s before its end", units_seconds((double)go->age_ns).text);
	put(columns, out, "  source     %s itself, %s%s", go->version, cycle, age);
}

static void put_growth(const struct overview *overview, unsigned int columns, FILE *out)
{
	char line[SUMMARY_LINE_SIZE];

	if (overview->profile->go.version[0])
		put_go(&overview->profile->go, overview->profile->exited, columns, out);
	if (overview->profile->go.version[0] ? overview->profile->model.known : !overview->profile->alloc_only)
		put(columns, out, "%s", summary_line_growth(overview, "; record longer", line));
}

static void put_growing_site(const struct overview *overview, const struct profile_site *site, unsigned int columns,
			     FILE *out)
{
	struct units_text limit = summary_line_limit(overview->profile, &site->lifetime_summary);
	struct units_text rate = units_format(", %s/s", units_bytes(site->lifetime_summary.growth).text);
	struct table_view view = {.columns = columns};
	char label[SITE_LABEL_SIZE];

	put(columns, out, "grows: %s%s%s",
	    site_label(overview->profile, site,
		       table_view_site(&view, 7 + (unsigned int)(strlen(rate.text) + strlen(limit.text))), label),
	    rate.text, limit.text);
}

void table_summary_print_growing(const struct overview *overview, unsigned int columns, FILE *out)
{
	const struct lifetime_summary *process = &overview->process;

	for (u32 i = 0; i < overview->growing_count && i < GROWING; i++)
		put_growing_site(overview, overview->growing[i], columns, out);
	if (overview->growing_count > GROWING)
		put(columns, out, "and %" PRIu32 " more sites grow", overview->growing_count - GROWING);
	else if (!overview->growing_count && process->verdict == VERDICT_GROWING)
		put(columns, out, "grows: no site by itself, all together %s/s%s", units_bytes(process->growth).text,
		    summary_line_limit(overview->profile, process).text);
}

/* --- memory --- */

/* What one that has ended was last read to have says little if it was much larger at another time. */
static bool shows_parts(const struct profile *profile)
{
	u64 resident = memory_sum(&profile->memory).resident;

	return profile->memory.known && (!profile->exited || resident >= profile->rss_peak_bytes / 4 * 3);
}

static void put_resident(const struct profile *profile, unsigned int columns, FILE *out)
{
	struct units_text age = table_memory_age(profile);
	unsigned int room = table_view_line(columns) - TITLE - (*age.text ? (unsigned int)strlen(age.text) + 2 : 0);
	char text[TABLE_MEMORY_LINE_SIZE];

	if (!shows_parts(profile)) {
		table_memory_sizes(profile, text);
		age = units_format("%s", "");
	} else {
		table_memory_line(&profile->memory, room, text);
	}
	if (*text)
		put(columns, out, "  resident   %s%s%s", text, *age.text ? ", " : "", age.text);
}

static void put_memory(const struct profile *profile, unsigned int columns, FILE *out)
{
	put_resident(profile, columns, out);
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
		put(columns, out, "no sample: nothing was allocated%s",
		    profile->sample_bytes > 1 ? ", or too little for the interval; -R 1 takes all" : "");
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
	size_t length = 0, room = table_view_line(columns);

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

static void put_restraint(const struct restraint *restraint, unsigned int columns, FILE *out)
{
	char text[RESTRAINT_TEXT_MAX];

	for (unsigned int i = 0; restraint_sentence(restraint, i, text); i++)
		put(columns, out, "%s", text);
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
	table_summary_print_growing(overview, columns, out);
	put_sites(overview, "", columns, out);
	if (profile->regions)
		table_regions_print_brief(profile->regions, columns, out);
	put_losses(profile->ledger, columns, out);
	put_restraint(&profile->restraint, columns, out);
	put_cost(profile, columns, out);
}

/* The memory of the processes that live, and of their group, with what the kernel charges to it besides. */
static void put_memory_of_all(const struct table_summary *summary, const struct memory_parts *parts,
			      unsigned int columns, FILE *out)
{
	char text[TABLE_MEMORY_LINE_SIZE];

	if (parts->known)
		put(columns, out, "  resident   %s", table_memory_line(parts, table_view_line(columns) - TITLE, text));
	if (summary->group && summary->group->known)
		put(columns, out, "  group      %s",
		    table_memory_group_line(summary->group, table_view_line(columns) - TITLE, text));
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
	const struct population_growth growth = population_growth(summary->entries, summary->count);
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
		    samples ? "none seen in any process that lives" : "not known: too few samples");
}

static void put_growing_processes(const struct table_summary *summary, unsigned int columns, FILE *out)
{
	u32 shown = 0;

	for (; shown < GROWING_SEVERAL && shown < summary->growing_sites && summary->growing[shown]; shown++)
		put(columns, out, "grows: %s", summary->growing[shown]);
}

/* Each process's own, whose stacks are not merged. */
static void put_regions_of_all(const struct table_summary *summary, unsigned int columns, FILE *out)
{
	u64 program[MEASURE_MAX] = {0}, allocator[MEASURE_MAX] = {0}, ledger[COUNTER_MAX] = {0};
	u32 known = 0;

	for (u32 i = 0; i < summary->count; i++) {
		const struct index_entry *entry = &summary->entries[i];

		if (entry->regions_known)
			known += entry->facts->processes ? entry->facts->processes : 1;
		for (unsigned int c = 0; c < COUNTER_MAX; c++)
			ledger[c] += entry->region_ledger[c];
		for (unsigned int m = 0; m < MEASURE_MAX; m++) {
			program[m] += entry->program_regions[m];
			allocator[m] += entry->allocator_regions[m];
		}
	}
	if (!known)
		return;
	put(columns, out, "mappings: %s in %s by %" PRIu32 " process%s, %s in %s by allocators, now and at exit",
	    units_bytes((double)program[INUSE_SPACE]).text, units_digits(program[INUSE_OBJECTS]).text, known,
	    known == 1 ? "" : "es", units_bytes((double)allocator[INUSE_SPACE]).text,
	    units_digits(allocator[INUSE_OBJECTS]).text);
	table_regions_print_losses(ledger, columns, out);
}

void table_summary_print_several(const struct table_summary *summary, unsigned int columns, FILE *out)
{
	struct population population;
	const struct profile *facts = &population.facts;
	char line[SUMMARY_LINE_SIZE];

	population_sum(summary->entries, summary->count, &population);
	put(columns, out, "%" PRIu32 " process%s, %s, %s, %s samples", facts->processes,
	    facts->processes == 1 ? "" : "es", units_seconds((double)facts->duration_ns).text,
	    summary_line_interval(facts->sample_bytes).text, units_digits(population.sum.samples).text);
	put(columns, out, "%s", summary_line_population(&population, line));
	if (facts->alloc_only) {
		put(columns, out, "  allocated  %10s", units_bytes((double)population.sum.total[ALLOC_SPACE]).text);
	} else {
		put_largest_peak(summary, columns, out);
		put_growth_of_all(summary, population.sum.samples, columns, out);
	}
	put_memory_of_all(summary, &facts->memory, columns, out);
	table_processes_print_brief(summary->entries, summary->count, PROCESSES, columns, out);
	put_growing_processes(summary, columns, out);
	if (summary->all)
		put_sites(summary->all, facts->ended.processes ? ", now and at exit" : "", columns, out);
	else if (summary->sites)
		fputs(summary->sites, out);
	put_regions_of_all(summary, columns, out);
	put_losses(facts->ledger, columns, out);
	put_restraint(&facts->restraint, columns, out);
	put_cost(facts, columns, out);
}
