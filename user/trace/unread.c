/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/unread.h"

#include <string.h>

#include "base/log.h"
#include "system/shortage.h"
#include "trace/tracer_internal.h"

void unread_add(struct tracer *tracer, pid_t pid, int err)
{
	struct unread *unread = &tracer->unread;

	tracer->blind = true;
	unread->err = err;
	if (unread->processes++) {
		log_detail("pid %d: what it maps cannot be read: %s", pid, strerror(-err));
		return;
	}
	unread->said = 1;
	log_error(
		"pid %d: what it maps cannot be read: %s; its allocations may not be seen, and its stacks are cut; further "
		"such processes are counted, and named with -v",
		pid, shortage_explain(err).text);
}

void unread_say(struct unread *unread)
{
	if (unread->processes == unread->said)
		return;
	unread->said = unread->processes;
	log_error(
		"what %u processes map could not be read: their allocations may not have been seen, and their stacks are cut; "
		"the last time: %s",
		unread->processes, shortage_explain(unread->err).text);
}
