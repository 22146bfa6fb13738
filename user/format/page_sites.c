/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/page_sites.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "format/page_tree.h"
#include "format/site_label.h"
#include "view/survival_curve.h"

#define LABEL_COLUMNS 200
#define STACK_MAX     512 /* frames of a site's stack: a file may be made so that few bytes stand for endless ones */

/* --- which --- */

struct rank {
	u64 value;
	u32 site;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct rank *left = a, *right = b;

	if (left->value != right->value)
		return left->value > right->value ? -1 : 1;
	return left->site < right->site ? -1 : left->site > right->site;
}

/* chosen[i]: site i is among the `max`; each measure chooses one in turn, the largest first. 0 or -ENOMEM. */
static int choose(const struct overview *overview, u32 max, bool *chosen)
{
	u32 count = overview->all_count, taken = 0;
	struct rank *ranks = calloc((u64)MEASURE_MAX * count + 1, sizeof(*ranks));

	if (!ranks)
		return -ENOMEM;
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		for (u32 i = 0; i < count; i++)
			ranks[m * count + i] = (struct rank){overview->sites[i].value[m], i};
		qsort(ranks + (size_t)m * count, count, sizeof(*ranks), compare_ranks);
	}
	for (u32 rank = 0; rank < count; rank++) {
		for (unsigned int m = 0; m < MEASURE_MAX && taken < max; m++) {
			u32 site = ranks[m * count + rank].site;

			taken += !chosen[site];
			chosen[site] = true;
		}
	}
	free(ranks);
	return 0;
}

/* --- rows --- */

static int write_frame(const struct profile *profile, const struct profile_location *location, u32 line,
		       struct page_functions *functions, struct json *json)
{
	u32 number;
	int err = page_functions_number_frame(functions, profile, location, line, &number);

	if (err)
		return err;
	json_array(json, NULL);
	json_u64(json, NULL, number);
	json_u64(json, NULL, location->line_count ? location->lines[line].line : 0);
	json_close(json);
	return 0;
}

/* From the leaf on; "frame" is the place of the site's own. */
static int write_stack(const struct profile *profile, const struct profile_site *site, struct page_functions *functions,
		       struct json *json)
{
	const struct profile_sample *example = site->example;
	u32 place = 0, own = 0;
	int err = 0;

	json_array(json, "stack");
	for (u32 i = 0; !err && place < STACK_MAX && i < example->depth; i++) {
		const struct profile_location *location = &profile->locations[example->location[i]];

		for (u32 line = 0; !err && place < STACK_MAX && (!line || line < location->line_count);
		     line++, place++) {
			if (i == site->frame && line == site->line)
				own = place;
			err = write_frame(profile, location, line, functions, json);
		}
	}
	json_close(json);
	json_u64(json, "frame", own);
	return err;
}

static int write_place(const struct profile *profile, const struct profile_site *site, struct page_functions *functions,
		       struct json *json)
{
	static const struct page_function unknown = {.name = "(stack unknown)"};
	const struct profile_line *line = profile_site_line(site);
	char label[SITE_LABEL_SIZE];
	u32 number;
	int err;

	if (site->location)
		err = page_functions_number_frame(functions, profile, site->location, site->line, &number);
	else
		err = page_functions_number(functions, &unknown, &number);
	if (err)
		return err;
	json_u64(json, "function", number);
	json_u64(json, "line", line ? line->line : 0);
	json_text(json, "label", site_label(profile, site, LABEL_COLUMNS, label));
	return write_stack(profile, site, functions, json);
}

static void write_numbers(const struct profile *profile, const struct profile_site *site, struct json *json)
{
	page_tree_write_measures("value", site->value, json);
	json_array(json, "error");
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		json_double(json, NULL, profile->alloc_only && measure_is_inuse(m) ? NAN : site->stderr_value[m]);
	json_close(json);
	json_array(json, "samples");
	json_u64(json, NULL, site->alloc_samples);
	json_u64(json, NULL, site->inuse_samples);
	json_close(json);
}

static void write_growth(const struct lifetime_summary *summary, struct json *json)
{
	bool grows = summary->verdict == VERDICT_GROWING;

	json_text(json, "verdict", summary->samples ? verdict_name(summary->verdict) : NULL);
	json_double(json, "growth", grows ? summary->growth : NAN);
	json_double(json, "growth_error", grows ? summary->growth_error : NAN);
}

