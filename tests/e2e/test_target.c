/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which targets can be traced, and what happens when they end, change or hide: the rows of the failure table in
 * docs/design.md that concern the target.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "code.h"
#include "session.h"
#include "text_profile.h"

/* Start a target, attach to it with -R 1, and return when both stand still. */
static void attach(struct scene *scene, const char *const *argv)
{
	target_start(&scene->target, NULL, argv);
	target_ready(&scene->target);
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
}

static struct tally_row objects_of_size(struct scene *scene, const char *comm, uint64_t size)
{
	cJSON *index = session_index(&scene->session);
	struct text_profile text;
	struct tally_row row;
	struct tally tally;

	assert_int_equal(text_profile_read(index_file(&scene->session, index_process(index, comm), ".txt"), &text), 0);
	text_profile_tally(&text, 0, 0, &tally);
	row = tally_of_size(&tally, size);
	tally_release(&tally);
	text_profile_release(&text);
	cJSON_Delete(index);
	return row;
}

static void assert_leak_seen(struct scene *scene, const char *comm)
{
	struct tally_row row = objects_of_size(scene, comm, 30000);

	assert_int_equal(row.in_use, 1);
	assert_int_equal(row.allocated, 101);
}

static void test_pid_that_does_not_exist_is_4(void **state)
{
	struct scene *scene = *state;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_int_equal(session_run(&scene->session, scene, (const char *const[]){"-p", format("%d", pid), NULL}), 4);
	session_assert_said(&scene->session, format("%d", pid));
}

/* The end falls anywhere in the attaching: too early to trace it is 4, otherwise what was seen is written. */
static void test_pid_that_exits_during_attach_is_said(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 5; i++) {
		uint64_t until_ns = now_ns() + (uint64_t)i * 8000000;
		int status;

		target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), "malloc", NULL});
		target_ready(&scene->target);
		session_start(&scene->session, scene,
			      (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
		while (now_ns() < until_ns)
			;
		target_go(&scene->target);
		assert_int_equal(target_finish(&scene->target), 0);
		status = session_finish(&scene->session);
		if (status != 0 && status != 4)
			fail_msg("status %d; heaptap said:\n%s", status, scene->session.words);
		assert_true(scene->session.words_length > 0);
		if (!status)
			cJSON_Delete(session_index(&scene->session));
	}
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

static void test_main_thread_exited_before_attach_is_traced(void **state)
{
	struct scene *scene = *state;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_exit"), "leader-exit", NULL});
	target_ready(&scene->target);
	target_go(&scene->target);
	target_ready(&scene->target);
	await_zombie_leader(scene->target.pid);
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(objects_of_size(scene, "target_exit", 1001).in_use, 10);
}

static void test_main_thread_exits_while_traced_is_followed(void **state)
{
	struct scene *scene = *state;

	attach(scene, (const char *const[]){beside("target_exit"), "leader-exit", NULL});
	target_go(&scene->target);
	target_ready(&scene->target);
	session_await(&scene->session, "main thread");
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(objects_of_size(scene, "target_exit", 1000).in_use, 10);
	assert_int_equal(objects_of_size(scene, "target_exit", 1001).in_use, 10);
}

static void test_exec_from_another_thread_is_followed(void **state)
{
	struct scene *scene = *state;

	attach(scene,
	       (const char *const[]){beside("target_exit"), "exec-thread", beside("target_leak"), "malloc", NULL});
	target_go(&scene->target);
	target_ready(&scene->target);
	session_await(&scene->session, "followed by unfiltered probes");
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(objects_of_size(scene, "target_exit", 1000).in_use, 10);
	assert_leak_seen(scene, "target_leak");
}

static void test_exec_begins_a_new_image(void **state)
{
	struct scene *scene = *state;

	attach(scene, (const char *const[]){beside("target_exit"), "exec", beside("target_leak"), "calloc", NULL});
	target_go(&scene->target);
	target_ready(&scene->target);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(objects_of_size(scene, "target_exit", 1000).in_use, 10);
	assert_leak_seen(scene, "target_leak");
}

static void test_fork_children_are_counted_and_not_traced(void **state)
{
	struct scene *scene = *state;
	cJSON *index;

	attach(scene, (const char *const[]){beside("target_exit"), "fork", "3", NULL});
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	assert_int_equal(index_number(index_process(index, "target_exit"), "ledger.children"), 3);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(index, "processes")), 1);
	cJSON_Delete(index);
	assert_int_equal(objects_of_size(scene, "target_exit", 1000).in_use, 10);
	assert_int_equal(objects_of_size(scene, "target_exit", 1002).allocated, 0);
	session_assert_said(&scene->session, "not traced");
}

