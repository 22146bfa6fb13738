/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/thread_stop.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "system/procfs.h"

#define LOOK_AGAIN_NS 10000

int thread_stop_look(pid_t tid, struct thread_stop *ret_stop)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)tid, &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL))
		return -ESRCH;
	if (!info.si_pid)
		return 0;
	if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
		return -ESRCH;
	*ret_stop = (struct thread_stop){.signal = info.si_status & 0xff, .event = info.si_status >> 8};
	return 1;
}

int thread_stop_wait(pid_t tid, u64 until_ns, struct thread_stop *ret_stop)
{
	for (bool again = false;; again = true) {
		/* The time comes first: heaptap too may lose its processor here, for longer than the thread takes. */
		bool late = clock_now_ns() > until_ns;
		int found = thread_stop_look(tid, ret_stop);
		char state;

		if (found)
			return found < 0 ? found : 0;
		state = late ? procfs_state(tid) : 0;
		if (late && (again || state != 't'))
			return state == 'R' ? -ETIME : -ETIMEDOUT;
		nanosleep(&(struct timespec){.tv_nsec = LOOK_AGAIN_NS}, NULL);
	}
}
