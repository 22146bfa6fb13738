/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/lifetimes.md explains the words of the table. */
#include "format/table_lifetimes.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "format/site_label.h"
#include "profile/lifetime_summary.h"
#include "profile/sites.h"
#include "base/units.h"

#define SITE_USED 80 /* columns before the site */

/* --- cells --- */

static struct units_text share(double part)
{
	return units_format("%.1f%%", 100 * part);
}

/* Whether any object reached that age, or none is known to reach it. */
static bool survived(const struct survival_point *point)
{
	return point->at_risk > 0 || point->estimate == 0;
}

static struct units_text median(const struct profile *profile, const struct lifetime_summary *summary)
{
	double ns = lifetime_summary_median_ns(profile, summary);

	if (isnan(ns))
		return units_format("-");
	return isinf(ns) ? units_format("long") : units_seconds(ns);
}

static struct units_text rate(double bytes_per_second)
{
	return units_format("%s%s", bytes_per_second < 0 ? "-" : "", units_bytes(fabs(bytes_per_second)).text);
}

static double per_second(const struct profile *profile, u64 bytes)
{
	return profile->duration_ns ? (double)bytes * 1e9 / (double)profile->duration_ns : 0;
}

/* --- lines --- */

static void print_site(const struct profile *profile, const struct profile_site *site, const struct table_view *view,
		       FILE *out)
{
	const struct lifetime_summary *summary = &site->lifetime_summary;
	const struct survival_point *young = &summary->objects.young, *tenured = &summary->objects.tenured;
	bool grows = summary->verdict == VERDICT_GROWING, known = summary->samples;
	char label[SITE_LABEL_SIZE];

	fprintf(out, "  %10s %10s %6s %6s %8s %10s %-9s %9s  %s\n", units_bytes(site->value[INUSE_SPACE]).text,
		units_bytes(per_second(profile, site->value[ALLOC_SPACE])).text,
		known && survived(young) ? share(young->estimate).text : "-",
		known && survived(tenured) ? share(tenured->estimate).text : "-", median(profile, summary).text,
		grows ? rate(summary->growth).text : "-", verdict_name(summary->verdict),
		units_digits(summary->samples).text,
		site_label(profile, site, table_view_site(view, SITE_USED), label));
	if (view->stacks)
		site_label_stack(profile, site, out);
}

/* "grows by 25.0 MiB a second (standard error 3.2 MiB), the cgroup's limit of 1.0 GiB is 32.9 s away" */
static void print_growth(const struct profile *profile, const struct lifetime_summary *summary, FILE *out)
{
	double left_s = lifetime_summary_time_left(profile, summary);

	fprintf(out, "grows by %s a second (standard error %s)", rate(summary->growth).text,
		units_bytes(summary->growth_error).text);
	if (isfinite(left_s))
		fprintf(out, ", the cgroup's limit of %s is %s away", units_bytes(profile->memory_limit).text,
			units_seconds(left_s * 1e9).text);
}

static void print_growing(const struct profile *profile, const struct profile_site *site, const struct table_view *view,
			  FILE *out)
{
	char label[SITE_LABEL_SIZE];

	fputs("  ", out);
	print_growth(profile, &site->lifetime_summary, out);
	fprintf(out, ":\n    %s\n", site_label(profile, site, table_view_site(view, 4), label));
}

/* Nothing is said of growth yet: how far the recording has come, and what helps. */
static void print_early(const struct profile *profile, FILE *out)
{
	fprintf(out,
		"  too early (%" PRIu32
		" of %d cycles, each second counting as one) to tell what grows: record longer, or\n"
		"  lower --gogc.\n",
		profile->model.ticks, VERDICT_TICKS);
}

static void print_verdict(const struct profile *profile, FILE *out)
{
	struct lifetime_summary summary;

	if (lifetime_summary_of_process(profile, &summary))
		return;
	fputs("The whole process", out);
	if (summary.verdict == VERDICT_GROWING) {
		fputc(' ', out);
		print_growth(profile, &summary, out);
	} else {
		fprintf(out, ": %s", verdict_name(summary.verdict));
	}
	fputs(".\n", out);
	if (profile->model.ticks < VERDICT_TICKS)
		print_early(profile, out);
}

static void print_model(const struct profile *profile, FILE *out)
{
	const struct profile_model *model = &profile->model;

	if (!model->cycles)
		return;
	fprintf(out, "Under a collector (GOGC=%" PRIu32 "): %" PRIu32 " cycle%s of %s and %s on average",
		model->gogc_percent, model->cycles, model->cycles == 1 ? "" : "s",
		units_bytes(lifetime_summary_cycle_bytes(profile)).text,
		units_seconds(lifetime_summary_cycle_ns(profile)).text);
	if (model->judged_bytes > 0)
		fprintf(out, "; %s of bytes die within %" PRIu32 ",\n  %s a cycle live on",
			share(1 - model->promoted_bytes / model->judged_bytes).text, model->tenure,
			units_bytes(model->promoted_bytes / model->cycles).text);
	fprintf(out, "; %s are that old now, changing by %s a second; a mark visits %s.\n",
		units_bytes(fmax(model->tenured_bytes, 0)).text, rate(model->trend).text,
		units_bytes(model->visited_bytes / model->cycles).text);
}

