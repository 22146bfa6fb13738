/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_SELECTION_H
#define RECORD_SELECTION_H
/*
 * Whom a recording is about: from the words of the command line to a cgroup, to processes, and to the tracer. Says what
 * goes wrong, and returns enum status.
 */
#include "system/cgroup.h"
#include "system/container.h"
#include "system/cgroup_mounts.h"
#include "system/pid_list.h"
#include "trace/tracer.h"

#define PIDS_MAX     1024
#define FILTERED_MAX 8 /* processes served by links of their own; each further link costs every hit on its site */

/* What was asked for, of `record` and `doctor` alike. */
struct selection_options {
	pid_t *pids; /* as given, duplicates removed */
	unsigned int pid_count;
	struct custom_allocator *pools; /* of --alloc */
	char **command;			/* NULL-terminated rest of argv after --, NULL when none */
	bool shared_mounts;
	enum population population;
	const char *cgroup, *container; /* of POPULATION_CGROUP, one of them */
	const char *comm, *exe;		/* of a population, only such processes; NULL: all */
};

struct selection {
	const struct selection_options *options;
	struct cgroup_mounts hierarchy;
	bool has_hierarchy;
	struct container_names *names;
	struct cgroup group; /* of POPULATION_CGROUP */
	bool has_group;
	struct container container; /* of --container */
	struct stat_file {
		dev_t device;
		ino_t inode;
	} exe;
	unsigned int processes; /* attached to at the start */
	u32 made;		/* times the group was made again, as far as that has been said */
	bool empty;		/* it has been said that nobody is left in it */
};

/* Find what the options name. Releases nothing when it fails: selection_release does. */
int selection_open(const struct selection_options *options, struct selection *ret_membership);
void selection_release(struct selection *selection);

/* A PID that was named: STATUS_DONE when it is a process that can be traced. */
int selection_check_pid(pid_t pid);

/*
 * Those who belong to it now, of a population; to be released. Threads of the kernel may be among them. Of -- COMMAND
 * there are none.
 */
int selection_list(const struct selection *selection, struct pid_list *ret_list);

/* What tracer_open is to know of it. */
void selection_describe(const struct selection *selection, struct tracer_options *options);

/* Attach to those that run already, with the kernel looking out for others from before that. Not of COMMAND. */
int selection_attach(struct selection *selection, struct tracer *tracer);

/* Say who is traced, and who else pays how much. */
void selection_say(const struct selection *selection, const struct tracer *tracer);

/* Now and then: say that a group was removed, or made again. True when nothing more can come of it. */
bool selection_look(struct selection *selection, const struct tracer *tracer);

#endif
