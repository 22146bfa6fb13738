/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procfs.c: what /proc says about this test, and about children in every state of a process. */
#include "child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "system/address_map.h"
#include "system/proc_maps.h"
#include "system/cgroup_mounts.h"
#include "system/process_memory.h"
#include "system/procfs.h"
#include "scratch.h"

/* --- children --- */

static char state_of_main_thread(void)
{
	char path[64], stat[512] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	file = fopen(path, "re");
	if (!file || !fgets(stat, sizeof(stat), file))
		_exit(1);
	fclose(file);
	return strrchr(stat, ')')[2];
}

/* Tells its number once the main thread is a zombie. */
static void *survive(void *arg)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);

	while (state_of_main_thread() != 'Z')
		sched_yield();
	if (write(*(int *)arg, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		pause();
	return NULL;
}

static pid_t headless_child(pid_t *ret_thread)
{
	int fds[2];
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, survive, &fds[1]))
			_exit(1);
		syscall(SYS_exit, 0);
	}
	assert_true(child > 0);
	close(fds[1]);
	assert_int_equal(read(fds[0], ret_thread, sizeof(*ret_thread)), sizeof(*ret_thread));
	close(fds[0]);
	return child;
}

static int count_mapping(struct mapping *mapping, void *arg)
{
	(void)mapping;
	++*(int *)arg;
	return 0;
}

static void test_procfs_main_thread_gone_others_speak_for_the_process(void **state)
{
	pid_t thread = 0, child = headless_child(&thread);
	int mappings = 0;

	(void)state;
	assert_int_equal(procfs_live_thread(child), thread);
	assert_false(procfs_is_ending(child));
	assert_int_equal(procfs_process(thread), child);
	assert_int_equal(proc_maps_for_each(child, count_mapping, &mappings), 0);
	assert_true(mappings > 2);
	end_child(child);
}

static void test_procfs_living_process_is_its_own_main_thread(void **state)
{
	pid_t child = sleeping_child();

	(void)state;
	assert_int_equal(procfs_live_thread(child), child);
	assert_int_equal(procfs_process(child), child);
	assert_false(procfs_is_ending(child));
	end_child(child);
}

static void test_procfs_identity_is_user_and_innermost_number(void **state)
{
	pid_t child = sleeping_child(), inner = 0;
	uid_t uid = (uid_t)-1;

	(void)state;
	assert_int_equal(procfs_identity(child, &uid, &inner), 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(inner, child);
	end_child(child);
	assert_int_equal(procfs_identity(child, &uid, &inner), -ESRCH);
}

static void test_procfs_zombie_has_no_thread_and_no_mapping(void **state)
{
	pid_t child = zombie_child();
	int mappings = 0;

	(void)state;
	assert_int_equal(procfs_live_thread(child), 0);
	assert_true(procfs_is_ending(child));
	assert_int_equal(proc_maps_for_each(child, count_mapping, &mappings), -ESRCH);
	assert_int_equal(proc_maps_open(child, &(struct mapping){.path = (char *)"/bin/true"}), -ESRCH);
	assert_int_equal(mappings, 0);
	end_child(child);
}

static void test_procfs_process_that_is_gone_is_unknown_to_all(void **state)
{
	pid_t gone = zombie_child();
	char comm[16];

	(void)state;
	end_child(gone);
	assert_int_equal(procfs_live_thread(gone), 0);
	assert_true(procfs_is_ending(gone));
	assert_int_equal(procfs_process(gone), 0);
	assert_int_equal(procfs_comm(gone, comm), -ENOENT);
	assert_null(procfs_exe(gone));
	assert_int_equal(procfs_rss_bytes(gone), 0);
	assert_null(cgroup_mounts_group("", gone, NULL));
	assert_int_equal(procfs_cpu_ns(gone), 0);
	assert_int_equal(proc_maps_open(gone, &(struct mapping){.path = (char *)"/bin/true"}), -ESRCH);
}

/* What is known where no file can be opened: no process that is there passes for one that is gone. */
static void test_procfs_without_a_descriptor_nobody_is_taken_for_gone(void **state)
{
	pid_t thread = 0, child = sleeping_child(), headless = headless_child(&thread), gone = zombie_child(), inner;
	struct rlimit before, none;
	uid_t uid;

	(void)state;
	end_child(gone);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	const bool found[] = {
		procfs_live_thread(child) == child,
		procfs_live_thread(headless) == headless,
		!procfs_has_ended(child),
		!procfs_has_ended(thread),
		!procfs_is_ending(child),
		procfs_process(child) == -EMFILE,
		procfs_identity(child, &uid, &inner) == -EMFILE,
		process_memory_open(child, O_RDONLY) == -EMFILE,
		!procfs_live_thread(gone),
		procfs_has_ended(gone),
		procfs_is_ending(gone),
	};
	/* The other tests need theirs. */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	end_child(child);
	end_child(headless);
	for (size_t i = 0; i < sizeof(found) / sizeof(*found); i++)
		if (!found[i])
			fail_msg("number %zu", i);
}

/* --- facts --- */

/* Such a name must not pass for the state behind it. */
static void test_procfs_comm_any_name_is_read_and_misleads_nobody(void **state)
{
	char before[16], comm[16];

	(void)state;
	prctl(PR_GET_NAME, before);
	prctl(PR_SET_NAME, "a) Z (b) Z 1");
	assert_int_equal(procfs_comm(getpid(), comm), 0);
	assert_string_equal(comm, "a) Z (b) Z 1");
	assert_int_equal(procfs_live_thread(getpid()), getpid());
	prctl(PR_SET_NAME, "fifteen letters");
	assert_int_equal(procfs_comm(getpid(), comm), 0);
	assert_string_equal(comm, "fifteen letters");
	prctl(PR_SET_NAME, before);
}

static void test_procfs_exe_is_the_program(void **state)
{
	char *exe = procfs_exe(getpid()), own[PATH_MAX] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	assert_string_equal(exe, own);
	free(exe);
}

static void copy_file(const char *from, const char *to)
{
	static char buffer[1 << 16];
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	size_t length;

	assert_true(in && out);
	while ((length = fread(buffer, 1, sizeof(buffer), in)))
		assert_int_equal(fwrite(buffer, 1, length, out), length);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(to, 0755), 0);
}

