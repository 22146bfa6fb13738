/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_WORKLOAD_H
#define SYSTEM_WORKLOAD_H
/* COMMAND of `record -- COMMAND`: a child that waits before its exec until its probes are in place. */
#include <signal.h>
#include <sys/types.h>

struct file_copies;

struct workload {
	pid_t pid;
	int gate;    /* writing here lets it go; closing it instead makes it leave without a trace */
	int verdict; /* its exec's errno comes out here, or end of file when it succeeded */
	char *path;  /* the program found, as exec will find it */
};

/* Look COMMAND up along PATH: 0 with *ret_path allocated; -ENOENT, -EACCES (found, but not executable), -ENOMEM. */
int workload_find(const char *name, char **ret_path);

/*
 * Fork the child; it will run with signal mask `mask`. With `stand_ins` (NULL: none) it has entered a mount namespace of
 * its own on return, where they are in place of their originals. 0 or negative errno: there is no child then, and one
 * without stand-ins may start all the same.
 */
int workload_start(char *const *argv, char *path, const sigset_t *mask, const struct file_copies *stand_ins,
		   struct workload *ret_command);

/* Let it exec. 0, or the negative errno of its exec (the child is reaped then). */
int workload_release(struct workload *workload);

/* It never runs: the child leaves and is reaped. */
void workload_abandon(struct workload *workload);

/* Its status as a shell would give it (128 + signal), -EAGAIN while it runs; waits when `block`. */
int workload_status(struct workload *workload, int block);

#endif
