/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_sites.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/site_label.h"
#include "profile/sites.h"
#include "base/units.h"

#define TABLE_COLUMNS 116

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
		       FILE *out)
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
		site_label(profile, site, TABLE_COLUMNS - (exact ? 49 : 54), label));
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