/* --- tables --- */

static bool is_growing(const struct profile_site *site)
{
	return site->lifetime_summary.verdict == VERDICT_GROWING;
}

/* Growing sites first, fastest first; the others keep their order, which is by in-use. */
static int compare_growth(const void *a, const void *b)
{
	const struct profile_site *const *left = a, *const *right = b;

	if (is_growing(*left) != is_growing(*right))
		return is_growing(*left) ? -1 : 1;
	if (is_growing(*left) && (*left)->lifetime_summary.growth != (*right)->lifetime_summary.growth)
		return (*left)->lifetime_summary.growth > (*right)->lifetime_summary.growth ? -1 : 1;
	return *left < *right ? -1 : *left > *right;
}

static void print_sites(const struct profile *profile, const struct profile_site *const *sites, u32 count,
			const struct table_view *view, FILE *out)
{
	u32 shown = count < view->top ? count : view->top;

	fprintf(out, "\nLifetimes by site, %" PRIu32 " of %" PRIu32 "\n  %10s %10s %6s %6s %8s %10s %-9s %9s  %s\n",
		shown, count, "in use", "alloc/s", "S(1)", units_format("S(%" PRIu32 ")", profile->model.tenure).text,
		"median", "growth/s", "verdict", "samples", "site");
	for (u32 i = 0; i < shown; i++)
		print_site(profile, sites[i], view, out);
	for (u32 i = 0; i < shown; i++)
		if (is_growing(sites[i]))
			print_growing(profile, sites[i], view, out);
}

/* The sentence instead of a table; false if there is a table. */
static bool print_unknown(const struct profile *profile, FILE *out)
{
	if (!profile->model.known && profile->label_count)
		fputs("\nLifetimes are known of each process by itself: see its own file.\n", out);
	else if (!profile->model.known)
		fputs(profile->alloc_only ? "\nLifetimes are not known: frees were not recorded (--alloc-only).\n"
					  : "\nLifetimes are not known: this file does not carry them.\n",
		      out);
	else if (!profile->model.gogc_percent)
		fputs("\nLifetimes are not known: the model collector was off (--gogc off).\n", out);
	else if (!profile->model.cycles && profile->model.ticks < VERDICT_TICKS)
		fprintf(out,
			"\nNothing can be said of lifetimes yet: the model collector's first cycle takes %s of "
			"allocations, or two minutes.\n",
			units_bytes(profile->model.goal_bytes).text);
	else
		return false;
	return true;
}

void table_lifetimes_print(const struct profile *profile, const struct table_view *view, FILE *out)
{
	const struct profile_site **order = NULL;
	struct profile_site *sites = NULL;
	u32 count = 0;

	if (print_unknown(profile, out))
		return;
	if (!profile_sites(profile, INUSE_SPACE, &sites, &count))
		order = calloc(count + 1UL, sizeof(*order));
	for (u32 i = 0; order && i < count; i++)
		order[i] = &sites[i];
	if (order) {
		qsort(order, count, sizeof(*order), compare_growth);
		print_sites(profile, order, count, view, out);
		print_verdict(profile, out);
		print_model(profile, out);
	} else {
		fputs("\n(no memory for the table of lifetimes)\n", out);
	}
	free(order);
	free(sites);
}

static void tell(const struct profile *profile, const struct lifetime_summary *summary, const char *where,
		 void (*each)(const char *line, void *arg), void *arg)
{
	char line[SITE_LABEL_SIZE + 128];

	snprintf(line, sizeof(line), "process %" PRIu32 " (%s), %s a second: %s", profile->pid, profile->comm,
		 rate(summary->growth).text, where);
	each(line, arg);
}

u32 table_lifetimes_growing(const struct profile *profile, void (*each)(const char *line, void *arg), void *arg)
{
	struct lifetime_summary process;
	struct profile_site *sites;
	char label[SITE_LABEL_SIZE];
	u32 count, growing = 0;

	if (!profile->model.known || profile_sites(profile, INUSE_SPACE, &sites, &count))
		return 0;
	for (u32 i = 0; i < count; i++) {
		if (!is_growing(&sites[i]))
			continue;
		growing++;
		tell(profile, &sites[i].lifetime_summary, site_label(profile, &sites[i], TABLE_VIEW_COLUMNS, label),
		     each, arg);
	}
	free(sites);
	if (growing || lifetime_summary_of_process(profile, &process) || process.verdict != VERDICT_GROWING)
		return growing;
	tell(profile, &process, "no site by itself", each, arg);
	return 1;
}
