/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/descendants.h"

#include <stdio.h>

#include "base/log.h"
#include "record/tracing.h"
#include "trace/tracer.h"

#define NAMED_MAX 8 /* the PIDs that a -p takes without any cost to other processes */

/* "12,13", with ",..." behind it if there are more. */
static const char *list(const pid_t *pids, unsigned int count, char *text, size_t size)
{
	size_t length = 0;

	for (unsigned int i = 0; i < count && i < NAMED_MAX && length < size; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%d", i ? "," : "", pids[i]);
	if (count > NAMED_MAX && length < size)
		snprintf(text + length, size - length, ",...");
	return text;
}

void descendants_say(const struct tracing_options *options, const struct tracer *tracer)
{
	pid_t pids[NAMED_MAX];
	unsigned int count = tracer_living(tracer, pids, NAMED_MAX);
	const char *command = options->target.command[0], *many = count == 1 ? "" : "es";
	char text[NAMED_MAX * 12 + 8];

	if (!count)
		return;
	list(pids, count, text, sizeof(text));
	if (options->wait_children)
		log_note("'%s' has ended; the recording goes on until the %u process%s that it left running (pid %s) "
			 "and their children have ended; Ctrl-C or -d stops",
			 command, count, many, text);
	else
		log_note("'%s' has ended and left %u process%s running (pid %s): the recording ends here; "
			 "--wait-children goes on until they have ended, '--follow -p %s' records them now",
			 command, count, many, text, text);
}
