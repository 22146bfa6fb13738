/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_profile.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "format/process_end.h"
#include "format/site_label.h"
#include "format/summary_line.h"
#include "format/table_lifetimes.h"
#include "format/table_memory.h"
#include "format/table_regions.h"
#include "format/table_residency.h"
#include "profile/ledger.h"
#include "profile/sites.h"

#define BARE_IMAGE_BYTES 65536 /* resident right after exec: a few pages, and no heap from before */

/* --- head --- */

static void print_text(const char *before, const char *text, const char *after, FILE *out)
{
	char clean[PATH_MAX];

	snprintf(clean, sizeof(clean), "%s", text);
	fprintf(out, "%s%s%s", before, text_printable(clean), after);
}

void table_profile_print_head(const struct profile *profile, FILE *out)
{
	char end[PROCESS_END_SIZE];

	if (profile->pid)
		fprintf(out, "%" PRIu32 " ", profile->pid);
	print_text("", profile->comm, "", out);
	if (profile->processes)
		fprintf(out, ", %" PRIu32 " process%s merged", profile->processes, profile->processes == 1 ? "" : "es");
	if (profile->image > 1)
		fprintf(out, " (image %" PRIu32 " of this pid)", profile->image);
	if (profile->exe)
		print_text(" ", profile->exe, "", out);
	fprintf(out, ", %s, %s", units_seconds(profile->duration_ns).text,
		profile->kind == PROFILE_REGIONS ? "mappings" : summary_line_interval(profile->sample_bytes).text);
	if (profile->ledger[COUNTER_INLINE])
		fprintf(out, ", %s taken inside",
			profile->ledger[COUNTER_INLINE] == profile->ledger[COUNTER_SAMPLED] ? "all" : "some");
	if (profile->exited)
		fprintf(out, ", %s", process_end(profile, end));
	fputc('\n', out);
}

/* --- totals --- */

/* With -R 1: "exact", unless allocations or frees are known to be missing. */
static const char *exactness(const struct profile *profile, enum measure measure)
{
	const u64 *ledger = profile->ledger;

	if (measure_is_inuse(measure) && ledger[COUNTER_ENTRY_ONLY])
		return "but for allocations that were not followed (entry_only)";
	if (!ledger[COUNTER_HITS_ALLOC] && !ledger[COUNTER_HITS_FREE] && !profile->sample_count)
		return "as no probed function was called";
	return ledger[COUNTER_LOST_RING] || ledger[COUNTER_LOST_STASH] || ledger[COUNTER_REFUSED] ||
			       ledger[COUNTER_FREE_UNSEEN] || ledger[COUNTER_REVIVE_LOST] ||
			       ledger[COUNTER_EVENT_LOST] || ledger[COUNTER_FILES_LATE] ||
			       ledger[COUNTER_FILES_UNSEEN] || ledger[COUNTER_FUNCTIONS_UNSEEN]
		       ? "but for what the ledger below says"
		       : "exact";
}

static void print_total(const struct profile *profile, const struct profile_site *sums, bool inuse, FILE *out)
{
	bool known = profile_is_exact(profile) && !(inuse && profile->alloc_only);
	char line[SUMMARY_LINE_SIZE];

	fprintf(out, "%s%s%s\n", summary_line_total(profile, sums, inuse, line), known ? ", " : "",
		known ? exactness(profile, inuse ? INUSE_SPACE : ALLOC_SPACE) : "");
}

/* What is merged: now, and at the exit of those that have ended. */
static void print_parts(const struct profile *profile, u64 inuse, FILE *out)
{
	const struct profile_ended *ended = &profile->ended;

	fprintf(out, "  %-10s %10s now, in %" PRIu32 " processes; %s at the exit of the %" PRIu32 " that have ended\n",
		"  of it", units_bytes(inuse > ended->inuse_space ? inuse - ended->inuse_space : 0).text,
		profile->processes - ended->processes, units_bytes(ended->inuse_space).text, ended->processes);
}

static void print_totals(const struct profile *profile, const struct profile_site *sums, FILE *out)
{
	print_total(profile, sums, true, out);
	if (profile->ended.processes && !profile->alloc_only)
		print_parts(profile, sums->value[INUSE_SPACE], out);
	print_total(profile, sums, false, out);
	if (profile->peak_inuse_space && !profile->alloc_only)
		fprintf(out, "  peak       %10s in use, %s after the start\n",
			units_bytes(profile->peak_inuse_space).text, units_seconds(profile->peak_at_ns).text);
}

/* Why resident memory and what is in use differ, in words that hold for this process. */
static void print_gap(const struct profile *profile, u64 rss, u64 inuse, const char *what, FILE *out)
{
	if (inuse > rss)
		fprintf(out, "             %10s less than %s: allocated and never touched, or swapped out.\n",
			units_bytes(inuse - rss).text, what);
	else
		fprintf(out,
			"             %10s more than %s: %sfree memory the allocator keeps and its rounding;\n"
			"                        code, stacks and mappings that did not come from the allocator.\n",
			units_bytes(rss - inuse).text, what,
			profile->rss_start_bytes > BARE_IMAGE_BYTES ? "heap from before; " : "");
}

