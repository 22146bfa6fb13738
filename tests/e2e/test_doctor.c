/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor says of every kind of target: files, sites, who uses them, whom it leaves out, and who else would pay.
 * Processes that a count must name to the last one have a C library of their own, which nobody else maps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "group.h"
#include "session.h"

#define STATUS_KERNEL 3
#define STATUS_TARGET 4

struct stage {
	struct scene *scene;
	struct group group;
	char *text; /* what doctor said last, errors too */
};

static int stage_setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	void *scene;

	if (!stage || scene_setup(&scene)) {
		free(stage);
		return -1;
	}
	stage->scene = scene;
	*state = stage;
	group_make(&stage->group);
	return 0;
}

static int stage_teardown(void **state)
{
	struct stage *stage = *state;
	void *scene = stage->scene;
	int error;

	group_remove(&stage->group);
	error = scene_teardown(&scene);
	free(stage->text);
	free(stage);
	return error;
}

/* Run doctor, behind the words of `wrapper`; it must end with that status. */
static void examine(struct stage *stage, const char *wrapper, const char *args, int status)
{
	FILE *pipe = popen(format("exec env %s '%s' doctor %s 2>&1", wrapper, heaptap_path(), args), "re");
	size_t size = 0;
	int ended;

	free(stage->text);
	stage->text = NULL;
	if (!pipe || getdelim(&stage->text, &size, '\0', pipe) < 0)
		fail_msg("doctor %s: no output", args);
	ended = pclose(pipe);
	if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
		fail_msg("doctor %s: status %d instead of %d:\n%s", args, child_exit_status(ended), status,
			 stage->text);
}

static void assert_said(const struct stage *stage, const char *words)
{
	if (!strstr(stage->text, words))
		fail_msg("doctor did not say \"%s\" but:\n%s", words, stage->text);
}

/* Which of two comes first is not a matter of the order they were started in. */
static void assert_said_either(const struct stage *stage, const char *words, const char *others)
{
	if (!strstr(stage->text, words))
		assert_said(stage, others);
}

static void start(struct child *child, const struct group *group, const char *const *command)
{
	const char *argv[16];
	unsigned int count = 0;

	for (const char *const *word = group ? group_wrapper(group) : NULL; word && *word; word++)
		argv[count++] = *word;
	while (*command)
		argv[count++] = *command++;
	argv[count] = NULL;
	target_start(child, NULL, argv);
	target_ready(child);
}

/* A program with a C library of the scene's own. */
static void start_private(struct stage *stage, struct child *child, const struct group *group)
{
	const char *dir = stage->scene->dir;

	if (access(format("%s/program", dir), F_OK) &&
	    system(format("cd '%s' && cp /lib/x86_64-linux-gnu/libc.so.6 /lib64/ld-linux-x86-64.so.2 . && "
			  "cp '%s' program",
			  dir, beside("target_leak"))))
		fail_msg("no C library of its own");
	start(child, group,
	      (const char *const[]){format("%s/ld-linux-x86-64.so.2", dir), "--library-path", dir,
				    format("%s/program", dir), "malloc", NULL});
}

static void start_here(struct child *child, const struct group *group, const char *program)
{
	start(child, group, (const char *const[]){beside(program), "malloc", NULL});
}

/* --- groups --------------------------------------------------------------------------------------------------------- */

static void test_doctor_group_names_file_users_and_bystanders(void **state)
{
	struct stage *stage = *state;
	struct child *more = stage->scene->more;

	start_private(stage, &more[0], &stage->group);
	start_private(stage, &more[1], &stage->group);
	start_private(stage, &more[2], NULL);
	examine(stage, "", format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, format("\nCgroup '%s': 2 now\n  glibc in '%s/libc.so.6'\n    mapped by 2 processes:",
				  stage->group.path, stage->scene->dir));
	assert_said_either(stage, format(" %d (ld-linux-x86-64), %d (ld-linux-x86-64)\n", more[0].pid, more[1].pid),
			   format(" %d (ld-linux-x86-64), %d (ld-linux-x86-64)\n", more[1].pid, more[0].pid));
	assert_said(stage, "    probes:");
	assert_said(stage, " malloc+");
	assert_said(stage, " free+");
	assert_said(stage, "in 1 file are unfiltered: 1 other process maps it now and would pay");
	assert_said(stage, " us for each malloc and free until heaptap stops");
}

