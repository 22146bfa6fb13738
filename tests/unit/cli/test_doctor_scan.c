/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor_scan.c on the test itself and its children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "binary/elf.h"
#include "cli/doctor_scan.h"

#define CHILDREN 7

static pid_t start_child(void)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		for (;;)
			pause();
	_exit(0);
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static const struct doctor_scan_some *users_of(const struct doctor_scan *scan, const char *name)
{
	for (const struct binary *file = binaries_files(scan->binaries); file; file = file->next)
		if (file->plan && strstr(elf_path(file->elf), name))
			return &scan->users[file->allocator];
	fail_msg("no allocator in a file called '%s'", name);
	return NULL;
}

static void test_doctor_scan_users_of_a_file_are_counted_once_each(void **state)
{
	pid_t pids[CHILDREN];
	struct pid_list list = {pids, CHILDREN};
	const struct doctor_scan_some *users;
	struct doctor_scan scan;

	(void)state;
	for (int i = 0; i < CHILDREN; i++)
		pids[i] = start_child();
	assert_int_equal(doctor_scan_make(NULL, &list, &scan), 0);
	assert_int_equal(scan.processes, CHILDREN);
	users = users_of(&scan, "libc.so.6");
	assert_int_equal(users->count, CHILDREN);
	assert_memory_equal(users->first, pids, sizeof(users->first));
	assert_int_equal(scan.plain.count + scan.narrow.count + scan.unread.count + scan.denied_count, 0);
	doctor_scan_release(&scan);
	for (int i = 0; i < CHILDREN; i++)
		end_child(pids[i]);
}

static void test_doctor_scan_process_that_has_ended_is_left_out(void **state)
{
	pid_t pid = start_child();
	struct pid_list list = {&pid, 1};
	struct doctor_scan scan;

	(void)state;
	end_child(pid);
	assert_int_equal(doctor_scan_make(NULL, &list, &scan), 0);
	assert_int_equal(scan.processes, 0);
	assert_int_equal(scan.plain.count + scan.unread.count, 0);
	assert_null(binaries_files(scan.binaries));
	doctor_scan_release(&scan);
}

/* It can be opened and has nothing in it: that is no file to warn of. */
static void test_doctor_scan_code_that_is_no_elf_file_is_not_denied(void **state)
{
	int fd = memfd_create("jit", MFD_CLOEXEC);
	pid_t pid = getpid();
	struct pid_list list = {&pid, 1};
	struct doctor_scan scan;
	void *code, *bare;

	(void)state;
	bare = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(bare, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 4096), 0);
	code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(code, MAP_FAILED);
	assert_int_equal(doctor_scan_make(NULL, &list, &scan), 0);
	/* A name like "/memfd:jit" leads to nothing: who may not use map_files cannot open it. */
	assert_true(scan.denied_count == 0 || (geteuid() && scan.denied_count == 1));
	assert_int_equal(scan.processes, 1);
	assert_int_equal(users_of(&scan, "libc.so.6")->first[0], pid);
	doctor_scan_release(&scan);
	munmap(code, 4096);
	munmap(bare, 4096);
	close(fd);
}

static void test_doctor_scan_of_no_processes_is_empty(void **state)
{
	struct pid_list list = {0};
	struct doctor_scan scan;

	(void)state;
	assert_int_equal(doctor_scan_make(NULL, &list, &scan), 0);
	assert_int_equal(scan.processes, 0);
	doctor_scan_release(&scan);
	assert_null(scan.binaries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doctor_scan_users_of_a_file_are_counted_once_each),
		cmocka_unit_test(test_doctor_scan_process_that_has_ended_is_left_out),
		cmocka_unit_test(test_doctor_scan_code_that_is_no_elf_file_is_not_denied),
		cmocka_unit_test(test_doctor_scan_of_no_processes_is_empty),
	};

	return cmocka_run_group_tests_name("doctor_scan", tests, NULL, NULL);
}
