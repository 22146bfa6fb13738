/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/intern.h"
#include "base/units.h"
#include "format/site_label.h"
#include "profile/sites.h"
#include "format/table_profile.h"

#define SITE_USED 58 /* columns before the site */

/* The identity of a site, the same in every run: texts by their numbers, since each may be long and in many sites. */
struct identity {
	u32 function, file, line;
	u32 named; /* false: function is what unnamed code is printed as, or "" for an unknown stack */
};

/* One site in both profiles; NULL where it does not occur. */
struct pair {
	struct identity identity;
	const char *function, *file;
	const struct profile_site *before, *after;
	UT_hash_handle hh;
};

/* A text of a profile and what it is here, as the last site had it: most names are asked for again and again. */
struct known {
	const char *text;
	const struct interned *entry;
};

struct sites {
	struct profile_site *rows;
	u32 count;
};

struct difference {
	const struct profile *before, *after;
	struct sites old, new;
	struct pair *pairs; /* by identity */
	struct intern texts;
	struct pair *pool;
	u32 count;
};

static int number_text(struct difference *difference, const char *text, struct known *known)
{
	if (known->text == text && known->entry)
		return 0;
	known->text = text;
	return intern_add(&difference->texts, text, (u32)strlen(text) + 1, &known->entry) < 0 ? -ENOMEM : 0;
}

/* The pair of that identity, made if there is none. NULL: no memory. */
static struct pair *pair_get(struct difference *difference, const struct identity *identity, const char *function,
			     const char *file)
{
	struct pair *pair;

	HASH_FIND(hh, difference->pairs, identity, sizeof(*identity), pair);
	if (pair)
		return pair;
	pair = &difference->pool[difference->count++];
	*pair = (struct pair){.identity = *identity, .function = function, .file = file};
	HASH_ADD(hh, difference->pairs, identity, sizeof(pair->identity), pair);
	return hash_added(&pair->hh) ? pair : NULL;
}

static struct pair *pair_of(struct difference *difference, const struct profile *profile,
			    const struct profile_site *site, struct known known[2])
{
	const struct profile_location *location = site->location;
	const struct profile_line *line = profile_site_line(site);
	const char *function = "", *file = "";
	char code[SITE_LABEL_CODE_SIZE];
	struct identity identity = {0};

	if (line) {
		function = location->lines[location->line_count - 1].system_name;
		function = function ? function : "";
		file = line->file ? line->file : "";
		identity.line = line->line;
		identity.named = true;
	} else if (location) {
		site_label_code(profile, location, code);
		function = code;
		known[0].entry = NULL; /* the buffer's text is another each time */
	}
	if (number_text(difference, function, &known[0]) || number_text(difference, file, &known[1]))
		return NULL;
	identity.function = known[0].entry->index;
	identity.file = known[1].entry->index;
	return pair_get(difference, &identity, (const char *)known[0].entry->bytes,
			(const char *)known[1].entry->bytes);
}

static int match(struct difference *difference, const struct profile *profile, const struct sites *sites, bool after)
{
	struct known known[2] = {0};

	for (u32 i = 0; i < sites->count; i++) {
		struct pair *pair = pair_of(difference, profile, &sites->rows[i], known);

		if (!pair)
			return -ENOMEM;
		*(after ? &pair->after : &pair->before) = &sites->rows[i];
	}
	return 0;
}

/* --- numbers --- */

static double change(const struct pair *pair, enum measure measure)
{
	return (pair->after ? (double)pair->after->value[measure] : 0) -
	       (pair->before ? (double)pair->before->value[measure] : 0);
}

/* An upper bound: objects that live in both profiles are the same samples and add no error. */
static double change_error(const struct pair *pair, enum measure measure)
{
	return hypot(pair->after ? pair->after->stderr_value[measure] : 0,
		     pair->before ? pair->before->stderr_value[measure] : 0);
}

