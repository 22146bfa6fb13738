/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stop is looked at without being taken (WNOWAIT): a signal that a thread is about to be given is lost if it was taken from a stop
 * whose tracer dies before it has passed the signal on.
 */
#include "system/stopped_threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/directory.h"
#include "system/borrowed_thread.h"
#include "system/interruption.h"
#include "system/process_memory.h"
#include "system/procfs.h"
#include "system/thread_stop.h"

#define FIRST		(-20)
#define LOOK_AGAIN_NS	10000
#define LOOK_LATE_NS	500000 /* the thread that is waited for may need this one's processor */
#define HOLD_ROUNDS	4
#define LET_GO_LIMIT_NS 1000000000ULL
#define ALONE_NS	500000000ULL /* that a thread may be without a processor while none stands still for it */

void (*interruption_hook)(void);

struct stopping {
	struct stopped_threads threads;
	enum stopped_which which;
	int (*action)(struct stopped_threads *threads, void *arg);
	void *arg;
	u64 stopped_ns;
	pid_t tracer;
	int result;
};

static void sleep_for(long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* --- one thread ----------------------------------------------------------------------------------------------------- */

static bool is_late(const struct stopped_threads *threads)
{
	return clock_now_ns() > threads->until_ns;
}

/* A thread has not stopped in time. 0: it may have some more, or has stopped since it was looked at. */
static int give_up(struct stopped_threads *threads, pid_t tid)
{
	char state = procfs_state(tid);

	threads->starved |= state == 'R';
	if (state != 'R' && state != 't')
		return threads->starved ? -ETIME : -ETIMEDOUT;
	if ((threads->first_ns && state != 't') || clock_now_ns() > threads->alone_until_ns)
		return -ETIME;
	sleep_for(LOOK_LATE_NS);
	return 0;
}

static struct stopped_thread *find(const struct stopped_threads *threads, pid_t tid)
{
	for (u32 i = 0; i < threads->count; i++)
		if (threads->threads[i].tid == tid)
			return &threads->threads[i];
	return NULL;
}

static int add_thread(struct stopped_threads *threads, pid_t tid)
{
	if (array_grow(&threads->threads, threads->count, 1))
		return -ENOMEM;
	threads->threads[threads->count++] = (struct stopped_thread){.tid = tid};
	return 0;
}

/* 1: it is new and is held now, 0: it is not, or is gone */
static int seize(struct stopped_threads *threads, pid_t tid)
{
	int err;

	/* A stop would end the request that the kernel's thread works on. */
	if (find(threads, tid) || procfs_is_kernels(tid))
		return 0;
	/* TRACECLONE: a thread that it starts meanwhile is held from its first instruction on, and perhaps seen here before its parent tells. */
	if (ptrace(PTRACE_SEIZE, tid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE)) {
		err = -errno;
		if (err == -ESRCH || procfs_has_ended(tid))
			return 0;
		if (procfs_tracer(tid) != gettid())
			return err;
	}
	interruption_point();
	err = add_thread(threads, tid);
	return err ? err : 1;
}

static void interrupt(struct stopped_thread *thread)
{
	if (!thread->stopped && !thread->gone && ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL))
		thread->gone = errno == ESRCH;
	interruption_point();
}

/* A thread stopped in the middle of a clone goes on to the stop that it was asked for; its child stops by itself. */
static int pass_clone(struct stopped_threads *threads, pid_t tid)
{
	unsigned long child = 0;
	int err = 0;

	if (!ptrace(PTRACE_GETEVENTMSG, tid, NULL, &child) && child && !find(threads, (pid_t)child))
		err = add_thread(threads, (pid_t)child);
	ptrace(PTRACE_CONT, tid, NULL, NULL);
	return err;
}