/* The kernel knows of peaks between two looks of heaptap: what was in use then is known of the largest size that heaptap saw. */
static void print_peak(const struct profile *profile, FILE *out)
{
	struct units_text inuse = units_bytes(profile->rss_peak_inuse), seen = units_bytes(profile->rss_peak_seen);

	fprintf(out, "%*s at most", profile->exited ? 10 : 0, units_bytes(profile->rss_peak_bytes).text);
	if (!profile->rss_peak_seen || profile->alloc_only)
		return;
	if (profile->rss_peak_seen == profile->rss_peak_bytes)
		fprintf(out, " (%s in use then)", inuse.text);
	else
		fprintf(out, " (%s in use when it was %s)", inuse.text, seen.text);
}

/* The last size of an image that has ended is unknown, but the kernel knows the largest. */
static void print_sizes(const struct profile *profile, FILE *out)
{
	fputs("  resident   ", out);
	if (profile->exited)
		print_peak(profile, out);
	else
		fprintf(out, "%10s at the end", units_bytes(profile->rss_end_bytes).text);
	if (profile->rss_start_bytes)
		fprintf(out, ", %s at the start", units_bytes(profile->rss_start_bytes).text);
	if (!profile->exited && profile->rss_peak_bytes) {
		fputs(", ", out);
		print_peak(profile, out);
	}
	fputc('\n', out);
}

/* The peaks of a process that has ended are compared. */
static void print_resident(const struct profile *profile, u64 inuse, FILE *out)
{
	u64 rss = profile->exited ? profile->rss_peak_bytes : profile->rss_end_bytes;

	if (!rss)
		return;
	print_sizes(profile, out);
	if (profile->alloc_only || profile->memory.known)
		return;
	if (!profile->exited)
		print_gap(profile, rss, inuse, "in use", out);
	else if (profile->peak_inuse_space)
		print_gap(profile, rss, profile->peak_inuse_space, "the peak in use", out);
}

/* --- sites --- */

static struct units_text amount(double value, enum measure measure)
{
	return measure_is_space(measure) ? units_bytes(value) : units_digits(llround(value));
}

static const char *const titles[MEASURE_MAX] = {
	[ALLOC_OBJECTS] = "objects allocated",
	[ALLOC_SPACE] = "bytes allocated",
	[INUSE_OBJECTS] = "objects in use",
	[INUSE_SPACE] = "bytes in use",
};

static void print_site(const struct profile *profile, const struct profile_site *site, enum measure by, u64 total,
		       const struct table_view *view, FILE *out)
{
	bool inuse = measure_is_inuse(by), exact = profile_is_exact(profile);
	struct units_text error = amount(site->stderr_value[by], by);
	char label[SITE_LABEL_SIZE];

	fprintf(out, "  %10s", amount(site->value[by], by).text);
	/* The "±" is two bytes and one column, which printf's widths do not know. */
	if (exact)
		fprintf(out, " %14s B", units_digits(site->value[inuse ? INUSE_SPACE : ALLOC_SPACE]).text);
	else
		fprintf(out, "%*s±%s", 11 - (int)strlen(error.text), "", error.text);
	fprintf(out, " %5.1f%%", total ? 100.0 * site->value[by] / total : 0);
	if (!exact)
		fprintf(out, " %9s", units_digits(inuse ? site->inuse_samples : site->alloc_samples).text);
	fprintf(out, " %11s  %s\n", units_digits(site->value[inuse ? INUSE_OBJECTS : ALLOC_OBJECTS]).text,
		site_label(profile, site, table_view_site(view, exact ? 49 : 54), label));
	if (view->stacks)
		site_label_stack(profile, site, out);
}

/*
 * The heaviest sites by `by`, with value, standard error, share of `total` (the sum over all sites), samples and
 * objects. If every allocation was recorded: exact bytes instead of error and samples. A sentence if no site has any. 0 or -ENOMEM, which it says.
 */