static void write_survival(const struct survival_curve *curve, struct json *json)
{
	json_array(json, "survival");
	for (u32 i = 0; i < curve->count; i++) {
		const struct survival_curve_point *point = &curve->points[i];

		json_array(json, NULL);
		json_u64(json, NULL, point->age_ns);
		json_double(json, NULL, point->estimate);
		json_double(json, NULL, point->lower);
		json_double(json, NULL, point->upper);
		json_double(json, NULL, point->at_risk);
		json_close(json);
	}
	json_close(json);
}

/* Bytes in use at each of the timeline's points. */
static void write_history(struct timeline *timeline, const struct profile *profile, const struct profile_site *site,
			  struct json *json)
{
	const u64 *history = timeline->count > 1 ? timeline_history(timeline, profile, site) : NULL;

	json_array(json, "history");
	for (u32 i = 0; history && i < timeline->count; i++)
		json_u64(json, NULL, history[i]);
	json_close(json);
}

/* `curve`: NULL where only its median is wanted. */
static int write_site(const struct overview *overview, const struct profile_site *site,
		      const struct survival_curve *curve, struct timeline *timeline, struct page_functions *functions,
		      struct json *json)
{
	int err;

	json_object(json, NULL);
	err = write_place(overview->profile, site, functions, json);
	write_numbers(overview->profile, site, json);
	write_growth(&site->lifetime_summary, json);
	json_double(json, "median_ns", lifetime_summary_median_ns(overview->profile, &site->lifetime_summary));
	if (curve)
		write_survival(curve, json);
	write_history(timeline, overview->profile, site, json);
	json_close(json);
	return err;
}

static void write_rest(u32 count, const u64 value[MEASURE_MAX], struct json *json)
{
	if (!count)
		return;
	json_object(json, NULL);
	json_u64(json, "gathered", count);
	page_tree_write_measures("value", value, json);
	json_close(json);
}

/* Chosen sites, in an array of their own for the caller to free; the others are added up. NULL: no memory. */
static struct profile_site *divide(const struct overview *overview, u32 max, u32 *ret_count, u64 rest[MEASURE_MAX])
{
	bool *chosen = calloc(overview->all_count + 1UL, sizeof(*chosen));
	struct profile_site *sites = calloc(max + 1UL, sizeof(*sites));

	*ret_count = 0;
	if (!chosen || !sites || choose(overview, max, chosen)) {
		free(chosen);
		free(sites);
		return NULL;
	}
	for (u32 i = 0; i < overview->all_count; i++) {
		if (chosen[i])
			sites[(*ret_count)++] = overview->sites[i];
		for (unsigned int m = 0; m < MEASURE_MAX && !chosen[i]; m++)
			rest[m] += overview->sites[i].value[m];
	}
	free(chosen);
	return sites;
}

int page_sites_write(const struct overview *overview, struct timeline *timeline, u32 max,
		     struct page_functions *functions, struct json *json)
{
	u64 rest[MEASURE_MAX] = {0};
	struct survival_curve *curves = NULL;
	struct profile_site *sites;
	u32 count;
	int err;

	sites = divide(overview, max, &count, rest);
	err = sites ? survival_curves_make(overview->profile, sites, count, &curves) : -ENOMEM;
	json_rows(json, "sites");
	for (u32 i = 0; !err && i < count; i++)
		err = write_site(overview, &sites[i], &curves[i], timeline, functions, json);
	if (!err)
		write_rest(overview->all_count - count, rest, json);
	json_close(json);
	free(curves);
	free(sites);
	return err;
}

int page_sites_write_first(const struct overview *overview, struct timeline *timeline, u32 max,
			   struct page_functions *functions, struct json *json)
{
	u32 count = overview->all_count < max ? overview->all_count : max;
	u64 rest[MEASURE_MAX] = {0};
	int err = 0;

	json_rows(json, "sites");
	for (u32 i = 0; !err && i < count; i++)
		err = write_site(overview, &overview->sites[i], NULL, timeline, functions, json);
	for (u32 i = count; i < overview->all_count; i++)
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			rest[m] += overview->sites[i].value[m];
	write_rest(overview->all_count - count, rest, json);
	json_close(json);
	return err;
}
