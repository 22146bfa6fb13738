/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of allocation sites. Called by table_profile.c. No state. */
#include "format/table_sites.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/site_label.h"
#include "profile/sites.h"
#include "base/units.h"

#define TABLE_COLUMNS 116

static const char *amount(double value, enum measure measure, char buffer[32])
{
	bool is_space = measure == ALLOC_SPACE || measure == INUSE_SPACE;

	return is_space ? units_bytes(value, buffer) : units_digits(llround(value), buffer);
}

static const char *const titles[MEASURE_MAX] = {
	[ALLOC_OBJECTS] = "objects allocated",
	[ALLOC_SPACE] = "bytes allocated",
	[INUSE_OBJECTS] = "objects in use",
	[INUSE_SPACE] = "bytes in use",
};

/* The "±" is two bytes and one column, which printf's widths do not know. */
static void print_error(double error, enum measure by, FILE *out)
{
	char buffer[32];

	amount(error, by, buffer);
	fprintf(out, "%*s±%s", 11 - (int)strlen(buffer), "", buffer);
}

static void print_site(const struct profile *profile, const struct profile_site *site, enum measure by, u64 total,
		       FILE *out)
{
	enum measure objects = measure_is_inuse(by) ? INUSE_OBJECTS : ALLOC_OBJECTS;
	char value[32], count[32], samples[32], label[SITE_LABEL_SIZE];
	double share = total ? 100.0 * site->value[by] / total : 0;

	fprintf(out, "  %10s", amount(site->value[by], by, value));
	if (profile_is_exact(profile))
		fprintf(out, " %14s B",
			units_digits(site->value[measure_is_inuse(by) ? INUSE_SPACE : ALLOC_SPACE], samples));
	else
		print_error(site->stderr_value[by], by, out);
	fprintf(out, " %5.1f%%", share);
	if (!profile_is_exact(profile))
		fprintf(out, " %9s",
			units_digits(measure_is_inuse(by) ? site->inuse_samples : site->alloc_samples, samples));
	fprintf(out, " %11s  %s\n", units_digits(site->value[objects], count),
		site_label(profile, site, TABLE_COLUMNS - (profile_is_exact(profile) ? 49 : 54), label));
}

void table_sites_print(const struct profile *profile, enum measure by, u64 total, unsigned int top, FILE *out)
{
	struct profile_site *sites;
	u32 count, shown = 0;

	if (profile_sites(profile, by, &sites, &count)) {
		fputs("\n(no memory for the table of sites)\n", out);
		return;
	}
	while (count && !sites[count - 1].value[by])
		count--;
	shown = count < top ? count : top;
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
		print_site(profile, &sites[i], by, total, out);
	free(sites);
}
