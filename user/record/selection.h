/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The processes that `record` traces and `doctor` looks at: from what the command line says to a cgroup, to PIDs, and to
 * the tracer. Functions that return int return enum status, and log what went wrong.
 */
#include "system/cgroup.h"
#include "system/container.h"
#include "system/cgroup_mounts.h"
#include "system/pid_list.h"
#include "trace/tracer.h"

#define PIDS_MAX     1024
#define FILTERED_MAX 8 /* processes served by links of their own; each further link costs every hit on its site */

/* What was asked for, by the options that `record` and `doctor` share. */
struct selection_options {
	pid_t *pids; /* as given, duplicates removed */
	unsigned int pid_count;
	struct custom_allocator *pools; /* of --alloc */
	char **command;			/* NULL-terminated rest of argv after --, NULL when none */
	bool shared_mounts, plain_copies;
	bool inlined; /* asked for: COMMAND is sampled by code in its processes, as far as its files allow (inline/graft.h) */
	bool harm_translators; /* see system/translator.h */
	enum population population;
	const char *cgroup, *container; /* of POPULATION_CGROUP, one of them */
	const char *comm, *exe;		/* of a population, only such processes; NULL: all */
};

struct selection {
	const struct selection_options *options;
	struct cgroup_mounts mounts; /* root NULL: there are none */
	struct container_names *names;
	struct cgroup group;	    /* of POPULATION_CGROUP; path NULL: none */
	struct container container; /* of --container */
	dev_t exe_device;	    /* of --exe; inode 0: any */
	ino_t exe_inode;
	unsigned int processes; /* attached to at the start; of a population alone */
	u32 made;		/* how often the group had been made again when that was logged last */
	bool empty;		/* it has been logged that the group has no processes left */
};

/* Name one more process, unless it is named already. 0, -ENOMEM, or -E2BIG: there are PIDS_MAX. The options own the list. */
int selection_add_pid(struct selection_options *options, pid_t pid);

bool selection_has_target(const struct selection_options *options);

/* Find what the options name. Must be followed by selection_release, also when it fails. */
int selection_open(const struct selection_options *options, struct selection *ret_selection);
void selection_release(struct selection *selection);

/*
 * The processes that belong to it now; to be released. Threads of the kernel may be among them. Fails unless each PID
 * that was named is a process that can be traced. For -- COMMAND the list is empty.
 */
int selection_list(const struct selection *selection, struct pid_list *ret_list);

/*
 * What was selected, for messages: "container 'shop' (0123456789ab, docker)", "cgroup '/a'", "every process of this
 * machine", "the processes named".
 */
#define SELECTION_NAME_MAX 512
const char *selection_name(const struct selection *selection, char name[SELECTION_NAME_MAX]);

/* Fill in what tracer_open needs to know about it. */
void selection_describe(const struct selection *selection, struct tracer_options *options);

/*
 * Attach to the processes that run already. The kernel looks out for those that join later from before that. Not for
 * COMMAND.
 */
int selection_attach(struct selection *selection, struct tracer *tracer);

/* Log which group is traced, and which other processes pay how much. */
void selection_say(const struct selection *selection, const struct tracer *tracer);

/* Now and then: log that a group was removed, or made again. True when the recording is over because of it. */
bool selection_look(struct selection *selection, const struct tracer *tracer);
