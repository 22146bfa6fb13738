/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/denial.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/status.h"
#include "system/capability.h"
#include "system/proc_maps.h"
#include "system/shortage.h"

/* How many capabilities of the mask are missing, and their names. 0 also where that cannot be told. */
static unsigned int missing_of(u64 needed, struct privileges *ret_privileges, char names[128])
{
	return privileges_read(ret_privileges) ? 0 : privileges_missing_of(ret_privileges, needed, names, 128);
}

/* "CAP_X missing; grant it" */
static void demand(const struct privileges *privileges, const char *names, unsigned int count,
		   char text[DENIAL_TEXT_MAX])
{
	if (privileges->root)
		snprintf(text, DENIAL_TEXT_MAX, "%s missing; grant %s (a container: --cap-add)", names,
			 count > 1 ? "them" : "it");
	else
		snprintf(text, DENIAL_TEXT_MAX, "%s missing; try 'sudo heaptap ...'", names);
}

const char *denial_explain_file(pid_t pid, int err, char text[DENIAL_TEXT_MAX])
{
	struct privileges privileges;
	char names[128];
	unsigned int missing = missing_of(proc_maps_needs(pid, err), &privileges, names);

	if (missing)
		demand(&privileges, names, missing, text);
	else if (err == -ESTALE || err == -ENOENT)
		snprintf(text, DENIAL_TEXT_MAX, "it was replaced or deleted since it was mapped; restart the service");
	else if (shortage_is(err))
		snprintf(text, DENIAL_TEXT_MAX, "%s", shortage_explain(err).text);
	else
		snprintf(text, DENIAL_TEXT_MAX, "%s; a security module may forbid it", strerror(-err));
	return text;
}

const char *denial_explain_process(char text[DENIAL_TEXT_MAX])
{
	struct privileges privileges;
	char names[128];
	unsigned int missing = missing_of(1ULL << CAP_SYS_PTRACE, &privileges, names);

	if (missing)
		demand(&privileges, names, missing, text);
	else
		snprintf(text, DENIAL_TEXT_MAX,
			 "forbidden although no capability is missing: a security module, or a user namespace; try "
			 "outside the container");
	return text;
}

const char *denial_explain_copies(char text[DENIAL_TEXT_MAX])
{
	struct privileges privileges;
	char names[128];

	if (missing_of(1ULL << CAP_SYS_ADMIN | 1ULL << CAP_CHOWN | 1ULL << CAP_FOWNER, &privileges, names))
		snprintf(text, DENIAL_TEXT_MAX, "heaptap has no %s here", names);
	else
		snprintf(
			text, DENIAL_TEXT_MAX,
			"a security module, or a user namespace, forbids copies of its files, although no capability is missing");
	return text;
}

int denial_status(pid_t pid, int err)
{
	struct privileges privileges;
	char names[128];

	if (shortage_is(err))
		return STATUS_FAILED;
	return missing_of(proc_maps_needs(pid, err), &privileges, names) ? STATUS_UNSUPPORTED : STATUS_NO_TARGET;
}

void denial_say(const struct unopened *denied)
{
	char why[DENIAL_TEXT_MAX];

	if (denial_status(denied->pid, denied->err) != STATUS_UNSUPPORTED)
		return;
	log_note("'%s', which a traced process maps, cannot be opened: %s; stacks through such files are cut, and an "
		 "allocator in them is not seen",
		 denied->path, denial_explain_file(denied->pid, denied->err, why));
}
