/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMAND_H
#define COMMAND_H
/* COMMAND of `record -- COMMAND`: a child that waits before its exec until its probes are in place. */
#include <signal.h>
#include <sys/types.h>

struct stand_in_set;

struct command {
	pid_t pid;
	int gate;    /* writing here lets it go; closing it instead makes it leave without a trace */
	int verdict; /* its exec's errno comes out here, or end of file when it succeeded */
	char *path;  /* the program found, as exec will find it */
};

/* Look COMMAND up along PATH: 0 with *ret_path allocated; -ENOENT, -EACCES (found, but not executable), -ENOMEM. */
int command_find(const char *name, char **ret_path);

/*
 * Fork the child; it will run with signal mask `mask`. With `stand_ins` (NULL: none) it has entered a mount namespace of
 * its own on return, where they are in place of their originals. 0 or negative errno: there is no child then, and one
 * without stand-ins may start all the same.
 */
int command_start(char *const *argv, char *path, const sigset_t *mask, const struct stand_in_set *stand_ins,
		  struct command *ret_command);

/* Let it exec. 0, or the negative errno of its exec (the child is reaped then). */
int command_release(struct command *command);

/* It never runs: the child leaves and is reaped. */
void command_abandon(struct command *command);

/* Its status as a shell would give it (128 + signal), -EAGAIN while it runs; waits when `block`. */
int command_status(struct command *command, int block);

#endif
