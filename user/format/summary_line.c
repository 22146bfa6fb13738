/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/summary_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define NOT_RECORDED "  in use     not recorded (--alloc-only)"

static const char *total_name(const struct profile *profile, bool inuse)
{
	return !inuse ? "allocated" : profile->exited ? "at exit" : "in use";
}

const char *summary_line_total(const struct profile *profile, const struct profile_site *sums, bool inuse,
			       char line[SUMMARY_LINE_SIZE])
{
	enum measure space = inuse ? INUSE_SPACE : ALLOC_SPACE, objects = inuse ? INUSE_OBJECTS : ALLOC_OBJECTS;
	u64 samples = inuse ? sums->inuse_samples : sums->alloc_samples;

	if (inuse && profile->alloc_only)
		snprintf(line, SUMMARY_LINE_SIZE, NOT_RECORDED);
	else if (profile_is_exact(profile))
		snprintf(line, SUMMARY_LINE_SIZE, "  %-10s %10s = %s B in %s object%s", total_name(profile, inuse),
			 units_bytes((double)sums->value[space]).text, units_digits(sums->value[space]).text,
			 units_digits(sums->value[objects]).text, sums->value[objects] == 1 ? "" : "s");
	else
		snprintf(line, SUMMARY_LINE_SIZE, "  %-10s %10s ±%s in %s ±%s object%s, %s sample%s",
			 total_name(profile, inuse), units_bytes((double)sums->value[space]).text,
			 units_bytes(sums->stderr_value[space]).text, units_digits(sums->value[objects]).text,
			 units_digits((u64)llround(sums->stderr_value[objects])).text,
			 sums->value[objects] == 1 ? "" : "s", units_digits(samples).text, samples == 1 ? "" : "s");
	return line;
}

const char *summary_line_population(const struct population *population, char line[SUMMARY_LINE_SIZE])
{
	const struct profile_ended *ended = &population->facts.ended;
	struct units_text error = units_format("%s", ""), gone = error;

	if (population->facts.alloc_only) {
		snprintf(line, SUMMARY_LINE_SIZE, NOT_RECORDED);
		return line;
	}
	if (population->inuse_error > 0)
		error = units_format(" ±%s", units_bytes(population->inuse_error).text);
	if (ended->processes)
		gone = units_format("; %" PRIu32 " ended with %s", ended->processes,
				    units_bytes((double)ended->inuse_space).text);
	snprintf(line, SUMMARY_LINE_SIZE, "  in use     %10s%s in %" PRIu32 " process%s%s",
		 units_bytes((double)population->inuse_space).text, error.text, population->living,
		 population->living == 1 ? "" : "es", gone.text);
	return line;
}

struct units_text summary_line_interval(u64 sample_bytes)
{
	if (sample_bytes <= 1)
		return units_format("every allocation");
	if (sample_bytes % 1024)
		return units_format("a sample per %s B", units_digits(sample_bytes).text);
	return units_format("a sample per %s KiB", units_digits(sample_bytes / 1024).text);
}

struct units_text summary_line_limit(const struct profile *profile, const struct lifetime_summary *summary)
{
	double left_s = lifetime_summary_time_left(profile, summary);

	return isfinite(left_s) ? units_format(", limit reached in %s", units_seconds(left_s * 1e9).text)
				: units_format("%s", "");
}

const char *summary_line_growth(const struct overview *overview, const char *early, char line[SUMMARY_LINE_SIZE])
{
	static const char *const words[] = {
		[VERDICT_UNKNOWN] = "not known: too few samples",
		[VERDICT_TRANSIENT] = "none: hardly anything lives on",
		[VERDICT_FILLING] = "slows down, or what is old goes: filling, as a cache does",
		[VERDICT_STEADY] = "none: steady, as many objects die as come to stay",
		[VERDICT_MIXED] = "not clear",
	};
	const struct lifetime_summary *process = &overview->process;
	const struct profile *profile = overview->profile;

	if (profile->alloc_only)
		snprintf(line, SUMMARY_LINE_SIZE, "  growth     not known (--alloc-only)");
	else if (process->verdict == VERDICT_GROWING)
		snprintf(line, SUMMARY_LINE_SIZE, "  growth     %10s/s ±%s%s", units_bytes(process->growth).text,
			 units_bytes(process->growth_error).text, summary_line_limit(profile, process).text);
	else if (!profile->model.known || !profile->model.gogc_percent)
		snprintf(line, SUMMARY_LINE_SIZE, "  growth     not known (--gogc off)");
	else if (process->verdict == VERDICT_EARLY || profile->model.ticks < VERDICT_TICKS)
		snprintf(line, SUMMARY_LINE_SIZE, "  growth     too early to tell: %" PRIu32 " of %d s%s",
			 profile->model.ticks < VERDICT_TICKS ? profile->model.ticks : VERDICT_TICKS, VERDICT_TICKS,
			 early);
	else
		snprintf(line, SUMMARY_LINE_SIZE, "  growth     %s", words[process->verdict]);
	return line;
}
