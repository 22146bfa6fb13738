/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/table_diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/units.h"
#include "format/site_label.h"
#include "profile/sites.h"
#include "format/table_profile.h"

#define SITE_COLUMNS 58

/* One site in both profiles; NULL where it does not occur. */
struct pair {
	char *key;
	const struct profile_site *before, *after;
	UT_hash_handle hh;
};

struct sites {
	struct profile_site *rows;
	u32 count;
};

struct difference {
	const struct profile *before, *after;
	struct sites old, new;
	struct pair *pairs; /* by key */
	struct pair *pool;
	u32 count;
};

/* The identity of a site, the same in every run. NULL: no memory. */
static char *site_key(const struct profile *profile, const struct profile_site *site)
{
	const struct profile_location *leaf = site->leaf;
	char code[SITE_LABEL_CODE_SIZE], *key;
	int length;

	if (!leaf)
		return strdup("");
	if (leaf->line_count) {
		const struct profile_line *outer = &leaf->lines[leaf->line_count - 1], *inner = &leaf->lines[0];

		length = asprintf(&key, "%s\n%s\n%u", outer->system_name, inner->file ? inner->file : "", inner->line);
		return length < 0 ? NULL : key;
	}
	site_label_code(profile, leaf, code);
	return strdup(code);
}

/* The pair of that key, made if there is none. */
static struct pair *pair_get(struct difference *difference, char *key)
{
	struct pair *pair;

	HASH_FIND_STR(difference->pairs, key, pair);
	if (pair) {
		free(key);
		return pair;
	}
	pair = &difference->pool[difference->count++];
	pair->key = key;
	HASH_ADD_KEYPTR(hh, difference->pairs, key, strlen(key), pair);
	return hash_added(&pair->hh) ? pair : NULL;
}

static int match(struct difference *difference, const struct profile *profile, const struct sites *sites, bool after)
{
	for (u32 i = 0; i < sites->count; i++) {
		char *key = site_key(profile, &sites->rows[i]);
		struct pair *pair = key ? pair_get(difference, key) : NULL;

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
	return strcmp(left->key, right->key);
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

static void print_pairs(const struct difference *difference, unsigned int top, FILE *out)
{
	u32 shown = difference->count < top ? difference->count : top;

	fprintf(out, "\nSites by change in use, %u of %u\n  %11s %11s %11s %11s %12s  %s\n", shown, difference->count,
		"in use", "std error", "allocated", "freed", "objects", "site");
	for (u32 i = 0; i < shown; i++) {
		const struct pair *pair = &difference->pool[i];
		char label[SITE_LABEL_SIZE];

		print_amounts(change(pair, INUSE_SPACE), change_error(pair, INUSE_SPACE), change(pair, ALLOC_SPACE),
			      change(pair, INUSE_OBJECTS), out);
		fprintf(out, "  %s\n",
			pair->after ? site_label(difference->after, pair->after, SITE_COLUMNS, label)
				    : site_label(difference->before, pair->before, SITE_COLUMNS, label));
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

int table_diff_print(const struct profile *before, const struct profile *after, unsigned int top, FILE *out)
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
		print_pairs(&difference, top, out);
		print_totals(&difference, out);
	}
	for (u32 i = 0; difference.pool && i < difference.count; i++)
		free(difference.pool[i].key);
	free(difference.pool);
	free(difference.old.rows);
	free(difference.new.rows);
	return err;
}
