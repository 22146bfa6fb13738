/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/signals.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_take(struct signals *signals)
{
	struct sigaction hangup;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGUSR1);
	/* nohup ignores SIGHUP: then it stays ignored. */
	if (!sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler != SIG_IGN)
		sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, &signals->original_mask);
	signals->fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

void signals_return(struct signals *signals)
{
	sigset_t mask = signals->original_mask;

	if (signals->fd < 0)
		return;
	signals_read(signals);
	/* A request for a profile comes too late: the last one is being written. */
	sigaddset(&mask, SIGUSR1);
	close(signals->fd);
	signals->fd = -1;
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

void signals_read(struct signals *signals)
{
	struct signalfd_siginfo info;

	while (read(signals->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1)
			signals->profile_wanted = true;
		else if (info.ssi_signo == SIGCHLD)
			signals->child_changed = true;
		else
			signals->stop = true;
		signals->interrupt |= info.ssi_signo == SIGINT;
	}
}

void signals_die(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	signal(SIGINT, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	raise(SIGINT);
	_exit(128 + SIGINT);
}