static void check_end(struct scene *scene, const char *way)
{
	attach(scene, (const char *const[]){beside("target_exit"), way, NULL});
	target_go(&scene->target);
	target_finish(&scene->target);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(objects_of_size(scene, "target_exit", 1000).in_use, 10);
}

static void test_target_that_aborts_leaves_a_complete_profile(void **state)
{
	check_end(*state, "abort");
}

static void test_target_that_is_killed_leaves_a_complete_profile(void **state)
{
	check_end(*state, "kill");
}

static void check_leak(struct scene *scene, const char *target, const char *way)
{
	attach(scene, (const char *const[]){beside(target), way, NULL});
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_leak_seen(scene, target);
	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-R", "1", "-f", "text,pprof", "--", beside(target), way, NULL}),
		0);
	assert_leak_seen(scene, target);
}

static void test_static_program_uses_its_own_allocator(void **state)
{
	check_leak(*state, "target_static", "malloc");
}

static void test_stripped_program_is_traced(void **state)
{
	check_leak(*state, "target_stripped", "posix_memalign");
}

static void check_no_allocator(struct scene *scene, const char *name)
{
	target_start(&scene->target, NULL, (const char *const[]){beside(name), NULL});
	target_ready(&scene->target);
	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL}),
		4);
	session_assert_said(&scene->session, beside(name));
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

static void test_program_without_libc_is_4_and_lists_what_was_searched(void **state)
{
	check_no_allocator(*state, "target_bare");
}

static void test_program_of_32_bits_is_4_and_lists_what_was_searched(void **state)
{
	check_no_allocator(*state, "target_bare32");
}

static void test_go_program_is_4_and_lists_what_was_searched(void **state)
{
	check_no_allocator(*state, "target_go");
}

/* A program with a libc and a loader of its own below the scene's directory. */
static void start_private(struct scene *scene)
{
	const char *command = format("cd '%s' && cp /lib/x86_64-linux-gnu/libc.so.6 /lib64/ld-linux-x86-64.so.2 . && "
				     "cp '%s' program",
				     scene->dir, beside("target_leak"));

	if (system(command))
		fail_msg("failed: %s", command);
	target_start(&scene->target, NULL,
		     (const char *const[]){format("%s/ld-linux-x86-64.so.2", scene->dir), "--library-path", scene->dir,
					   format("%s/program", scene->dir), "malloc", NULL});
	target_ready(&scene->target);
}

static void check_replaced(struct scene *scene, const char *change)
{
	start_private(scene);
	if (system(format("cd '%s' && %s", scene->dir, change)))
		fail_msg("failed: %s", change);
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_leak_seen(scene, "ld-linux-x86-64");
}

static void test_libc_deleted_since_start_is_traced(void **state)
{
	check_replaced(*state, "rm libc.so.6");
}

/* As a package upgrade does it: a new file of the same name takes the old one's place. */
static void test_libc_replaced_since_start_is_traced(void **state)
{
	check_replaced(*state, "cp libc.so.6 new && mv new libc.so.6");
}

static void test_executable_deleted_since_start_is_traced(void **state)
{
	check_replaced(*state, "rm program ld-linux-x86-64.so.2");
}

