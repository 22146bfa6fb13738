/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How two multisets of stacks differ. Both are sorted, so that equal ones meet in a merge, and those of which one is
 * the beginning of the other lie next to each other.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "profile/profile.h"
#include "chains.h"

static const struct profile_location *find_location(const struct profile *profile, uint64_t ip)
{
	for (uint32_t i = 0; i < profile->location_count; i++) {
		if (profile->locations[i].address + 1 == ip)
			return &profile->locations[i];
	}
	return NULL;
}

static void print_frame(FILE *out, const struct profile *profile, uint64_t ip)
{
	const struct profile_location *location = find_location(profile, ip);

	for (uint32_t i = 0; i < profile->mapping_count; i++) {
		const struct profile_mapping *mapping = &profile->mappings[i];

		if (ip > mapping->start && ip <= mapping->end)
			fprintf(out, " %s+%#" PRIx64,
				mapping->path ? strrchr(mapping->path, '/') ?: mapping->path : "?",
				ip - mapping->start + mapping->file_offset);
	}
	fprintf(out, " %s\n", location && location->line_count ? location->lines[0].function : "");
}

/* One of the two, and how often it is there. */
static void print_depth(FILE *out, const char *whose, const struct chain *chain)
{
	static const char *const ends[] = {"root", "full", "failed"};

	if (chain)
		fprintf(out, " %s %" PRIu64 " x %u frames of size %" PRIu64 " to the %s;", whose, chain->count,
			chain->depth, chain->size, ends[chain->end % 3]);
}

/* The frames around the place at which the two part; either may be NULL. */
static void print_pair(FILE *out, const char *what, const struct chain *found, const struct chain *truth,
		       const struct profile *profile)
{
	uint32_t common = found && truth ? chain_common_depth(found, truth) : 0, first = common > 3 ? common - 3 : 0;

	fprintf(out, "%s:", what);
	print_depth(out, "heaptap", found);
	print_depth(out, "libunwind", truth);
	fprintf(out, " %u the same\n", common);
	for (uint32_t i = first; i < common + 3; i++) {
		if (found && i < found->depth) {
			fprintf(out, "  %s %u:", i < common ? "both     " : "heaptap  ", i);
			print_frame(out, profile, found->ip[i]);
		}
		if (truth && i < truth->depth && i >= common) {
			fprintf(out, "  libunwind %u:", i);
			print_frame(out, profile, truth->ip[i]);
		}
	}
}

static uint64_t take(struct chain *a, struct chain *b)
{
	uint64_t count = a->count < b->count ? a->count : b->count;

	a->count -= count;
	b->count -= count;
	return count;
}

static uint64_t take_equal(struct chains *truth, struct chains *found)
{
	uint64_t equal = 0;
	size_t t = 0, f = 0;

	while (t < truth->count && f < found->count) {
		int order = chain_order(&truth->chains[t], &found->chains[f]);

		if (!order)
			equal += take(&truth->chains[t], &found->chains[f]);
		t += order <= 0;
		f += order >= 0;
	}
	return equal;
}

/* First chain that is not before `key`. */
static size_t lower_bound(const struct chains *chains, const struct chain *key)
{
	size_t low = 0, high = chains->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (chain_order(&chains->chains[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Those of `long_ones` that begin as `beginning` does take up its count; the first that took up anything is
 * *ret_example. */
static uint64_t take_longer(struct chains *long_ones, struct chain *beginning, struct chain *ret_example)
{
	uint64_t taken = 0;

	for (size_t i = lower_bound(long_ones, beginning); i < long_ones->count && beginning->count; i++) {
		struct chain *chain = &long_ones->chains[i];

		if (chain->size != beginning->size || chain_common_depth(chain, beginning) < beginning->depth)
			break;
		if (!chain->count)
			continue;
		if (!taken)
			*ret_example = *chain;
		taken += take(chain, beginning);
	}
	return taken;
}

struct examples {
	const struct profile *profile;
	size_t max;
	FILE *out;
};

static uint64_t take_beginnings(struct chains *beginnings, struct chains *long_ones, bool found_is_short,
				const struct examples *examples)
{
	uint64_t sum = 0;
	size_t shown = 0;

	for (size_t i = 0; i < beginnings->count; i++) {
		struct chain before = beginnings->chains[i];
		struct chain example = {0};

		sum += take_longer(long_ones, &beginnings->chains[i], &example);
		if (!example.count || shown++ >= examples->max)
			continue;
		print_pair(examples->out, found_is_short ? "cut" : "longer", found_is_short ? &before : &example,
			   found_is_short ? &example : &before, examples->profile);
	}
	return sum;
}

/* The chain left over that has most in common with `chain`. Neighbours in order have the longest common beginnings. */
static const struct chain *most_alike(const struct chains *chains, const struct chain *chain)
{
	size_t at = lower_bound(chains, chain), below = at, above = at;

	while (below > 0 && !chains->chains[below - 1].count)
		below--;
	while (above < chains->count && !chains->chains[above].count)
		above++;
	if (!below || chains->chains[below - 1].size != chain->size)
		return above < chains->count && chains->chains[above].size == chain->size ? &chains->chains[above]
											  : NULL;
	if (above == chains->count || chains->chains[above].size != chain->size ||
	    chain_common_depth(&chains->chains[below - 1], chain) >= chain_common_depth(&chains->chains[above], chain))
		return &chains->chains[below - 1];
	return &chains->chains[above];
}

static uint64_t left_over(const struct chains *chains, const struct chains *others, bool found,
			  const struct examples *examples)
{
	uint64_t sum = 0;
	size_t shown = 0;

	for (size_t i = 0; i < chains->count; i++) {
		const struct chain *chain = &chains->chains[i], *other;

		sum += chain->count;
		if (!chain->count || shown++ >= examples->max)
			continue;
		other = most_alike(others, chain);
		print_pair(examples->out, found ? "wrong" : "absent", found ? chain : other, found ? other : chain,
			   examples->profile);
	}
	return sum;
}

struct chain_verdict chains_compare(struct chains *truth, struct chains *found, const struct profile *profile,
				    size_t max, FILE *out)
{
	const struct examples examples = {profile, max, out};
	struct chain_verdict verdict = {.truth = truth->total, .stackless = found->missed};

	verdict.equal = take_equal(truth, found);
	verdict.cut = take_beginnings(found, truth, true, &examples);
	verdict.longer = take_beginnings(truth, found, false, &examples);
	verdict.wrong = left_over(found, truth, true, &examples);
	verdict.absent = left_over(truth, found, false, &examples);
	return verdict;
}