/* Runs a copy of sleep(1); returns once it has been exec'd. */
static pid_t running_copy(void)
{
	int fds[2];
	pid_t child;
	char byte;

	copy_file("/bin/sleep", "copy");
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		execl("./copy", "copy", "1000", NULL);
		_exit(1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	return child;
}

static void test_procfs_exe_of_a_deleted_program_is_its_old_name(void **state)
{
	char expected[PATH_MAX], *exe;
	pid_t child;

	(void)state;
	child = running_copy();
	assert_non_null(realpath("copy", expected));
	unlink("copy");
	exe = procfs_exe(child);
	assert_string_equal(exe, expected);
	free(exe);
	end_child(child);
}

static void test_procfs_rss_grows_with_touched_memory(void **state)
{
	const size_t size = 16 << 20;
	u64 before = procfs_rss_bytes(getpid()), after;
	volatile char *memory = malloc(size);

	(void)state;
	for (size_t i = 0; i < size; i += 1024)
		memory[i] = 1;
	after = procfs_rss_bytes(getpid());
	assert_true(before > 0);
	assert_true(after >= before + size / 2);
	free((void *)memory);
}

static void test_procfs_cpu_time_grows_with_work(void **state)
{
	u64 before = procfs_cpu_ns(getpid());
	volatile u64 work = 0;

	(void)state;
	while (procfs_cpu_ns(getpid()) < before + 1000000)
		work++;
	assert_true(before > 0 && work > 0);
}

static void test_procfs_parent_is_who_forked_it(void **state)
{
	pid_t child = sleeping_child(), ended = zombie_child();

	(void)state;
	assert_int_equal(procfs_parent(child), getpid());
	assert_int_equal(procfs_parent(ended), getpid());
	assert_int_equal(procfs_parent(getpid()), getppid());
	end_child(child);
	end_child(ended);
	assert_int_equal(procfs_parent(ended), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_procfs_main_thread_gone_others_speak_for_the_process),
		cmocka_unit_test(test_procfs_living_process_is_its_own_main_thread),
		cmocka_unit_test(test_procfs_identity_is_user_and_innermost_number),
		cmocka_unit_test(test_procfs_zombie_has_no_thread_and_no_mapping),
		cmocka_unit_test(test_procfs_process_that_is_gone_is_unknown_to_all),
		cmocka_unit_test(test_procfs_without_a_descriptor_nobody_is_taken_for_gone),
		cmocka_unit_test(test_procfs_comm_any_name_is_read_and_misleads_nobody),
		cmocka_unit_test(test_procfs_exe_is_the_program),
		TEST(test_procfs_exe_of_a_deleted_program_is_its_old_name),
		cmocka_unit_test(test_procfs_rss_grows_with_touched_memory),
		cmocka_unit_test(test_procfs_cpu_time_grows_with_work),
		cmocka_unit_test(test_procfs_parent_is_who_forked_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
