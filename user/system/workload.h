/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* COMMAND of `record -- COMMAND`: a child that waits before its exec until its probes are in place. */
#include <signal.h>
#include <sys/types.h>

struct file_copies;
struct first_steps;

struct workload {
	pid_t pid;
	int gate;    /* writing here lets it exec; closing it makes it exit */
	int verdict; /* yields the errno of its exec, or end of file when that succeeded */
	char *path;  /* of the program; borrowed */
};

/*
 * Look COMMAND up along PATH: 0 with *ret_path allocated, -ENOMEM, or the negative errno that execvp would leave:
 * -ENOENT, -EACCES (found, but not executable), -ENOTDIR, -ELOOP and others.
 */
int workload_find(const char *name, char **ret_path);

/*
 * Fork the child; it will run with signal mask `mask` and what inheritance.h restores. With `copies` (NULL: none) it has entered a mount namespace of its
 * own on return, where they are in place of their originals. 0 or negative errno: there is no child then, but one without
 * copies may still start.
 */
int workload_start(char *const *argv, char *path, const sigset_t *mask, const struct file_copies *copies,
		   struct workload *ret_workload);

/*
 * Let it exec, and watch its first steps (first_steps.h; NULL: they are not watched, nor are they where it may not be traced). 0, or the negative errno of its exec (the child is reaped then).
 */
int workload_release(struct workload *workload, const struct first_steps *steps);

/* It never runs: the child exits and is reaped. */
void workload_abandon(struct workload *workload);

/* Its status as a shell reports it (128 + signal), -EAGAIN while it runs; waits if `block`. */
int workload_status(struct workload *workload, int block);
