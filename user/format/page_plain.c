/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_plain.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/units.h"
#include "format/site_label.h"

#define SITES	      100 /* of a view */
#define LABEL_COLUMNS 160

void page_plain_text(const char *text, FILE *out)
{
	char *clean = text_clean(text ? text : "");

	for (const char *at = clean; at && *at; at++) {
		if (*at == '<')
			fputs("&lt;", out);
		else if (*at == '>')
			fputs("&gt;", out);
		else if (*at == '&')
			fputs("&amp;", out);
		else if (*at == '"')
			fputs("&quot;", out);
		else
			fputc(*at, out);
	}
	free(clean);
}

/* "1.5 MiB ±12.0 KiB", "12 ±3". */
static void put_estimate(const struct profile_site *site, enum measure measure, FILE *out)
{
	double error = site->stderr_value[measure];

	fputs("<td>", out);
	if (measure_is_space(measure))
		fputs(units_bytes((double)site->value[measure]).text, out);
	else
		fputs(units_digits(site->value[measure]).text, out);
	if (error > 0)
		fprintf(out, " ±%s",
			measure_is_space(measure) ? units_bytes(error).text : units_digits((u64)llround(error)).text);
	fputs("</td>", out);
}

static void put_row(const struct overview *overview, const struct profile_site *site, const char *label, FILE *out)
{
	fputs("<tr><th scope=\"row\" class=\"left\">", out);
	page_plain_text(label, out);
	fputs("</th>", out);
	for (int measure = MEASURE_MAX - 1; measure >= 0; measure--) {
		if (overview->profile->alloc_only && measure_is_inuse((enum measure)measure))
			fputs("<td>not recorded</td>", out);
		else
			put_estimate(site, (enum measure)measure, out);
	}
	fprintf(out, "<td>%s</td><td>%s</td></tr>\n", units_digits(site->alloc_samples).text,
		site->lifetime_summary.samples ? verdict_name(site->lifetime_summary.verdict) : "");
}

static void put_table(const struct overview *overview, FILE *out)
{
	u32 shown = overview->site_count < SITES ? overview->site_count : SITES;
	struct profile_site sums = overview->sums;
	char label[SITE_LABEL_SIZE];

	sums.lifetime_summary = overview->process;
	fprintf(out,
		"<table><caption>The first %u of %u sites</caption><thead><tr><th scope=\"col\" class=\"left\">site</th>"
		"<th scope=\"col\">in use</th><th scope=\"col\">objects in use</th><th scope=\"col\">allocated</th>"
		"<th scope=\"col\">objects allocated</th><th scope=\"col\">samples</th><th scope=\"col\">verdict</th></tr>"
		"</thead><tbody>\n",
		shown, overview->site_count);
	put_row(overview, &sums, "all", out);
	for (u32 i = 0; i < shown; i++)
		put_row(overview, &overview->sites[i],
			site_label(overview->profile, &overview->sites[i], LABEL_COLUMNS, label), out);
	fputs("</tbody></table>\n", out);
}

void page_plain_view(const struct page_view *view, const struct overview *overview, FILE *out)
{
	fputs("<h2>", out);
	page_plain_text(view->name, out);
	fputs("</h2>\n", out);
	put_table(overview, out);
}