static void test_target_that_allocates_nothing_is_said_within_a_second_or_so(void **state)
{
	struct scene *scene = *state;
	uint64_t from_ns, took_ms;

	attach(scene, (const char *const[]){beside("target_leak"), "idle", NULL});
	from_ns = now_ns();
	session_await(&scene->session, "has not called its allocator");
	took_ms = (now_ns() - from_ns) / 1000000;
	session_await(&scene->session, "libc.so.6");
	if (took_ms > 3000)
		fail_msg("said after %lu ms only", (unsigned long)took_ms);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* More than PID-filtered links are made for: all are seen by an unfiltered one, and each has its own profile. */
static void check_many(struct scene *scene, int count)
{
	char pids[256] = "";
	cJSON *index;

	for (int i = 0; i < count; i++) {
		target_start(&scene->more[i], NULL, (const char *const[]){beside("target_leak"), "realloc", NULL});
		target_ready(&scene->more[i]);
		sprintf(pids + strlen(pids), "%s%d", i ? "," : "", scene->more[i].pid);
	}
	session_start(&scene->session, scene, (const char *const[]){"-R", "1", "-p", pids, NULL});
	session_attached(&scene->session);
	for (int i = 0; i < count; i++) {
		target_go(&scene->more[i]);
		assert_int_equal(target_finish(&scene->more[i]), 0);
	}
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	const cJSON *processes = cJSON_GetObjectItemCaseSensitive(index, "processes");
	assert_int_equal(cJSON_GetArraySize(processes), count);
	for (int i = 0; i < count; i++)
		assert_int_equal(index_number(cJSON_GetArrayItem(processes, i), "inuse_space"), 30000);
	cJSON_Delete(index);
}

static void test_two_processes_have_a_profile_each(void **state)
{
	check_many(*state, 2);
}

static void test_nine_processes_have_a_profile_each(void **state)
{
	check_many(*state, MORE_MAX);
}

/* Names that lie and files that are broken, mapped as code: they cost a name at most. */
static void test_hostile_mappings_do_no_harm(void **state)
{
	struct scene *scene = *state;
	const char *script = format(
		"cd '%s' && L=/lib/x86_64-linux-gnu/libc.so.6 && cp $L \"$(printf 'evil\\nname')\" && "
		"cp $L 'libc.so.6 (deleted)' && head -c 70000 /dev/urandom > noise && "
		"{ printf '\\177ELF\\002\\001\\001'; head -c 70000 /dev/urandom; } > 'magic only' && "
		"{ head -c 40 $L; printf '\\377\\377\\377\\377\\377\\377\\377\\177'; tail -c +49 $L; } > sections && "
		"{ head -c 56 $L; printf '\\377\\377\\377\\377\\377\\377\\377\\377'; tail -c +65 $L; } > counts && "
		"head -c 65536 $L > truncated && : > '[heap]'",
		scene->dir);
	const char *dir = scene->dir;

	if (system(script))
		fail_msg("failed: %s", script);
	attach(scene,
	       (const char *const[]){beside("target_maps"), format("%s/evil\nname", dir),
				     format("%s/libc.so.6 (deleted)", dir), format("%s/noise", dir),
				     format("%s/magic only", dir), format("%s/sections", dir), format("%s/counts", dir),
				     format("%s/truncated", dir), format("%s/[heap]", dir), NULL});
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(objects_of_size(scene, "target_maps", 1000).in_use, 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pid_that_does_not_exist_is_4),
		TEST(test_pid_that_exits_during_attach_is_said),
		TEST(test_main_thread_exited_before_attach_is_traced),
		TEST(test_main_thread_exits_while_traced_is_followed),
		TEST(test_exec_from_another_thread_is_followed),
		TEST(test_exec_begins_a_new_image),
		TEST(test_fork_children_are_counted_and_not_traced),
		TEST(test_target_that_aborts_leaves_a_complete_profile),
		TEST(test_target_that_is_killed_leaves_a_complete_profile),
		TEST(test_static_program_uses_its_own_allocator),
		TEST(test_stripped_program_is_traced),
		TEST(test_program_without_libc_is_4_and_lists_what_was_searched),
		TEST(test_program_of_32_bits_is_4_and_lists_what_was_searched),
		TEST(test_go_program_is_4_and_lists_what_was_searched),
		TEST(test_libc_deleted_since_start_is_traced),
		TEST(test_libc_replaced_since_start_is_traced),
		TEST(test_executable_deleted_since_start_is_traced),
		TEST(test_target_that_allocates_nothing_is_said_within_a_second_or_so),
		TEST(test_two_processes_have_a_profile_each),
		TEST(test_nine_processes_have_a_profile_each),
		TEST(test_hostile_mappings_do_no_harm),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
