/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text about kernel features: for doctor's list, and for the message before exit status 3. */
#include "trace/feature_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "system/shortage.h"

static const struct requirement table[FEATURE_MAX] = {
	[FEATURE_BPF] = {"BPF programs", "everything",
			 "Linux 5.8 with CONFIG_BPF_SYSCALL, CONFIG_BPF_EVENTS and CONFIG_PERF_EVENTS"},
	[FEATURE_BTF] = {"BTF types", "programs that fit this kernel", "CONFIG_DEBUG_INFO_BTF"},
	[FEATURE_RING] = {"BPF ring buffers", "events to user space", "Linux 5.8 with CONFIG_BPF_SYSCALL"},
	[FEATURE_TP_BTF] = {"typed tracepoints", "exec, exit and fork of the target",
			    "CONFIG_DEBUG_INFO_BTF and CONFIG_BPF_EVENTS"},
	[FEATURE_SIDEBAND] = {"perf side-band records", "mappings of the target", "Linux 5.12 with CONFIG_PERF_EVENTS"},
	[FEATURE_SESSION] = {"uprobe session links", "one trap for each call, no return leg unless sampled",
			     "Linux 6.13 with CONFIG_UPROBES and CONFIG_BPF_EVENTS"},
	[FEATURE_MULTI] = {"uprobe multi links", "quick attach and detach, two traps for each allocation",
			   "Linux 6.6 with CONFIG_UPROBES and CONFIG_BPF_EVENTS"},
	[FEATURE_MULTI_FILTER] = {"multi links by process", "all threads of the target through one link",
				  "Linux 6.10 with CONFIG_UPROBES and CONFIG_BPF_EVENTS"},
	[FEATURE_PERF] = {"perf-event uprobes", "the same on older kernels, 0.1 s for each probe to detach",
			  "Linux 5.15 with CONFIG_UPROBES, CONFIG_UPROBE_EVENTS and CONFIG_BPF_EVENTS"},
	[FEATURE_FUNCTIONS] = {"programs at functions", "--mappings, of which only calls that map memory know",
			       "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
	[FEATURE_SYSCALLS] = {"system call tracepoints", "the same, of which all system calls know",
			      "CONFIG_FTRACE_SYSCALLS"},
};

const struct requirement *feature_text_find(enum feature_id id)
{
	return &table[id];
}

enum feature_id feature_text_missing(const struct features *features)
{
	const int *error = features->error;
	enum feature_id id;

	for (id = FEATURE_BPF; id <= FEATURE_SIDEBAND; id++)
		if (error[id])
			return id;
	if (error[FEATURE_SESSION] && (error[FEATURE_MULTI] || error[FEATURE_MULTI_FILTER]) && error[FEATURE_PERF])
		return FEATURE_PERF;
	return FEATURE_NONE;
}

static void explain_refusal(enum feature_id id, const struct privileges *privileges, char *ret_sentence, size_t size)
{
	char names[64];
	unsigned int missing = privileges_missing(privileges, id == FEATURE_PERF, names, sizeof(names));
	const char *name = table[id].name;

	if (privileges->user_namespace)
		snprintf(ret_sentence, size,
			 "%s refused: capabilities of a user namespace do not count there; run heaptap as root of the "
			 "host (a container needs --privileged --pid=host, and not to be rootless)",
			 name);
	else if (missing && privileges->root)
		snprintf(ret_sentence, size,
			 "%s refused: %s missing; grant %s (a container: --cap-add, or --privileged --pid=host)", name,
			 names, missing > 1 ? "them" : "it");
	else if (missing)
		snprintf(ret_sentence, size, "%s refused: %s missing; try 'sudo heaptap ...'", name, names);
	else
		snprintf(ret_sentence, size,
			 "%s refused, although no capability is missing: a seccomp filter, kernel lockdown or a "
			 "security module forbids it; try outside the container, and see /sys/kernel/security/lockdown",
			 name);
}

void feature_text_explain(enum feature_id id, int error, const struct privileges *privileges, char *ret_sentence,
			  size_t size)
{
	const struct requirement *requirement = feature_text_find(id);

	if (shortage_is(error))
		snprintf(ret_sentence, size, "%s cannot be tried: %s", requirement->name, shortage_explain(error).text);
	else if (error == -EPERM || error == -EACCES)
		explain_refusal(id, privileges, ret_sentence, size);
	else
		snprintf(ret_sentence, size, "this kernel has no %s (%s); they take %s", requirement->name,
			 strerror(-error), requirement->source);
}

bool feature_text_rewrites_nops(const char *release)
{
	unsigned int major, minor;

	/* The 10-byte nop took its place in 7.3; which older kernels got that as well their numbers do not say. */
	return sscanf(release, "%u.%u", &major, &minor) == 2 &&
	       ((major == 6 && minor >= 18) || (major == 7 && minor < 3));
}
