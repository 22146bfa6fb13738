/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/pprof_bases.h"

#include <stdlib.h>
#include <string.h>

#include "profile/profile_copy.h"

struct base {
	u32 pid;
	char container[REQUEST_CONTAINER_MAX + 1];
	struct profile *profile;
	u64 asked_ns;
};

/* What was asked for last stands last. */
struct pprof_bases {
	struct base bases[PPROF_BASES_MAX];
	u32 count;
	u64 samples;
};

struct pprof_bases *pprof_bases_new(void)
{
	return calloc(1, sizeof(struct pprof_bases));
}

static void drop(struct pprof_bases *bases, u32 place)
{
	bases->samples -= bases->bases[place].profile->sample_count;
	profile_free(bases->bases[place].profile);
	bases->count--;
	memmove(&bases->bases[place], &bases->bases[place + 1], (bases->count - place) * sizeof(*bases->bases));
}

void pprof_bases_free(struct pprof_bases *bases)
{
	while (bases && bases->count)
		drop(bases, bases->count - 1);
	free(bases);
}

void pprof_bases_reduce(struct profile *profile)
{
	for (u32 i = 0; i < profile->sample_count; i++) {
		free(profile->samples[i].lifetime);
		profile->samples[i].lifetime = NULL;
	}
	profile->model.known = false;
}

struct profile *pprof_bases_copy(const struct profile *profile)
{
	struct profile *copy = profile_copy(profile);

	if (copy)
		pprof_bases_reduce(copy);
	return copy;
}

/* The count: there is none. */
static u32 place_of(const struct pprof_bases *bases, const struct request *request)
{
	u32 place = 0;

	while (place < bases->count && (bases->bases[place].pid != request->pid ||
					strcmp(bases->bases[place].container, request->container) != 0))
		place++;
	return place;
}

const struct profile *pprof_bases_find(const struct pprof_bases *bases, const struct request *request)
{
	u32 place = place_of(bases, request);

	return place < bases->count ? bases->bases[place].profile : NULL;
}

bool pprof_bases_reserve(struct pprof_bases *bases, const struct request *request, u32 samples, u64 now_ns)
{
	for (;;) {
		u32 place = place_of(bases, request), oldest = place ? 0 : 1;
		bool known = place < bases->count;
		u64 without = bases->samples - (known ? bases->bases[place].profile->sample_count : 0);

		if (bases->count - known < PPROF_BASES_MAX &&
		    (!without || without + samples <= PPROF_BASES_SAMPLES_MAX))
			return true;
		if (oldest >= bases->count || bases->bases[oldest].asked_ns + PPROF_BASES_AGE_NS > now_ns)
			return false;
		drop(bases, oldest);
	}
}

void pprof_bases_keep(struct pprof_bases *bases, const struct request *request, struct profile *profile, u64 now_ns)
{
	u32 place = place_of(bases, request);
	struct base *base;

	if (place < bases->count)
		drop(bases, place);
	base = &bases->bases[bases->count++];
	*base = (struct base){.pid = request->pid, .profile = profile, .asked_ns = now_ns};
	strcpy(base->container, request->container);
	bases->samples += profile->sample_count;
}
