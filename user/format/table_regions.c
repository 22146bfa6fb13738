/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_regions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "format/site_label.h"
#include "profile/ledger.h"
#include "profile/sites.h"

#define LABEL_COLUMN 59 /* of a row of the table */
#define BRIEF_COLUMN 27 /* of a line of the summary */
#define LOSSES_SIZE  512

static const char *now_or_then(const struct profile *regions)
{
	return regions->exited ? "at exit" : "mapped";
}

static const char *plural(u64 count)
{
	return count == 1 ? "" : "s";
}

/* --- sites ---------------------------------------------------------------------------------------------------------- */

struct region_sites {
	struct profile_site *sites;
	u32 count; /* that have any of the measure */
	enum measure by;
	u64 total;
};

/* By what is mapped; by all that ever was where nothing is. 0 or -ENOMEM. */
static int sites_make(const struct profile *regions, struct region_sites *ret_sites)
{
	u64 total[MEASURE_MAX];

	profile_totals(regions, total);
	*ret_sites = (struct region_sites){.by = total[INUSE_SPACE] ? INUSE_SPACE : ALLOC_SPACE};
	ret_sites->total = total[ret_sites->by];
	if (profile_sites_with(regions, ret_sites->by, SITES_LIFETIMES_NONE, &ret_sites->sites, &ret_sites->count))
		return -1;
	while (ret_sites->count && !ret_sites->sites[ret_sites->count - 1].value[ret_sites->by])
		ret_sites->count--;
	return 0;
}

static enum measure objects_of(enum measure space)
{
	return space == INUSE_SPACE ? INUSE_OBJECTS : ALLOC_OBJECTS;
}

static double share(u64 part, u64 whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_site(const struct profile *regions, const struct profile_site *site, u64 total, enum measure by,
		       const struct table_view *view, FILE *out)
{
	char label[SITE_LABEL_SIZE];

	fprintf(out, "  %10s %16s B %5.1f%%", units_bytes((double)site->value[by]).text,
		units_digits(site->value[by]).text, share(site->value[by], total));
	fprintf(out, " %8s %10s  %s\n", units_digits(site->value[objects_of(by)]).text,
		units_bytes((double)site->value[ALLOC_SPACE]).text,
		site_label(regions, site, table_view_site(view, LABEL_COLUMN), label));
	if (view->stacks)
		site_label_stack(regions, site, out);
}

static void print_sites(const struct profile *regions, const struct table_view *view, FILE *out)
{
	struct region_sites sites;
	u32 shown;

	if (sites_make(regions, &sites)) {
		fputs("\n(no memory for the table of mappings)\n", out);
		return;
	}
	shown = sites.count < view->top ? sites.count : view->top;
	if (shown)
		fprintf(out,
			"\nSites by what they have mapped, %" PRIu32 " of %" PRIu32
			"\n  %10s %18s %6s %8s %10s  site\n",
			shown, sites.count, sites.by == INUSE_SPACE ? now_or_then(regions) : "in all", "to the byte",
			"share", "mappings", "in all");
	for (u32 i = 0; i < shown; i++)
		print_site(regions, &sites.sites[i], sites.total, sites.by, view, out);
	free(sites.sites);
}

/* --- sums ----------------------------------------------------------------------------------------------------------- */

static void print_sum(const char *title, u64 space, u64 objects, const char *whose, FILE *out)
{
	fprintf(out, "  %-10s %10s = %s B in %s mapping%s%s\n", title, units_bytes((double)space).text,
		units_digits(space).text, units_digits(objects).text, plural(objects), whose);
}

static void print_ledger(const struct profile *regions, FILE *out)
{
	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		if (regions->ledger[i])
			fprintf(out, "  %15s  %-16s %s\n", units_digits(regions->ledger[i]).text, ledger_name(i),
				ledger_meaning(i));
}

void table_regions_print(const struct profile *regions, const struct table_view *view, FILE *out)
{
	u64 program[MEASURE_MAX], allocator[MEASURE_MAX];

	profile_region_totals(regions, false, program);
	profile_region_totals(regions, true, allocator);
	fputs("\nMappings: what system calls mapped\n", out);
	print_sum(now_or_then(regions), program[INUSE_SPACE], program[INUSE_OBJECTS], ", the program's", out);
	print_sum("", allocator[INUSE_SPACE], allocator[INUSE_OBJECTS],
		  ", the allocator's, from which blocks come: not to be added to what is in use", out);
	print_sum("in all", program[ALLOC_SPACE] + allocator[ALLOC_SPACE],
		  program[ALLOC_OBJECTS] + allocator[ALLOC_OBJECTS], "", out);
	print_ledger(regions, out);
	print_sites(regions, view, out);
}

/* --- in a summary --------------------------------------------------------------------------------------------------- */

unsigned int table_regions_print_losses(const u64 ledger[COUNTER_MAX], unsigned int columns, FILE *out)
{
	char line[LOSSES_SIZE] = "lost of mappings:";
	size_t length = strlen(line), begin = length;

	for (unsigned int i = 0; i < COUNTER_MAX && length < sizeof(line); i++)
		if (ledger_is_loss(i) && ledger[i])
			length += (size_t)snprintf(line + length, sizeof(line) - length, "%s %s %s",
						   length > begin ? "," : "", ledger_name(i),
						   units_digits(ledger[i]).text);
	if (length == begin)
		return 0;
	text_cut(line, table_view_line(columns));
	fprintf(out, "%s\n", line);
	return 1;
}

static void print_brief_sites(const struct profile *regions, unsigned int count, const struct table_view *view,
			      FILE *out)
{
	char label[SITE_LABEL_SIZE];
	struct region_sites sites;

	if (sites_make(regions, &sites))
		return;
	for (u32 i = 0; i < sites.count && i < count; i++)
		fprintf(out, "  %10s %5.1f%% %5s  %s\n", units_bytes((double)sites.sites[i].value[sites.by]).text,
			share(sites.sites[i].value[sites.by], sites.total),
			units_digits(sites.sites[i].value[objects_of(sites.by)]).text,
			site_label(regions, &sites.sites[i], table_view_site(view, BRIEF_COLUMN), label));
	free(sites.sites);
}

void table_regions_print_brief(const struct profile *regions, unsigned int columns, FILE *out)
{
	const struct table_view view = {.columns = columns};
	u64 program[MEASURE_MAX], allocator[MEASURE_MAX];
	unsigned int lines = TABLE_REGIONS_LINES - 1;

	profile_region_totals(regions, false, program);
	profile_region_totals(regions, true, allocator);
	fprintf(out, "mappings: %s %s in %s by the program, %s in %s by the allocator\n", now_or_then(regions),
		units_bytes((double)program[INUSE_SPACE]).text, units_digits(program[INUSE_OBJECTS]).text,
		units_bytes((double)allocator[INUSE_SPACE]).text, units_digits(allocator[INUSE_OBJECTS]).text);
	lines -= table_regions_print_losses(regions->ledger, columns, out);
	print_brief_sites(regions, lines, &view, out);
}
