/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A stopped thread of another process makes system calls for heaptap, and does not know it afterwards.
 *
 * Below what the thread uses of its stack lies a signal frame with all its registers (signal_frame.h), and each call returns to the code
 * that ends a signal handler: whenever heaptap dies, the thread finishes the call that it is in and is back where it was. Its
 * signals are blocked meanwhile.
 */
#include "system/call_gate.h"
#include "system/stopped_threads.h"

#define BORROWED_ARGUMENTS 6
#define BORROWED_SCRATCH   512 /* bytes of the thread's stack for what calls point to */

struct borrowed_thread {
	struct stopped_threads *threads;
	struct stopped_thread *thread;
	struct call_gate gate;
	u64 mask;
	u64 frame;
	u64 scratch;	  /* address of BORROWED_SCRATCH bytes; 8-byte aligned */
	bool ran, forced; /* forced: the kernel would have ended it by a signal, which it does not get */
	int err;	  /* of the call after which it does not stand where another one could begin */
};

/*
 * Has the thread been stopped outside of a signal and of a restartable sequence, and has it a stack of its own with room? Not so on one of
 * a signal or coroutine. 1, 0, or negative errno of reading where its stack is.
 */
int borrowed_thread_can_lend(const struct stopped_threads *threads, const struct stopped_thread *thread);

/*
 * Begin with threads->threads[0]. 0; -ENOEXEC: the process has executed another program; -EACCES: a seccomp filter forbids
 * one of the calls, or calls may be dispatched to the process itself (prctl(PR_SET_SYSCALL_USER_DISPATCH)); -EOPNOTSUPP: it has a shadow stack, or vector state that a frame does not hold; -EAGAIN: it is in a signal handler; -ESRCH, or another negative
 * errno. After an error, of the others too, the thread is to be let go as it is.
 */
int borrowed_thread_begin(struct stopped_threads *threads, const struct call_gate *gate,
			  struct borrowed_thread *ret_borrowed);

/*
 * One call. 0 and its result, negative errno too, in *ret_result; -EACCES: a filter forbids it; -EFAULT: the code that makes calls is
 * no longer there; -ETIMEDOUT, -ETIME, -ESRCH. All later calls and the end return these four too: the thread finishes that call by itself, and goes
 * back to where it was.
 */
int borrowed_thread_call(struct borrowed_thread *borrowed, long number, const u64 arguments[BORROWED_ARGUMENTS],
			 s64 *ret_result);

/* Give the thread back everything. It stays stopped. */
int borrowed_thread_end(struct borrowed_thread *borrowed);
