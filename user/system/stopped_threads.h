/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Threads of another process, stopped for a moment. A function of the caller's is called while they are stopped, in a thread made for
 * it: what ptrace holds belongs to a thread, and its end lets go of everything, also of a thread that did not stop in time. If
 * heaptap is killed meanwhile, the kernel lets go likewise, and they go on (PTRACE_O_EXITKILL is never set).
 */
#include <sys/types.h>
#include <sys/user.h>

#include "include/types.h"

struct stopped_thread {
	pid_t tid;
	bool stopped, gone;
	int signal; /* which it was about to be given; 0: none */
	struct user_regs_struct registers;
};

struct stopped_threads {
	pid_t pid;
	int memory;	    /* of the process, to read and to write */
	u64 until_ns;	    /* when to give up (clock_now_ns) */
	u64 alone_until_ns; /* the same while none stands still and one that runs on waits for a processor */
	u64 limit_ns;	    /* that they may stand still before the last has stopped */
	u64 running_ns;	    /* none had stopped by then */
	u64 first_ns;	    /* that, once one has; 0: none has */
	bool starved;	    /* one was late, and ready to run */
	struct stopped_thread *threads; /* all that are not gone are stopped */
	u32 count;
};

enum stopped_which {
	STOPPED_ONE, /* that can lend its stack (borrowed_thread.h); if `action` returns -EAGAIN, another one; the others run on */
	STOPPED_ALL,
};

/*
 * Stop threads of `pid`, call `action`, and let them go on. Returns what `action` does, or, with the process as it was:
 *   -ESRCH      it is gone
 *   -EPERM      it may not be traced, or is traced by another one already
 *   -ETIMEDOUT  a thread did not stop within `limit_ns`: it waits for a child in vfork, or for a device; or the action was not done by then
 *   -ETIME      the same, but what it waited for was a processor, which others had: the next time it may have one. As long as no
 *               other thread has stopped, and so stands still, it has half a second more
 *   -EBUSY      it was stopped by a signal
 *   -EAGAIN     no thread has a stack to lend at the moment (STOPPED_ONE); or a thread has ended that the action had in its hands
 * or another negative errno. *ret_stopped_ns (NULL: do not tell): how long the first thread was stopped, at most (STOPPED_ONE: of the last that was tried); 0: none was.
 */
int stopped_threads_do(pid_t pid, enum stopped_which which, u64 limit_ns,
		       int (*action)(struct stopped_threads *threads, void *arg), void *arg, u64 *ret_stopped_ns);
