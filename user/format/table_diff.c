/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_diff.h"

#include <math.h>

#include "base/units.h"
#include "format/site_label.h"
#include "format/table_profile.h"
#include "view/difference.h"

#define SITE_USED 58 /* columns before the site */

static struct units_text signed_bytes(double bytes)
{
	return units_format("%s%s", bytes < 0 ? "-" : "+", units_bytes(fabs(bytes)).text);
}

static void print_amounts(const struct difference *difference, const struct difference_site *site, FILE *out)
{
	double inuse = site->change[INUSE_SPACE], allocated = site->change[ALLOC_SPACE];

	if (difference->by == ALLOC_SPACE)
		fprintf(out, "  %11s %11s %11s %11s %+12.0f", "-", "-", signed_bytes(allocated).text, "-",
			site->change[ALLOC_OBJECTS]);
	else
		fprintf(out, "  %11s %11s %11s %11s %+12.0f", signed_bytes(inuse).text,
			units_bytes(site->change_error[INUSE_SPACE]).text, signed_bytes(allocated).text,
			signed_bytes(allocated - inuse).text, site->change[INUSE_OBJECTS]);
}

static const char *title(const struct difference *difference)
{
	if (difference->after->kind == PROFILE_REGIONS)
		return "of what is mapped";
	return difference->by == ALLOC_SPACE ? "of what was allocated" : "in use";
}

static void print_sites(const struct difference *difference, const struct table_view *view, FILE *out)
{
	u32 shown = difference->count < view->top ? difference->count : view->top;
	unsigned int columns = table_view_site(view, SITE_USED);
	bool regions = difference->after->kind == PROFILE_REGIONS;

	fprintf(out, "\nSites by change %s, %u of %u\n  %11s %11s %11s %11s %12s  %s\n", title(difference), shown,
		difference->count, regions ? "mapped" : "in use", "std error", regions ? "in all" : "allocated",
		regions ? "unmapped" : "freed", regions ? "mappings" : "objects", "site");
	for (u32 i = 0; i < shown; i++) {
		const struct difference_site *site = &difference->sites[i];
		char label[SITE_LABEL_SIZE];

		print_amounts(difference, site, out);
		fprintf(out, "  %s\n",
			site->after ? site_label(difference->after, site->after, columns, label)
				    : site_label(difference->before, site->before, columns, label));
	}
}

int table_diff_print(const struct profile *before, const struct profile *after, const struct table_view *view,
		     FILE *out)
{
	struct difference difference;
	int err = difference_make(before, after, &difference);

	if (!err) {
		fputs("from ", out);
		table_profile_print_head(before, out);
		fputs("to   ", out);
		table_profile_print_head(after, out);
		print_sites(&difference, view, out);
		print_amounts(&difference, &difference.sum, out);
		fputs("  in all\n", out);
	}
	difference_release(&difference);
	return err;
}
