/* SPDX-License-Identifier: GPL-2.0-or-later */
/* survey.c on the test itself and its children. */
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
#include "cli/survey.h"

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

static const struct survey_some *users_of(const struct survey *survey, const char *name)
{
	for (const struct binary *file = binaries_files(survey->target); file; file = file->next)
		if (file->plan && strstr(elf_path(file->elf), name))
			return &survey->users[file->allocator];
	fail_msg("no allocator in a file called '%s'", name);
	return NULL;
}

static void test_survey_users_of_a_file_are_counted_once_each(void **state)
{
	pid_t pids[CHILDREN];
	struct pid_list list = {pids, CHILDREN};
	const struct survey_some *users;
	struct survey survey;

	(void)state;
	for (int i = 0; i < CHILDREN; i++)
		pids[i] = start_child();
	assert_int_equal(survey_make(NULL, &list, &survey), 0);
	assert_int_equal(survey.processes, CHILDREN);
	users = users_of(&survey, "libc.so.6");
	assert_int_equal(users->count, CHILDREN);
	assert_memory_equal(users->first, pids, sizeof(users->first));
	assert_int_equal(survey.plain.count + survey.narrow.count + survey.unread.count + survey.denied_count, 0);
	survey_release(&survey);
	for (int i = 0; i < CHILDREN; i++)
		end_child(pids[i]);
}

static void test_survey_process_that_has_ended_is_left_out(void **state)
{
	pid_t pid = start_child();
	struct pid_list list = {&pid, 1};
	struct survey survey;

	(void)state;
	end_child(pid);
	assert_int_equal(survey_make(NULL, &list, &survey), 0);
	assert_int_equal(survey.processes, 0);
	assert_int_equal(survey.plain.count + survey.unread.count, 0);
	assert_null(binaries_files(survey.target));
	survey_release(&survey);
}

/* It can be opened and has nothing in it: that is no file to warn of. */
static void test_survey_code_that_is_no_elf_file_is_not_denied(void **state)
{
	int fd = memfd_create("jit", MFD_CLOEXEC);
	pid_t pid = getpid();
	struct pid_list list = {&pid, 1};
	struct survey survey;
	void *code, *bare;

	(void)state;
	bare = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(bare, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 4096), 0);
	code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(code, MAP_FAILED);
	assert_int_equal(survey_make(NULL, &list, &survey), 0);
	/* A name like "/memfd:jit" leads to nothing: who may not use map_files cannot open it. */
	assert_true(survey.denied_count == 0 || (geteuid() && survey.denied_count == 1));
	assert_int_equal(survey.processes, 1);
	assert_int_equal(users_of(&survey, "libc.so.6")->first[0], pid);
	survey_release(&survey);
	munmap(code, 4096);
	munmap(bare, 4096);
	close(fd);
}

static void test_survey_of_nobody_is_empty(void **state)
{
	struct pid_list list = {0};
	struct survey survey;

	(void)state;
	assert_int_equal(survey_make(NULL, &list, &survey), 0);
	assert_int_equal(survey.processes, 0);
	survey_release(&survey);
	assert_null(survey.target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_survey_users_of_a_file_are_counted_once_each),
		cmocka_unit_test(test_survey_process_that_has_ended_is_left_out),
		cmocka_unit_test(test_survey_code_that_is_no_elf_file_is_not_denied),
		cmocka_unit_test(test_survey_of_nobody_is_empty),
	};

	return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
