/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The signals of a recording, read from a descriptor: they interrupt no system call. They stay taken until everything is
 * written: timeout(1), shells, service managers and closing terminals send the signal of one stop twice.
 */
#include <signal.h>
#include <stdbool.h>

/* Zeroed at first, with fd -1. */
struct signals {
	int fd; /* readable when one has come; -1: not taken */
	sigset_t original_mask;
	/* set by signals_read, for the caller to clear */
	bool stop;	     /* SIGINT, SIGTERM, SIGHUP */
	bool interrupt;	     /* SIGINT */
	bool profile_wanted; /* SIGUSR1 */
	bool child_changed;  /* SIGCHLD */
};

/* 0 or negative errno. */
int signals_take(struct signals *signals);

/* Read the signals that have come since; does not wait. */
void signals_read(struct signals *signals);

/* From here on signals have their default effect; those that have come are dropped. May be called without take. */
void signals_return(struct signals *signals);

/* End this process as a SIGINT that was never taken does. To be called by any thread. */
_Noreturn void signals_die(void);