static void test_doctor_group_without_bystanders_says_so(void **state)
{
	struct stage *stage = *state;

	start_private(stage, &stage->scene->target, &stage->group);
	examine(stage, "", format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, "in 1 file are unfiltered: no other process maps it now");
}

static void test_doctor_group_names_whom_it_leaves_out(void **state)
{
	struct stage *stage = *state;
	struct child *more = stage->scene->more;

	start_here(&more[0], &stage->group, "target_leak");
	start_here(&more[1], &stage->group, "target_bare");
	start_here(&more[2], &stage->group, "target_bare32");
	examine(stage, "", format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, ": 3 now\n");
	assert_said(stage, format("mapped by 1 process: %d (target_leak)\n", more[0].pid));
	assert_said(stage,
		    format("1 process without an allocator that heaptap knows: %d (target_bare)\n", more[1].pid));
	assert_said(stage, format("1 process of 32 bits, refused, as heaptap traces those of 64 bits only: "
				  "%d (target_bare32)\n",
				  more[2].pid));
}

static void test_doctor_group_names_files_that_cannot_be_opened(void **state)
{
	struct stage *stage = *state;

	start_private(stage, &stage->scene->target, &stage->group);
	assert_int_equal(unlink(format("%s/libc.so.6", stage->scene->dir)), 0);
	examine(stage, "setpriv --bounding-set=-sys_admin,-checkpoint_restore",
		format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, format("1 file cannot be opened, as '%s/libc.so.6' of process %d; it takes "
				  "CAP_CHECKPOINT_RESTORE",
				  stage->scene->dir, stage->scene->target.pid));
	assert_said(stage, "no allocator that heaptap knows");
}

static void test_doctor_names_few_of_many(void **state)
{
	struct stage *stage = *state;

	for (int i = 0; i < 7; i++)
		start_here(&stage->scene->more[i], &stage->group, "target_bare");
	examine(stage, "", format("--cgroup '%s'", stage->group.path), 0);
	assert_said(stage, "7 processes without an allocator that heaptap knows:");
	assert_said(stage, "(target_bare) and 2 more\n");
}

static void test_doctor_scope_errors_are_those_of_record(void **state)
{
	static const char unmount[] =
		"unshare -m sh -ec 'for point in $(awk \"\\$3 == \\\"cgroup2\\\" { print \\$2 }\" "
		"/proc/self/mounts); do umount -l $point; done; exec \"$@\"' sh";
	struct stage *stage = *state;

	examine(stage, "", format("--cgroup '%s'", stage->group.path), STATUS_TARGET);
	assert_said(stage, stage->group.path);
	examine(stage, "", "--cgroup /heaptap-no-such", STATUS_TARGET);
	examine(stage, "", "--container heaptap-no-such", STATUS_TARGET);
	assert_said(stage, "heaptap-no-such");
	examine(stage, unmount, format("--cgroup '%s'", stage->group.path), STATUS_KERNEL);
	assert_said(stage, "version 2");
}

static void test_doctor_container_is_named(void **state)
{
	static const char id[] = "d0c70aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct stage *stage = *state;
	struct group group;

	group_make_below(&group, &stage->group, format("libpod-%s.scope", id));
	start_private(stage, &stage->scene->target, &group);
	examine(stage, "", "--container d0c70aaa", 0);
	assert_said(stage, "\nContainer 'd0c70aaa' (d0c70aaaaaaa, podman): 1 now\n");
	assert_said(stage, format("mapped by 1 process: %d (", stage->scene->target.pid));
}

/* --- all, and of these some ----------------------------------------------------------------------------------------- */

static void test_doctor_all_leaves_nobody_to_pay(void **state)
{
	struct stage *stage = *state;

	start_private(stage, &stage->scene->target, NULL);
	examine(stage, "", "--all", 0);
	assert_said(stage, format("  glibc in '%s/libc.so.6'\n    mapped by 1 process: %d (", stage->scene->dir,
				  stage->scene->target.pid));
	assert_said(stage, "nobody: every process is traced\n");
}

