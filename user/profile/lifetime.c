/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/lifetime.h"

#include <string.h>

/* A count that is full stays so: wrapping round would turn four thousand million deaths into none. */
static void add(u32 *count, u32 more)
{
	if (__builtin_add_overflow(*count, more, count))
		*count = UINT32_MAX;
}

static void take(u32 *count)
{
	if (*count)
		(*count)--;
}

u32 lifetime_class(u32 age)
{
	u32 log;

	if (age < LIFETIME_EXACT)
		return age;
	log = 31 - (u32)__builtin_clz(age);
	return log < 20 ? LIFETIME_EXACT + log - 5 : LIFETIME_CLASSES - 1;
}

u32 lifetime_class_start(u32 class)
{
	return class < LIFETIME_EXACT ? class : LIFETIME_EXACT << (class - LIFETIME_EXACT);
}

static u32 age_class(u32 birth, u32 now)
{
	return lifetime_class(now > birth ? now - birth : 0);
}

/* Two buckets become one, of births and of deaths, and deaths of both sides of a border stay on their side of it. */
static void fold(struct lifetime *lifetime)
{
	struct lifetime folded = {.width = lifetime->width * 2};

	for (u32 death = 0; death < LIFETIME_BUCKETS; death++) {
		add(&folded.born[death / 2], lifetime->born[death]);
		for (u32 birth = 0; birth <= death; birth++)
			add(&folded.gone[lifetime_cell(birth / 2, death / 2)],
			    lifetime->gone[lifetime_cell(birth, death)]);
	}
	lifetime->width = folded.width;
	memcpy(lifetime->born, folded.born, sizeof(folded.born));
	memcpy(lifetime->gone, folded.gone, sizeof(folded.gone));
}

u32 lifetime_width(u32 tick)
{
	u32 width = 1; /* 2^29 at most: 14 * 2^29 > 2^32 */

	while (tick / width >= LIFETIME_BUCKETS)
		width *= 2;
	return width;
}

void lifetime_advance(struct lifetime *lifetime, u32 tick)
{
	if (!lifetime->width)
		lifetime->width = 1;
	while (tick / lifetime->width >= LIFETIME_BUCKETS)
		fold(lifetime);
}

void lifetime_birth(struct lifetime *lifetime, u32 tick)
{
	lifetime_advance(lifetime, tick);
	add(&lifetime->born[tick / lifetime->width], 1);
}

static u32 *death_cell(struct lifetime *lifetime, u32 birth, u32 death)
{
	if (birth > death)
		birth = death;
	lifetime_advance(lifetime, death);
	return &lifetime->gone[lifetime_cell(birth / lifetime->width, death / lifetime->width)];
}

void lifetime_death(struct lifetime *lifetime, struct lifetime_time birth, struct lifetime_time death)
{
	add(death_cell(lifetime, birth.tick, death.tick), 1);
	add(&lifetime->died[age_class(birth.cycle, death.cycle)], 1);
}

void lifetime_revive(struct lifetime *lifetime, struct lifetime_time birth, struct lifetime_time death)
{
	take(death_cell(lifetime, birth.tick, death.tick));
	take(&lifetime->died[age_class(birth.cycle, death.cycle)]);
}

void lifetime_end(struct lifetime *lifetime, u32 birth, u32 cycle)
{
	add(&lifetime->ended[age_class(birth, cycle)], 1);
}

void lifetime_reopen(struct lifetime *lifetime)
{
	memset(lifetime->ended, 0, sizeof(lifetime->ended));
}

static void add_all(u32 *counts, const u32 *more, u32 count)
{
	for (u32 i = 0; i < count; i++)
		add(&counts[i], more[i]);
}

void lifetime_add(struct lifetime *lifetime, const struct lifetime *more)
{
	add_all(lifetime->died, more->died, LIFETIME_CLASSES);
	add_all(lifetime->ended, more->ended, LIFETIME_CLASSES);
	add_all(lifetime->born, more->born, LIFETIME_BUCKETS);
	add_all(lifetime->gone, more->gone, LIFETIME_DEATH_BUCKETS);
}
