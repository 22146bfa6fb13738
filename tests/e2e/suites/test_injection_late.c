/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that do not stop in time because they have no processor, as on a busy machine: what waits for a child or a device is another matter. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/injected.h"
#include "e2e/kit/processor_group.h"
#include "system/procfs.h"

#define PERIOD_US 500000
#define SHARE_US  50000
#define STOOD_NS  150000000ULL /* of the 0.2 s that a stop may take */

/* False: it has no limit, and the process is gone. */
static bool start_in_group(struct injected *injected, struct group *group, const char *threads, unsigned int us,
			   unsigned int period_us)
{
	injected_start(injected, (const char *const[]){threads, "calls", NULL});
	if (processor_group_make(group, us, period_us)) {
		processor_group_add(group, injected->target.pid);
		return true;
	}
	group_remove(group);
	injected_release(injected);
	print_message("no control group with a limit on processor time can be made here\n");
	return false;
}

static void leave_group(struct injected *injected, struct group *group)
{
	processor_group_drop(group, injected->target.pid);
	group_remove(group);
	injected_check(injected);
}

static int map_at_once(struct injected *injected)
{
	struct injection_image image = {.bytes = 4096, .data_bytes = 4096, .file = injected->file};

	image.near = image.near_end = injected->page->function;
	return injection_map(injected->target.pid, &image, &injected->address, NULL);
}

/* Ready to run all the time. A thousandth of a second is less than they run until the kernel looks: what is too much is taken off the next ones. */
static void test_injection_without_a_processor(void **state)
{
	struct injected injected;
	struct group group;
	u64 until = deadline_ns();
	int err;

	(void)state;
	if (!start_in_group(&injected, &group, "2", 1000, 1000000))
		skip();
	do {
		err = map_at_once(&injected);
		assert_true(!err || err == -ETIME || err == -EAGAIN);
	} while (err != -ETIME && now_ns() < until);
	assert_int_equal(err, -ETIME);
	assert_int_equal(procfs_tracer(injected.target.pid), 0);
	leave_group(&injected, &group);
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	injected_cycle(&injected);
	injected_release(&injected);
}

/* While no other thread stands still for it, one that has its processor late is waited for. Three tries, for a machine that is busy besides. */
static void test_injection_waits_for_a_processor(void **state)
{
	struct injected injected;
	struct group group;
	int err = -ETIME;

	(void)state;
	if (!start_in_group(&injected, &group, "1", SHARE_US, PERIOD_US))
		skip();
	for (int i = 0; i < 3 && err == -ETIME; i++) {
		processor_group_await_end(&group);
		err = map_at_once(&injected);
	}
	assert_true(!err || err == -EAGAIN);
	leave_group(&injected, &group);
	injected_release(&injected);
}

/* --- one thread alone has none ---------------------------------------------------------------------------------------- */

static int processors[2];

static bool find_processors(void)
{
	cpu_set_t set;
	int found = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
		if (CPU_ISSET(i, &set))
			processors[found++] = i;
	return found == 2;
}

static void pin(pid_t tid, int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	assert_int_equal(sched_setaffinity(tid, sizeof(set), &set), 0);
}

/* The first thread on the one processor, all others on the other. */
static void pin_threads(pid_t pid)
{
	char path[32];
	const struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid)
			pin(tid, processors[tid != pid]);
	}
	closedir(directory);
}

static void spin(int ready)
{
	const struct sched_param realtime = {.sched_priority = 1};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(0, processors[0]);
	if (sched_setscheduler(0, SCHED_FIFO, &realtime) || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		;
}

/*
 * Takes the first processor from all that are no realtime processes, but for the twentieth of each second that the kernel leaves them. 0: there
 * are none here.
 */
static pid_t start_spinning(void)
{
	int ready[2];
	bool spins;
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		spin(ready[1]);
	close(ready[1]);
	spins = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	if (!spins)
		waitpid(pid, NULL, 0);
	return spins ? pid : 0;
}

/* All are asked at the same time: those that have stopped stand still, whichever is looked at first. */
static void test_injection_counts_the_time_of_those_that_stand(void **state)
{
	struct injected injected;
	u64 stopped_ns = 0, until = deadline_ns();
	pid_t spinning;
	int err = 0;

	(void)state;
	if (!find_processors()) {
		print_message("with one processor no thread runs while another has none\n");
		return;
	}
	injected_start(&injected, (const char *const[]){"3", "calls", NULL});
	assert_int_equal(injected_map(&injected, INJECTED_TRIES), 0);
	pin_threads(injected.target.pid);
	spinning = start_spinning();
	if (!spinning) {
		injected_release(&injected);
		print_message("no process may be a realtime one here\n");
		skip();
	}
	while (!(err == -ETIME && stopped_ns) && now_ns() < until) {
		err = injection_patch(injected.target.pid, &injected.patch, 1, NULL, &stopped_ns);
		assert_true(!err || injection_may_pass(err));
		if (!err)
			assert_int_equal(injected_undo(&injected, INJECTED_TRIES), 0);
	}
	kill(spinning, SIGKILL);
	waitpid(spinning, NULL, 0);
	assert_int_equal(err, -ETIME);
	assert_true(stopped_ns >= STOOD_NS);
	injected_check(&injected);
	injected_cycle(&injected);
	injected_release(&injected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_injection_without_a_processor),
		cmocka_unit_test(test_injection_waits_for_a_processor),
		cmocka_unit_test(test_injection_counts_the_time_of_those_that_stand),
	};

	return cmocka_run_group_tests_name("injection_late", tests, NULL, NULL);
}