static void test_doctor_of_all_those_of_one_executable(void **state)
{
	struct stage *stage = *state;

	start_private(stage, &stage->scene->more[0], NULL);
	start_private(stage, &stage->scene->more[1], NULL);
	examine(stage, "", format("--all --exe '%s/ld-linux-x86-64.so.2'", stage->scene->dir), 0);
	assert_said(stage, "as --comm and --exe choose: 2 now\n");
	assert_said(stage, "no other process maps it now");
}

/* --- processes ------------------------------------------------------------------------------------------------------ */

static void test_doctor_few_processes_make_nobody_pay(void **state)
{
	struct stage *stage = *state;

	start_here(&stage->scene->target, NULL, "target_leak");
	examine(stage, "", format("-p %d", stage->scene->target.pid), 0);
	assert_said(stage, "nobody: the probes are for the processes named alone");
}

/* Functions that throw have unfiltered probes where sessions take their return legs. */
static void test_doctor_operator_new_makes_others_pay(void **state)
{
	struct stage *stage = *state;
	const char *library = format("%s/libjemalloc.so.2", stage->scene->dir);
	const char *const environment[] = {format("LD_PRELOAD=%s", library), NULL};

	assert_int_equal(system(format("cp /usr/lib/x86_64-linux-gnu/libjemalloc.so.2 '%s'", stage->scene->dir)), 0);
	target_start(&stage->scene->target, environment, (const char *const[]){beside("target_leak"), "malloc", NULL});
	target_ready(&stage->scene->target);
	examine(stage, "HEAPTAP_ATTACH=perf", format("-p %d", stage->scene->target.pid), 0);
	assert_said(stage, format("jemalloc in '%s'", library));
	assert_said(stage, "nobody: the probes are for the processes named alone");
	examine(stage, "", format("-p %d", stage->scene->target.pid), 0);
	if (strstr(stage->text, "attaches by session"))
		assert_said(stage, "probes of operator new in 1 file are unfiltered: no other process maps it now");
	else
		assert_said(stage, "nobody: the probes are for the processes named alone");
}

static void test_doctor_thread_is_4_and_names_its_process(void **state)
{
	struct stage *stage = *state;
	struct child *target = &stage->scene->target;

	start(target, NULL, (const char *const[]){beside("target_exit"), "leader-exit", NULL});
	target_go(target);
	target_ready(target);
	/* Its main thread is about to leave, or has left; the other one stays. */
	examine(stage, "", format("-p \"$(ls /proc/%d/task | grep -vx %d)\"", target->pid, target->pid), STATUS_TARGET);
	assert_said(stage, format("it is a thread of process %d", target->pid));
	assert_null(strstr(stage->text, "Who else pays"));
}

