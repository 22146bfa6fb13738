/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_SIGNALS_H
#define SYSTEM_SIGNALS_H
/* The signals that a recording listens to, at a descriptor: they interrupt nothing. */
#include <signal.h>
#include <stdbool.h>

/* Begins zeroed, but for fd. */
struct signals {
	int fd; /* readable when one has come; -1: not taken */
	sigset_t original_mask;
	/* set by signals_read, for the caller to clear */
	bool stop;	     /* SIGINT, SIGTERM, SIGHUP */
	bool profile_wanted; /* SIGUSR1 */
	bool child_changed;  /* SIGCHLD */
};

/* 0 or negative errno. */
int signals_take(struct signals *signals);

/* Note what has come since; does not wait. */
void signals_read(struct signals *signals);

/* From here on a signal has its default effect: the second one leaves without writing. Also if they were not taken. */
void signals_return(struct signals *signals);

#endif
