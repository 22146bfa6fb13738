/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_residency.h"

#include <inttypes.h>

#include "base/units.h"
#include "format/site_label.h"
#include "view/residency_table.h"

static double share(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

/* "-" where nothing was read that could have been zero. */
static struct units_text zero_share(const struct residency_sum *sum)
{
	return sum->read ? units_format("%.1f%%", share(sum->zero, sum->inuse)) : units_format("-");
}

static void print_sum(const struct residency_sum *sum, FILE *out)
{
	fprintf(out, "  %10s %10s", units_bytes(sum->inuse).text, units_bytes(sum->resident).text);
	fprintf(out, " %7.1f%% %7.1f%% %8.1f%% %8s %9s", share(sum->resident, sum->inuse),
		share(sum->swapped, sum->inuse), share(sum->untouched, sum->inuse), zero_share(sum).text,
		units_digits(sum->objects).text);
}

void table_residency_print(const struct profile *profile, const struct table_view *view, FILE *out)
{
	char label[SITE_LABEL_SIZE];
	struct residency_table table;
	int err = residency_table_make(profile, &table);
	u32 shown = table.count < view->top ? table.count : view->top;

	if (err)
		fputs("\n(no memory for the table of resident memory)\n", out);
	else if (table.count)
		fprintf(out,
			"\nResident memory of live objects by site, %" PRIu32 " of %" PRIu32
			"\n  %10s %10s %8s %8s %9s %8s %9s  site\n",
			shown, table.count, "in use", "resident", "of it", "swapped", "untouched", "zero", "samples");
	for (u32 i = 0; !err && i < shown; i++) {
		print_sum(&table.rows[i].sum, out);
		fprintf(out, "  %s\n", site_label(profile, table.rows[i].site, table_view_site(view, 71), label));
	}
	if (!err && table.count) {
		print_sum(&table.all, out);
		fputs("  (all)\n", out);
	}
	residency_table_release(&table);
}