static int take_stop(struct stopped_threads *threads, u32 number, const struct thread_stop *stop)
{
	struct stopped_thread *thread = &threads->threads[number];

	if (stop->event == PTRACE_EVENT_CLONE)
		return pass_clone(threads, thread->tid);
	if (stop->event == PTRACE_EVENT_STOP && stop->signal != SIGTRAP)
		return -EBUSY;
	if (ptrace(PTRACE_GETREGS, thread->tid, NULL, &thread->registers)) {
		thread->gone = true;
		return 0;
	}
	thread->signal = stop->event ? 0 : stop->signal;
	thread->stopped = true;
	if (!threads->first_ns) {
		threads->first_ns = threads->running_ns;
		threads->until_ns = clock_now_ns() + threads->limit_ns;
	}
	return 0;
}

/* --- many ----------------------------------------------------------------------------------------------------------- */

/* *ret_running: one that has not stopped; 0: all have, or are gone. */
static int look_at_all(struct stopped_threads *threads, pid_t *ret_running)
{
	int err = 0;

	*ret_running = 0;
	for (u32 i = 0; i < threads->count && !err; i++) {
		struct thread_stop stop;
		int found;

		if (threads->threads[i].stopped || threads->threads[i].gone)
			continue;
		found = thread_stop_look(threads->threads[i].tid, &stop);
		threads->threads[i].gone = found < 0;
		if (found > 0)
			err = take_stop(threads, i, &stop);
		if (found >= 0 && !threads->threads[i].stopped && !threads->threads[i].gone)
			*ret_running = threads->threads[i].tid;
	}
	return err;
}

/* All in each round: while one is waited for, others may stand still already. */
static int wait_for_all(struct stopped_threads *threads)
{
	for (;;) {
		/* The time comes first: heaptap too may lose its processor here, for longer than the threads take. */
		u64 round_ns = clock_now_ns();
		pid_t running;
		int err = look_at_all(threads, &running);

		if (err || !running)
			return err;
		if (!threads->first_ns)
			threads->running_ns = round_ns;
		err = round_ns > threads->until_ns ? give_up(threads, running) : 0;
		if (err)
			return err;
		sleep_for(LOOK_AGAIN_NS);
	}
}

/* How many threads were new, or a negative errno. */
static int seize_new(struct stopped_threads *threads)
{
	char path[32];
	const struct dirent *entry;
	int found = 0, err = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", threads->pid);
	directory = opendir(path);
	if (!directory)
		return procfs_failure();
	while (err >= 0 && (entry = directory_next(directory, &err))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		err = tid ? seize(threads, tid) : 0;
		found += err > 0;
	}
	closedir(directory);
	return err < 0 ? err : found;
}

/* All are held before the first is stopped, so that none waits for that. Some processes never cease to begin threads. */
static int hold_all(struct stopped_threads *threads)
{
	int found = 1;

	for (int i = 0; i < HOLD_ROUNDS && found > 0; i++)
		found = seize_new(threads);
	return found;
}

static int stop_all(struct stopping *stopping)
{
	struct stopped_threads *threads = &stopping->threads;
	int found = hold_all(threads), err = 0;

	threads->running_ns = clock_now_ns();
	do {
		for (u32 i = 0; i < threads->count; i++)
			interrupt(&threads->threads[i]);
		if (found >= 0)
			err = wait_for_all(threads);
		if (found >= 0 && !err)
			err = is_late(threads) ? -ETIME : 0;
		if (found >= 0 && !err)
			found = seize_new(threads);
	} while (found > 0 && !err);
	return found < 0 ? found : err;
}

static int stop_thread(struct stopping *stopping, pid_t tid)
{
	struct stopped_threads *threads = &stopping->threads;
	int err = seize(threads, tid);

	if (err <= 0)
		return err ? err : -EAGAIN;
	threads->running_ns = clock_now_ns();
	interrupt(&threads->threads[threads->count - 1]);
	err = wait_for_all(threads);
	stopping->stopped_ns = threads->first_ns;
	if (err || threads->threads[0].gone)
		return err ? err : -EAGAIN;
	err = borrowed_thread_can_lend(threads, &threads->threads[0]);
	return err > 0 ? 0 : err ? err : -EAGAIN;
}

