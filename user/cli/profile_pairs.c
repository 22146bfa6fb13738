/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/profile_pairs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/string_list.h"

/* One list, and what each of its files is paired with. */
struct side {
	char *const *names;
	u32 count;
	const char **partner;
};

/* --- when two names belong together --- */

static size_t pid_length(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits && name[digits] == '.' ? digits : 0;
}

static bool same_name(const char *a, const char *b)
{
	return !strcmp(a, b);
}

/* What follows the PID is the program and the number of the image. */
static bool same_program(const char *a, const char *b)
{
	size_t a_length = pid_length(a), b_length = pid_length(b);

	return a_length && b_length && !strcmp(a + a_length, b + b_length);
}

static bool same_pid(const char *a, const char *b)
{
	size_t length = pid_length(a);

	return length && length == pid_length(b) && !memcmp(a, b, length);
}

/* --- pairing --- */

typedef bool same(const char *a, const char *b);

/* The one file without a partner that is the same as `name`. The count if there are none or several. */
static u32 find_only(const struct side *side, const char *name, same *is_same)
{
	u32 found = side->count;

	for (u32 i = 0; i < side->count; i++) {
		if (side->partner[i] || !is_same(side->names[i], name))
			continue;
		if (found < side->count)
			return side->count;
		found = i;
	}
	return found;
}

static void pair_up(struct side *before, struct side *after, same *is_same)
{
	for (u32 i = 0; i < after->count; i++) {
		const char *name = after->names[i];
		u32 partner = find_only(before, name, is_same);

		if (after->partner[i] || partner == before->count || find_only(after, name, is_same) != i)
			continue;
		after->partner[i] = before->names[partner];
		before->partner[partner] = name;
	}
}

static void list_pairs(const struct side *before, const struct side *after, struct profile_pair *pairs, u32 *ret_count)
{
	u32 count = 0;

	for (u32 i = 0; i < after->count; i++)
		if (after->partner[i])
			pairs[count++] = (struct profile_pair){after->partner[i], after->names[i]};
	for (u32 i = 0; i < before->count; i++)
		if (!before->partner[i])
			pairs[count++] = (struct profile_pair){before->names[i], NULL};
	for (u32 i = 0; i < after->count; i++)
		if (!after->partner[i])
			pairs[count++] = (struct profile_pair){NULL, after->names[i]};
	*ret_count = count;
}

struct profile_pair *profile_pairs_find(char *const *before, char *const *after, u32 *ret_count)
{
	static same *const rules[] = {same_name, same_program, same_pid};
	struct side old = {before, string_list_count(before), NULL}, new = {after, string_list_count(after), NULL};
	struct profile_pair *pairs = calloc(old.count + new.count + 1UL, sizeof(*pairs));

	old.partner = calloc(old.count + 1UL, sizeof(*old.partner));
	new.partner = calloc(new.count + 1UL, sizeof(*new.partner));
	if (pairs && old.partner && new.partner) {
		for (unsigned int i = 0; i < sizeof(rules) / sizeof(*rules); i++)
			pair_up(&old, &new, rules[i]);
		list_pairs(&old, &new, pairs, ret_count);
	} else {
		free(pairs);
		pairs = NULL;
	}
	free(old.partner);
	free(new.partner);
	return pairs;
}
