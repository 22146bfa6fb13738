/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/restraint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define ERROR_MOST 1000 /* of more, as of none at all, nothing is said */

enum fact {
	FREES_ENDED,
	PROBE_SCALE,
	SCALED_FROM,
	SCALE_ERROR,
	DETACHED,
	FACT_MAX
};

_Static_assert(FACT_MAX == RESTRAINT_FACTS, "the header says how many there are");

static const char *const fact_names[FACT_MAX] = {
	[FREES_ENDED] = "frees_ended_ns",  [PROBE_SCALE] = "probe_scale", [SCALED_FROM] = "scaled_from_ns",
	[SCALE_ERROR] = "scale_error_ppm", [DETACHED] = "detached_ns",
};

bool restraint_is_any(const struct restraint *restraint)
{
	return restraint->frees_ended || restraint->scale > 1 || restraint->detached;
}

static void add_moment(bool *sum, u64 *sum_ns, bool more, u64 more_ns)
{
	if (more && (!*sum || more_ns < *sum_ns))
		*sum_ns = more_ns;
	*sum |= more;
}

void restraint_add(struct restraint *sum, const struct restraint *more)
{
	bool scaled = sum->scale > 1;

	sum->limit_percent = more->limit_percent > 0 ? more->limit_percent : sum->limit_percent;
	add_moment(&sum->frees_ended, &sum->frees_ended_ns, more->frees_ended, more->frees_ended_ns);
	add_moment(&scaled, &sum->scaled_ns, more->scale > 1, more->scaled_ns);
	add_moment(&sum->detached, &sum->detached_ns, more->detached, more->detached_ns);
	sum->scale = more->scale > sum->scale ? more->scale : sum->scale;
	sum->scale_error = fmax(sum->scale_error, more->scale_error);
}

static int write_frees(const struct restraint *restraint, char text[RESTRAINT_TEXT_MAX])
{
	return restraint->frees_ended
		       ? snprintf(text, RESTRAINT_TEXT_MAX,
				  "after %s --max-overhead ended the tracing of frees: what is in use is as of then",
				  units_seconds((double)restraint->frees_ended_ns).text)
		       : 0;
}

static int write_scale(const struct restraint *restraint, char text[RESTRAINT_TEXT_MAX])
{
	char error[64] = "";

	if (restraint->scale <= 1)
		return 0;
	if (restraint->scale_error > 0 && restraint->scale_error < ERROR_MOST)
		snprintf(error, sizeof(error), ", give or take %.0f %% in all", 100 * restraint->scale_error);
	return snprintf(text, RESTRAINT_TEXT_MAX,
			"after %s --max-overhead had the probes on for 1/%u of the CPU time: allocations are scaled%s",
			units_seconds((double)restraint->scaled_ns).text, restraint->scale, error);
}

static int write_detached(const struct restraint *restraint, char text[RESTRAINT_TEXT_MAX])
{
	return restraint->detached ? snprintf(text, RESTRAINT_TEXT_MAX, "after %s --max-overhead ended the recording",
					      units_seconds((double)restraint->detached_ns).text)
				   : 0;
}

bool restraint_sentence(const struct restraint *restraint, unsigned int number, char text[RESTRAINT_TEXT_MAX])
{
	int (*const sentences[RESTRAINT_SENTENCES])(const struct restraint *, char[RESTRAINT_TEXT_MAX]) = {
		write_frees, write_scale, write_detached};

	for (unsigned int i = 0; i < RESTRAINT_SENTENCES; i++)
		if (sentences[i](restraint, text) && !number--)
			return true;
	return false;
}

static bool has(const struct restraint *restraint, enum fact fact, u64 *ret_value)
{
	const struct {
		bool known;
		u64 value;
	} facts[FACT_MAX] = {
		[FREES_ENDED] = {restraint->frees_ended, restraint->frees_ended_ns},
		[PROBE_SCALE] = {restraint->scale > 1, restraint->scale},
		[SCALED_FROM] = {restraint->scale > 1, restraint->scaled_ns},
		[SCALE_ERROR] = {restraint->scale_error > 0 && restraint->scale_error < ERROR_MOST,
				 (u64)llround(restraint->scale_error * 1e6)},
		[DETACHED] = {restraint->detached, restraint->detached_ns},
	};

	*ret_value = facts[fact].value;
	return facts[fact].known;
}

const char *restraint_fact(const struct restraint *restraint, unsigned int number, u64 *ret_value)
{
	for (unsigned int i = 0; i < FACT_MAX; i++)
		if (has(restraint, (enum fact)i, ret_value) && !number--)
			return fact_names[i];
	return NULL;
}

void restraint_set(struct restraint *restraint, const char *name, u64 value)
{
	enum fact fact = 0;

	while (fact < FACT_MAX && strcmp(fact_names[fact], name) != 0)
		fact++;
	switch (fact) {
	case FREES_ENDED:
		restraint->frees_ended = true;
		restraint->frees_ended_ns = value;
		break;
	case PROBE_SCALE:
		/* It is multiplied with, and what a file says is anyone's. */
		restraint->scale = value < RESTRAINT_SCALE_MAX ? (u32)value : RESTRAINT_SCALE_MAX;
		break;
	case SCALED_FROM:
		restraint->scaled_ns = value;
		break;
	case SCALE_ERROR:
		restraint->scale_error = (double)value / 1e6;
		break;
	case DETACHED:
		restraint->detached = true;
		restraint->detached_ns = value;
		break;
	case FACT_MAX:
		break;
	}
}