static int compare_identity(const struct pair *a, const struct pair *b)
{
	int order = a->function == b->function ? 0 : strcmp(a->function, b->function);

	order = order || a->file == b->file ? order : strcmp(a->file, b->file);
	if (order || a->identity.line == b->identity.line)
		return order;
	return a->identity.line < b->identity.line ? -1 : 1;
}

static int compare_change(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	double l = fabs(change(left, INUSE_SPACE)), r = fabs(change(right, INUSE_SPACE));

	if (l == r) {
		l = fabs(change(left, ALLOC_SPACE));
		r = fabs(change(right, ALLOC_SPACE));
	}
	if (l != r)
		return l > r ? -1 : 1;
	return compare_identity(left, right);
}

static struct units_text signed_bytes(double bytes)
{
	return units_format("%s%s", bytes < 0 ? "-" : "+", units_bytes(fabs(bytes)).text);
}

static void print_amounts(double inuse, double error, double allocated, double objects, FILE *out)
{
	fprintf(out, "  %11s %11s %11s %11s %+12.0f", signed_bytes(inuse).text, units_bytes(error).text,
		signed_bytes(allocated).text, signed_bytes(allocated - inuse).text, objects);
}

static void print_pairs(const struct difference *difference, const struct table_view *view, FILE *out)
{
	u32 shown = difference->count < view->top ? difference->count : view->top;
	unsigned int columns = table_view_site(view, SITE_USED);

	fprintf(out, "\nSites by change in use, %u of %u\n  %11s %11s %11s %11s %12s  %s\n", shown, difference->count,
		"in use", "std error", "allocated", "freed", "objects", "site");
	for (u32 i = 0; i < shown; i++) {
		const struct pair *pair = &difference->pool[i];
		char label[SITE_LABEL_SIZE];

		print_amounts(change(pair, INUSE_SPACE), change_error(pair, INUSE_SPACE), change(pair, ALLOC_SPACE),
			      change(pair, INUSE_OBJECTS), out);
		fprintf(out, "  %s\n",
			pair->after ? site_label(difference->after, pair->after, columns, label)
				    : site_label(difference->before, pair->before, columns, label));
	}
}

static void print_totals(const struct difference *difference, FILE *out)
{
	double sum[MEASURE_MAX] = {0}, variance = 0;

	for (u32 i = 0; i < difference->count; i++) {
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			sum[m] += change(&difference->pool[i], m);
		variance += pow(change_error(&difference->pool[i], INUSE_SPACE), 2);
	}
	print_amounts(sum[INUSE_SPACE], sqrt(variance), sum[ALLOC_SPACE], sum[INUSE_OBJECTS], out);
	fputs("  in all\n", out);
}

int table_diff_print(const struct profile *before, const struct profile *after, const struct table_view *view,
		     FILE *out)
{
	struct difference difference = {.before = before, .after = after};
	int err = profile_sites(before, INUSE_SPACE, &difference.old.rows, &difference.old.count);

	err = err ? err : profile_sites(after, INUSE_SPACE, &difference.new.rows, &difference.new.count);
	if (!err)
		difference.pool = calloc(difference.old.count + difference.new.count + 1UL, sizeof(*difference.pool));
	if (!err && !difference.pool)
		err = -ENOMEM;
	err = err ? err : match(&difference, before, &difference.old, false);
	err = err ? err : match(&difference, after, &difference.new, true);
	HASH_CLEAR(hh, difference.pairs);
	if (!err) {
		qsort(difference.pool, difference.count, sizeof(*difference.pool), compare_change);
		fputs("from ", out);
		table_profile_print_head(before, out);
		fputs("to   ", out);
		table_profile_print_head(after, out);
		print_pairs(&difference, view, out);
		print_totals(&difference, out);
	}
	intern_release(&difference.texts);
	free(difference.pool);
	free(difference.old.rows);
	free(difference.new.rows);
	return err;
}
