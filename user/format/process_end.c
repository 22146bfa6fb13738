/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/process_end.h"

#include <stdio.h>

#include "base/units.h"

static void oom_killed(const struct profile *profile, char text[PROCESS_END_SIZE])
{
	int length = snprintf(text, PROCESS_END_SIZE, "ended: OOM-killed");

	if (profile->rss_peak_bytes)
		length += snprintf(text + length, PROCESS_END_SIZE - (size_t)length, " at %s",
				   units_bytes((double)profile->rss_peak_bytes).text);
	if (profile->memory_limit)
		snprintf(text + length, PROCESS_END_SIZE - (size_t)length, ", limit %s",
			 units_bytes((double)profile->memory_limit).text);
}

const char *process_end(const struct profile *profile, char text[PROCESS_END_SIZE])
{
	const struct profile_exit *end = &profile->exit;

	if (end->oom_killed)
		oom_killed(profile, text);
	else if (end->signal)
		snprintf(text, PROCESS_END_SIZE, "ended: killed by signal %u", end->signal);
	else if (end->status)
		snprintf(text, PROCESS_END_SIZE, "ended: exit status %u", end->status);
	else
		snprintf(text, PROCESS_END_SIZE, "ended");
	return text;
}

const char *process_end_brief(const struct profile *profile, char text[PROCESS_END_SIZE])
{
	const struct profile_exit *end = &profile->exit;

	if (!profile->exited)
		return "";
	if (end->oom_killed)
		return "OOM kill";
	if (end->signal)
		snprintf(text, PROCESS_END_SIZE, "signal %u", end->signal);
	else if (end->status)
		snprintf(text, PROCESS_END_SIZE, "exit %u", end->status);
	else
		return "ended";
	return text;
}
