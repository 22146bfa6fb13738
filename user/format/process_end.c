/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/process_end.h"

#include <stdio.h>

const char *process_end(const struct profile *profile, char text[PROCESS_END_SIZE])
{
	const struct profile_exit *end = &profile->exit;

	if (end->signal)
		snprintf(text, PROCESS_END_SIZE, "ended: killed by signal %u%s", end->signal,
			 end->oom_killed ? " by the OOM killer" : "");
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