static void await_zombie_leader(pid_t pid)
{
	uint64_t deadline_ns = now_ns() + DEADLINE_MS * 1000000ull;
	char state = 0;

	while (state != 'Z') {
		FILE *stat = fopen(format("/proc/%d/stat", pid), "re");

		if (!stat || now_ns() > deadline_ns || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			fail_msg("the main thread of %d did not exit", pid);
		fclose(stat);
	}
}

static void test_doctor_process_without_main_thread_makes_others_pay(void **state)
{
	struct stage *stage = *state;
	struct child *target = &stage->scene->target;

	start(target, NULL, (const char *const[]){beside("target_exit"), "leader-exit", NULL});
	target_go(target);
	target_ready(target);
	await_zombie_leader(target->pid);
	examine(stage, "", format("-p %d", target->pid), 0);
	assert_said(stage, "its main thread has exited");
	assert_said(stage, "unfiltered: ");
}

static void test_doctor_without_target_speaks_of_none(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", "", 0);
	assert_said(stage, "\nCost\n");
	assert_null(strstr(stage->text, "Who else pays"));
}

/* "1,2,3": one more than have probes of their own. The last one is a program of its own kind. */
static const char *start_many(struct stage *stage, const char *last)
{
	static char pids[256];
	struct child *more = stage->scene->more;

	*pids = '\0';
	for (int i = 0; i < MORE_MAX; i++) {
		if (i == MORE_MAX - 1 && last)
			start_here(&more[i], NULL, last);
		else
			start_private(stage, &more[i], NULL);
		sprintf(pids + strlen(pids), "%s%d", i ? "," : "", more[i].pid);
	}
	return pids;
}

static void test_doctor_many_processes_make_others_pay(void **state)
{
	struct stage *stage = *state;
	const char *pids = start_many(stage, NULL);

	start_private(stage, &stage->scene->target, NULL);
	examine(stage, "", format("-p %s", pids), 0);
	assert_said(stage, format("\nThe processes named: %d now\n", MORE_MAX));
	assert_said(stage, format("mapped by %d processes:", MORE_MAX));
	assert_said(stage, "1 other process maps it now");
}

static void test_doctor_many_processes_of_which_one_has_ended_are_4(void **state)
{
	struct stage *stage = *state;
	struct child *first = stage->scene->more;
	const char *pids = start_many(stage, NULL);

	target_go(first);
	assert_int_equal(target_finish(first), 0);
	examine(stage, "", format("-p %s", pids), STATUS_TARGET);
	assert_said(stage, "no process");
}

static void test_doctor_many_processes_of_which_one_has_no_allocator_are_4(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", format("-p %s", start_many(stage, "target_bare")), STATUS_TARGET);
	assert_said(stage, "1 process without an allocator that heaptap knows:");
}

static void test_doctor_follow_counts_the_children(void **state)
{
	struct stage *stage = *state;
	struct child *target = &stage->scene->target;
	pid_t pid;

	start(target, NULL,
	      (const char *const[]){"/bin/sh", "-c", "exec 3<&0; \"$0\" malloc <&3 & wait", beside("target_leak"),
				    NULL});
	examine(stage, "", format("--follow -p %d", target->pid), 0);
	assert_said(stage, "\nThe processes named and their children: 2 now\n");
	assert_said(stage, format("%d (sh)", target->pid));
	assert_said(stage, "(target_leak)");
	assert_said(stage, "unfiltered");
	pid = target->pid;
	target_go(target);
	assert_int_equal(target_finish(target), 0);
	examine(stage, "", format("--follow -p %d", pid), STATUS_TARGET);
}

/* --- COMMAND -------------------------------------------------------------------------------------------------------- */

static void test_doctor_followed_command_spares_others_if_it_may(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", "--follow -- true", 0);
	assert_said(stage, "nobody: 'true' and its children get copies of");
	examine(stage, "", "--follow --shared-mounts -- true", 0);
	assert_said(stage, "unfiltered");
	examine(stage, "setpriv --bounding-set=-sys_admin", "--follow -- true", 0);
	assert_said(stage, "because heaptap has no CAP_SYS_ADMIN");
	assert_said(stage, "unfiltered");
}

static void test_doctor_command_alone_makes_nobody_pay(void **state)
{
	struct stage *stage = *state;

	examine(stage, "", "-- true", 0);
	assert_said(stage, "nobody: the probes are for COMMAND alone");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_doctor_group_names_file_users_and_bystanders),
		TEST(test_doctor_group_without_bystanders_says_so),
		TEST(test_doctor_group_names_whom_it_leaves_out),
		TEST(test_doctor_group_names_files_that_cannot_be_opened),
		TEST(test_doctor_names_few_of_many),
		TEST(test_doctor_scope_errors_are_those_of_record),
		TEST(test_doctor_container_is_named),
		TEST(test_doctor_all_leaves_nobody_to_pay),
		TEST(test_doctor_of_all_those_of_one_executable),
		TEST(test_doctor_few_processes_make_nobody_pay),
		TEST(test_doctor_operator_new_makes_others_pay),
		TEST(test_doctor_thread_is_4_and_names_its_process),
		TEST(test_doctor_process_without_main_thread_makes_others_pay),
		TEST(test_doctor_without_target_speaks_of_none),
		TEST(test_doctor_many_processes_make_others_pay),
		TEST(test_doctor_many_processes_of_which_one_has_ended_are_4),
		TEST(test_doctor_many_processes_of_which_one_has_no_allocator_are_4),
		TEST(test_doctor_follow_counts_the_children),
		TEST(test_doctor_followed_command_spares_others_if_it_may),
		TEST(test_doctor_command_alone_makes_nobody_pay),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
