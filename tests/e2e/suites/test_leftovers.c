/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Breakpoints that nobody serves any more, as the kernel leaves them when a process is killed that removes probes: the next
 * recording and `doctor --clean` take them out, and no others.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/own_libc.h"
#include "trace/uprobe_link.h"

#define PLACES 8

/* Functions that neither heaptap probes nor the target calls. */
static const char *const functions[PLACES] = {"getppid", "getpgid", "strtok",  "wcstok",
					      "lfind",	 "srand48", "jrand48", "l64a"};

static const char *libc_path(const struct scene *scene)
{
	return format("%s/libc.so.6", scene->dir);
}

/* In the file: this program's own C library is the same. */
static u64 offset_of(const struct scene *scene, const char *function)
{
	int fd = open(libc_path(scene), O_RDONLY | O_CLOEXEC);
	const char *code = dlsym(RTLD_DEFAULT, function);
	char bytes[16];
	Dl_info info;
	u64 offset;

	if (!code || !dladdr(code, &info))
		fail_msg("there is no function %s", function);
	offset = (u64)(code - (const char *)info.dli_fbase);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), (off_t)offset), sizeof(bytes));
	close(fd);
	assert_memory_equal(bytes, code, sizeof(bytes));
	return offset;
}

/* A probe at each place, for the target alone; the first and the last descriptor. */
static void set_probes(const struct scene *scene, int fds[2])
{
	for (int i = 0; i < PLACES; i++) {
		int fd = uprobe_link_create_event(libc_path(scene), offset_of(scene, functions[i]), scene->target.pid,
						  false);

		assert_true(fd >= 0);
		if (!i)
			fds[0] = fd;
		fds[1] = fd;
	}
}

/* One system call removes all probes; it is killed once it has removed the first. */
static void leave_breakpoints(struct scene *scene)
{
	pid_t child;
	int ends[2];
	char byte;

	own_libc_churn(scene);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		int fds[2];

		set_probes(scene, fds);
		if (write(ends[1], "r", 1) == 1)
			close_range((unsigned int)fds[0], (unsigned int)fds[1], 0);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	while (own_libc_breakpoints(scene) == PLACES)
		;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_in_range(own_libc_breakpoints(scene), 1, PLACES - 1);
}

static void clean(struct scene *scene)
{
	session_start_bare(&scene->session,
			   (const char *const[]){"doctor", "--clean", "-p", format("%d", scene->target.pid), NULL});
	assert_int_equal(session_finish(&scene->session), 0);
}

static void test_leftovers_doctor_takes_them_out(void **state)
{
	struct scene *scene = *state;

	leave_breakpoints(scene);
	clean(scene);
	assert_int_equal(own_libc_breakpoints(scene), 0);
	assert_int_equal(kill(scene->target.pid, 0), 0);
}

static void test_leftovers_doctor_finds_them_on_the_machine(void **state)
{
	struct scene *scene = *state;

	leave_breakpoints(scene);
	session_start_bare(&scene->session, (const char *const[]){"doctor", "--clean", NULL});
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(own_libc_breakpoints(scene), 0);
}

static void check_record(struct scene *scene, const char *rung)
{
	leave_breakpoints(scene);
	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	session_start(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	session_assert_said(&scene->session, "that had stayed in 1 process");
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(own_libc_breakpoints(scene), 0);
}

static void test_leftovers_next_session_recording_takes_them_out(void **state)
{
	check_record(*state, "session");
}

static void test_leftovers_next_perf_recording_takes_them_out(void **state)
{
	check_record(*state, "perf");
}

static void test_leftovers_probes_in_use_stay(void **state)
{
	struct scene *scene = *state;
	int fds[2];

	own_libc_churn(scene);
	set_probes(scene, fds);
	clean(scene);
	assert_int_equal(own_libc_breakpoints(scene), PLACES);
	close_range((unsigned int)fds[0], (unsigned int)fds[1], 0);
	assert_int_equal(own_libc_breakpoints(scene), 0);
}

static char *start_of_libc(pid_t pid)
{
	FILE *maps = fopen(format("/proc/%d/maps", pid), "re");
	unsigned long start = 0;
	char line[512];

	while (!start) {
		assert_non_null(fgets(line, sizeof(line), maps));
		if (strstr(line, "libc.so.6"))
			assert_int_equal(sscanf(line, "%lx", &start), 1);
	}
	fclose(maps);
	return (char *)start;
}

/* A debugger's, in a process that has had a real probe too: else the kernel would not look at it. */
static void test_leftovers_a_debuggers_breakpoint_stays(void **state)
{
	struct scene *scene = *state;
	pid_t pid;
	char *code;
	int fds[2];
	long word;

	own_libc_churn(scene);
	pid = scene->target.pid;
	set_probes(scene, fds);
	close_range((unsigned int)fds[0], (unsigned int)fds[1], 0);
	code = start_of_libc(pid) + offset_of(scene, functions[0]);
	assert_int_equal(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	word = ptrace(PTRACE_PEEKTEXT, pid, code, 0);
	assert_int_equal(ptrace(PTRACE_POKETEXT, pid, code, (word & ~0xffL) | 0xcc), 0);
	clean(scene);
	assert_int_equal(own_libc_breakpoints(scene), 1);
	ptrace(PTRACE_DETACH, pid, 0, 0);
}

/* One that a debugger has left: it serves nobody, and where it stood the code is as in the file. */
static void test_leftovers_code_is_restored_where_there_was_no_probe(void **state)
{
	struct scene *scene = *state;
	pid_t pid;
	char *code;
	int fds[2];
	long word, after;

	own_libc_churn(scene);
	pid = scene->target.pid;
	set_probes(scene, fds);
	close_range((unsigned int)fds[0], (unsigned int)fds[1], 0);
	code = start_of_libc(pid) + offset_of(scene, "lsearch");
	assert_int_equal(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	word = ptrace(PTRACE_PEEKTEXT, pid, code, 0);
	assert_int_equal(ptrace(PTRACE_POKETEXT, pid, code, (word & ~0xffL) | 0xcc), 0);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	clean(scene);
	assert_int_equal(ptrace(PTRACE_ATTACH, pid, 0, 0), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	after = ptrace(PTRACE_PEEKTEXT, pid, code, 0);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	assert_int_equal(after, word);
}

/* The first recording makes it a process that has had probes. */
static void test_leftovers_a_programs_own_breakpoint_stays(void **state)
{
	struct scene *scene = *state;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_own_trap"), NULL});
	target_ready(&scene->target);
	for (int i = 0; i < 2; i++) {
		session_start(&scene->session, scene,
			      (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
		session_attached(&scene->session);
		session_signal(&scene->session, SIGINT);
		assert_int_equal(session_finish(&scene->session), 0);
	}
	clean(scene);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_leftovers_doctor_takes_them_out),
		TEST(test_leftovers_doctor_finds_them_on_the_machine),
		TEST(test_leftovers_next_session_recording_takes_them_out),
		TEST(test_leftovers_next_perf_recording_takes_them_out),
		TEST(test_leftovers_probes_in_use_stay),
		TEST(test_leftovers_a_debuggers_breakpoint_stays),
		TEST(test_leftovers_code_is_restored_where_there_was_no_probe),
		TEST(test_leftovers_a_programs_own_breakpoint_stays),
	};

	return cmocka_run_group_tests_name("leftovers", tests, NULL, NULL);
}