static int print_sites(const struct profile *profile, enum measure by, u64 total, const struct table_view *view,
		       FILE *out)
{
	struct profile_site *sites;
	u32 count, shown = 0;
	int err = profile_sites(profile, by, &sites, &count);

	if (err) {
		fputs("\n(no memory for the table of sites)\n", out);
		return err;
	}
	while (count && !sites[count - 1].value[by])
		count--;
	shown = count < view->top ? count : view->top;
	if (!shown)
		fprintf(out, "\nNo site has %s.\n", titles[by]);
	else if (profile_is_exact(profile))
		fprintf(out, "\nSites by %s, %" PRIu32 " of %" PRIu32 "\n  %10s %16s %6s %11s  %s\n", titles[by], shown,
			count, measure_is_inuse(by) ? "in use" : "allocated", "to the byte", "share", "objects",
			"site");
	else
		fprintf(out, "\nSites by %s, %" PRIu32 " of %" PRIu32 "\n  %10s %11s %6s %9s %11s  %s\n", titles[by],
			shown, count, measure_is_inuse(by) ? "in use" : "allocated", "std error", "share", "samples",
			"objects", "site");
	for (u32 i = 0; i < shown; i++)
		print_site(profile, &sites[i], by, total, view, out);
	free(sites);
	return 0;
}

/* By both measures, where both are known. */
static int print_all_sites(const struct profile *profile, const enum measure order[2], const struct profile_site *sums,
			   const struct table_view *view, FILE *out)
{
	int err = 0;

	for (unsigned int i = 0; i < 2; i++) {
		int failed = profile->alloc_only && measure_is_inuse(order[i])
				     ? 0
				     : print_sites(profile, order[i], sums->value[order[i]], view, out);

		err = err ? err : failed;
	}
	return err;
}

/* --- cost and ledger --- */

static void print_cost(const struct profile *profile, FILE *out)
{
	u64 allocs = profile->ledger[COUNTER_HITS_ALLOC], frees = profile->ledger[COUNTER_HITS_FREE];
	char text[RESTRAINT_TEXT_MAX];

	for (unsigned int i = 0; restraint_sentence(&profile->restraint, i, text); i++)
		fprintf(out, "%s%s.\n", i ? "" : "\n", text);
	if (!allocs && !frees)
		return;
	fprintf(out, "\nCost to the process: %s traps (%s allocating, %s freeing)", units_digits(allocs + frees).text,
		units_digits(allocs).text, units_digits(frees).text);
	if (profile->hit_cost_ns > 0)
		fprintf(out, " x %s = about %s", units_seconds(profile->hit_cost_ns).text,
			units_seconds((double)(allocs + frees) * profile->hit_cost_ns).text);
	if (profile->cpu_ns || profile->slowdown_percent > 0)
		fprintf(out, ",\n  %.1f %% of the CPU time it used", profile->slowdown_percent);
	if (profile->cpu_ns)
		fprintf(out, " (%s)", units_seconds(profile->cpu_ns).text);
	fputs(".\n", out);
}

static void print_balance(s64 missing, FILE *out)
{
	if (!missing)
		fputs("  Balances: sampled = freed + live + ended + refused + lost_ring + lost_stash + failed + "
		      "return_missed\n"
		      "  + entry_only + in_flight.\n",
		      out);
	else
		fprintf(out, "  DOES NOT BALANCE: %s sampled allocations are accounted for %s.\n",
			units_digits(missing > 0 ? missing : -missing).text, missing > 0 ? "nowhere" : "twice");
}

static void print_ledger(const struct profile *profile, const struct ledger_losses *losses, FILE *out)
{
	if (!losses->kinds && !losses->missing)
		return;
	fputs("\nLedger: not everything could be recorded in full\n", out);
	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		if (profile->ledger[i])
			fprintf(out, "  %15s  %-16s %s\n", units_digits(profile->ledger[i]).text, ledger_name(i),
				ledger_meaning(i));
	if (losses->can_balance)
		print_balance(losses->missing, out);
}

int table_profile_print(const struct profile *profile, enum measure by, const struct table_view *view, FILE *out)
{
	static const enum measure counterpart[MEASURE_MAX] = {
		[ALLOC_OBJECTS] = INUSE_OBJECTS,
		[ALLOC_SPACE] = INUSE_SPACE,
		[INUSE_OBJECTS] = ALLOC_OBJECTS,
		[INUSE_SPACE] = ALLOC_SPACE,
	};
	const enum measure order[2] = {by, counterpart[by]};
	const struct profile_site sums = profile_sites_sum(profile);
	const struct ledger_losses losses = ledger_losses(profile->ledger);
	int err;

	table_profile_print_head(profile, out);
	if (profile->kind == PROFILE_REGIONS) {
		table_regions_print(profile, view, out);
		return 0;
	}
	print_totals(profile, &sums, out);
	print_resident(profile, sums.value[INUSE_SPACE], out);
	table_memory_print(profile, out);
	err = print_all_sites(profile, order, &sums, view, out);
	if (profile->model.known)
		table_lifetimes_print(profile, view, out);
	table_residency_print(profile, view, out);
	if (profile->regions)
		table_regions_print(profile->regions, view, out);
	print_cost(profile, out);
	if (profile->ledger[COUNTER_CHILDREN])
		fprintf(out, "\nChild processes started and not traced: %" PRIu64 ".\n",
			profile->ledger[COUNTER_CHILDREN]);
	print_ledger(profile, &losses, out);
	return err;
}
