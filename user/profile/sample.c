/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Used by snapshot, and by profile_symbolize. */
#include "profile/sample.h"

#include <stdlib.h>
#include <string.h>

/* By labels, stack, size: equal ones become neighbours. */
static int compare_samples(const void *left, const void *right)
{
	const struct profile_sample *a = left, *b = right;
	int order;

	if (a->labels != b->labels)
		return a->labels < b->labels ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	order = memcmp(a->location, b->location, a->depth * sizeof(*a->location));
	if (order)
		return order;
	return a->size < b->size ? -1 : a->size > b->size;
}

void samples_merge(struct profile *profile)
{
	u32 merged = 0;

	if (!profile->sample_count)
		return;
	qsort(profile->samples, profile->sample_count, sizeof(*profile->samples), compare_samples);
	for (u32 i = 1; i < profile->sample_count; i++) {
		struct profile_sample *into = &profile->samples[merged], *from = &profile->samples[i];

		if (compare_samples(into, from)) {
			profile->samples[++merged] = *from;
			continue;
		}
		into->alloc_count += from->alloc_count;
		into->inuse_count += from->inuse_count;
		if (into->lifetime && from->lifetime)
			lifetime_add(into->lifetime, from->lifetime);
		free(from->lifetime);
		free(from->location);
	}
	profile->sample_count = merged + 1;
}

/*
 * What the languages put between a program and malloc, by the demangled name's beginning: C++'s operator new and the
 * allocators of its library, Rust's __rust_alloc, what calls it, and what it calls.
 */
static bool is_allocator(const struct profile_line *line)
{
	static const char *const names[] = {
		"operator new(",
		"operator new[](",
		"std::__new_allocator<",
		"std::allocator<",
		"__rust_",
		"__gnu_cxx::new_allocator<",
		"std::allocator_traits<std::allocator<",
		"__rdl_",
		"__rustc::__rust_",
		"__rustc::__rdl_",
		"alloc::alloc::",
		"<alloc::alloc::Global",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (line->function && !strncmp(line->function, names[i], strlen(names[i])))
			return true;
	return false;
}

/* The dynamic linker's own way to malloc, once libc is there, is inlined into its functions. */
static bool is_inlined_malloc(const struct profile_line *line)
{
	static const char *const names[] = {"malloc", "calloc", "realloc"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (line->function && !strcmp(line->function, names[i]))
			return true;
	return false;
}

/* Of the functions inlined there the innermost go too, while they are such. True: all are. */
static bool hide_location(struct profile_location *location)
{
	u32 hidden = 0, last = location->line_count - 1;

	while (hidden < location->line_count && (is_allocator(&location->lines[hidden]) ||
						 (hidden < last && is_inlined_malloc(&location->lines[hidden]))))
		hidden++;
	if (hidden == location->line_count)
		return hidden > 0;
	for (u32 i = 0; i < hidden; i++)
		profile_line_release(&location->lines[i]);
	location->line_count -= hidden;
	memmove(location->lines, location->lines + hidden, location->line_count * sizeof(*location->lines));
	return false;
}

void samples_hide_allocator(struct profile *profile)
{
	for (u32 i = 0; i < profile->sample_count; i++) {
		struct profile_sample *sample = &profile->samples[i];
		u32 hidden = 0;

		while (hidden + 1 < sample->depth && hide_location(&profile->locations[sample->location[hidden]]))
			hidden++;
		sample->depth -= hidden;
		memmove(sample->location, sample->location + hidden, sample->depth * sizeof(*sample->location));
	}
	samples_merge(profile);
}
