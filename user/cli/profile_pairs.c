/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/profile_pairs.h"

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

/* A part of a name. `text` NULL: the name has none, and belongs to no other. */
struct part {
	const char *text;
	size_t length;
};

static size_t pid_length(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits && name[digits] == '.' ? digits : 0;
}

static struct part whole_name(const char *name)
{
	return (struct part){name, strlen(name)};
}

/* What follows the PID is the program and the number of the image. */
static struct part program(const char *name)
{
	size_t length = pid_length(name);

	return length ? whole_name(name + length) : (struct part){0};
}

static struct part pid(const char *name)
{
	size_t length = pid_length(name);

	return length ? (struct part){name, length} : (struct part){0};
}

typedef struct part part_of(const char *name);

/* --- pairing --- */

/* A file that has no partner yet. */
struct single {
	struct part part;
	struct side *side;
	u32 index; /* in it */
};

static int compare_parts(const void *a, const void *b)
{
	const struct part *left = &((const struct single *)a)->part, *right = &((const struct single *)b)->part;
	size_t length = left->length < right->length ? left->length : right->length;
	int order = memcmp(left->text, right->text, length);

	return order ? order : (left->length > right->length) - (left->length < right->length);
}

static u32 add_singles(struct side *side, part_of *part_of, struct single *singles)
{
	u32 count = 0;

	for (u32 i = 0; i < side->count; i++) {
		struct part part = part_of(side->names[i]);

		if (part.text && !side->partner[i])
			singles[count++] = (struct single){part, side, i};
	}
	return count;
}

static void pair_two(const struct single *one, const struct single *other)
{
	one->side->partner[one->index] = other->side->names[other->index];
	other->side->partner[other->index] = one->side->names[one->index];
}

/* Those that are equal in that part, one on each side. `singles` has room for all names. */
static void pair_up(struct side *before, struct side *after, part_of *part_of, struct single *singles)
{
	u32 count = add_singles(before, part_of, singles);

	count += add_singles(after, part_of, singles + count);
	qsort(singles, count, sizeof(*singles), compare_parts);
	for (u32 i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && !compare_parts(&singles[i], &singles[next]); next++)
			;
		if (next - i == 2 && singles[i].side != singles[i + 1].side)
			pair_two(&singles[i], &singles[i + 1]);
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
	static part_of *const rules[] = {whole_name, program, pid};
	struct side old = {before, string_list_count(before), NULL}, new = {after, string_list_count(after), NULL};
	struct profile_pair *pairs = calloc(old.count + new.count + 1UL, sizeof(*pairs));
	struct single *singles = calloc(old.count + new.count + 1UL, sizeof(*singles));

	old.partner = calloc(old.count + 1UL, sizeof(*old.partner));
	new.partner = calloc(new.count + 1UL, sizeof(*new.partner));
	if (pairs && singles && old.partner && new.partner) {
		for (unsigned int i = 0; i < sizeof(rules) / sizeof(*rules); i++)
			pair_up(&old, &new, rules[i], singles);
		list_pairs(&old, &new, pairs, ret_count);
	} else {
		free(pairs);
		pairs = NULL;
	}
	free(singles);
	free(old.partner);
	free(new.partner);
	return pairs;
}
