/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/first_steps.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define STOPS_MAX      2000 /* two a system call; the loader of a program with 60 libraries makes some 500 calls */
#define AT_SYSTEM_CALL (SIGTRAP | 0x80)

struct stop {
	int signal, event;
};

int first_steps_watch(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC) ? -errno : 0;
}

/* False: it has ended, or no longer is ours to watch. Its end is left for the one who reaps it. */
static bool wait_for_stop(pid_t pid, struct stop *ret_stop)
{
	siginfo_t info;
	int status;

	while (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WEXITED | WNOWAIT))
		if (errno != EINTR)
			return false;
	if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
		return false;
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return false;
	*ret_stop = (struct stop){.signal = WSTOPSIG(status), .event = status >> 16};
	return true;
}

/* The signal that the stop is about, and that the process is to have. */
static long signal_of(const struct stop *stop)
{
	return stop->event || stop->signal == AT_SYSTEM_CALL ? 0 : stop->signal;
}

void first_steps_follow(pid_t pid, const struct first_steps *steps)
{
	bool executed = false;
	struct stop stop;

	for (unsigned int stops = 0; wait_for_stop(pid, &stop); stops++) {
		executed |= stop.event == PTRACE_EVENT_EXEC;
		if ((executed && steps->look(pid, steps->arg)) || stop.event == PTRACE_EVENT_STOP ||
		    stops == STOPS_MAX) {
			ptrace(PTRACE_DETACH, pid, NULL, signal_of(&stop));
			return;
		}
		if (ptrace(executed ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, signal_of(&stop)))
			return;
	}
}