static void let_go(struct stopped_threads *threads)
{
	for (u32 i = 0; i < threads->count; i++) {
		struct stopped_thread *thread = &threads->threads[i];

		if (thread->stopped && !thread->gone)
			ptrace(PTRACE_DETACH, thread->tid, NULL, (long)thread->signal);
		interruption_point();
	}
	threads->count = 0;
	threads->first_ns = 0;
}

/* Until the action has been done with one. */
static int act_on_one(struct stopping *stopping)
{
	char path[32];
	const struct dirent *entry;
	int err = -EAGAIN, unread = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", stopping->threads.pid);
	directory = opendir(path);
	if (!directory)
		return procfs_failure();
	while (err == -EAGAIN && (entry = directory_next(directory, &unread))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (!tid)
			continue;
		let_go(&stopping->threads);
		err = stop_thread(stopping, tid);
		if (!err)
			err = stopping->action(&stopping->threads, stopping->arg);
	}
	closedir(directory);
	return unread ? unread : err;
}

/* --- the tracer ----------------------------------------------------------------------------------------------------- */

static int stop_and_act(struct stopping *stopping)
{
	struct stopped_threads *threads = &stopping->threads;
	int err;

	threads->until_ns = clock_now_ns() + threads->limit_ns;
	threads->alone_until_ns = threads->until_ns + ALONE_NS;
	if (stopping->which == STOPPED_ONE) {
		err = act_on_one(stopping);
	} else {
		err = stop_all(stopping);
		stopping->stopped_ns = threads->first_ns;
		if (!err)
			err = stopping->action(threads, stopping->arg);
	}
	let_go(threads);
	if (stopping->stopped_ns)
		stopping->stopped_ns = clock_now_ns() - stopping->stopped_ns;
	return err;
}

/* The sooner it runs, the shorter the stop: threads that are let go would else take the processor while the others wait for that. */
static void go_first(void)
{
	const struct sched_param realtime = {.sched_priority = 1};

	prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
	/* Not everywhere may it be had (a cgroup without a share of it, a container's limits). */
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &realtime))
		setpriority(PRIO_PROCESS, 0, FIRST);
}

static void *trace(void *arg)
{
	struct stopping *stopping = arg;
	struct stopped_threads *threads = &stopping->threads;

	stopping->tracer = gettid();
	go_first();
	threads->memory = process_memory_open(threads->pid, O_RDWR);
	stopping->result = threads->memory < 0 ? threads->memory : stop_and_act(stopping);
	if (threads->memory >= 0)
		close(threads->memory);
	free(threads->threads);
	return NULL;
}

/* The end of a thread lets go after those who join it have been told. */
static void wait_for_end(pid_t tid)
{
	u64 until_ns = clock_now_ns() + LET_GO_LIMIT_NS;

	while (!tgkill(getpid(), tid, 0) && clock_now_ns() < until_ns)
		sleep_for(LOOK_AGAIN_NS);
}

/* A thread that was held ends before its process does where another one executes a program. */
static int result_of(const struct stopping *stopping)
{
	bool lives = stopping->result == -ESRCH && procfs_live_thread(stopping->threads.pid);

	return lives ? -EAGAIN : stopping->result;
}

int stopped_threads_do(pid_t pid, enum stopped_which which, u64 limit_ns,
		       int (*action)(struct stopped_threads *threads, void *arg), void *arg, u64 *ret_stopped_ns)
{
	struct stopping stopping = {
		.threads = {.pid = pid, .limit_ns = limit_ns},
		.which = which,
		.action = action,
		.arg = arg,
	};
	pthread_t thread;
	int err = pthread_create(&thread, NULL, trace, &stopping);

	if (err)
		return -err;
	pthread_join(thread, NULL);
	wait_for_end(stopping.tracer);
	if (ret_stopped_ns)
		*ret_stopped_ns = stopping.stopped_ns;
	return result_of(&stopping);
}
