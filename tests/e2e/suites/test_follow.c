/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record --follow: hundreds of children, however they come to be, each equal to the shim's log from its first malloc on;
 * other processes have no probes; and COMMAND sees and does the same as without heaptap.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/dialogue.h"
#include "e2e/kit/own_libc.h"
#include "e2e/kit/population.h"
#include "e2e/kit/recording.h"
#include "e2e/shims/truth_log.h"

#define CHILDREN 200

static const char *const by_env[] = {"env", NULL};

/* COMMAND through env(1), so that the shim stands in front of it and all its children, but not of heaptap. */
static int record(struct scene *scene, const char *option, const char *const *command)
{
	const char *args[40] = {"-R", "1", "--follow"};
	unsigned int count = 3;

	if (option)
		args[count++] = option;
	args[count++] = "--";
	args[count++] = "/usr/bin/env";
	args[count++] = format("LD_PRELOAD=%s", beside("shim.so"));
	args[count++] = format("%s=%s", TRUTH_VARIABLE, scene->truth);
	for (; *command && count < 39; command++)
		args[count++] = *command;
	return session_run(&scene->session, scene, args);
}

static void assert_exact(const struct scene *scene, const char *name, size_t children)
{
	population_assert_exact(&scene->session, scene->truth, MATCH_PID, by_env);
	assert_int_equal(population_count(&scene->session, name), children);
	assert_true(population_assert_files(&scene->session) >= children);
}

static void test_follow_shell_children_equal_shim(void **state)
{
	const char *script = format("i=0; while [ $i -lt %d ]; do %s $i || exit 1; i=$((i + 1)); done; exit 7",
				    CHILDREN, beside("target_offspring"));

	assert_int_equal(record(*state, NULL, (const char *const[]){"/bin/sh", "-c", script, NULL}), 7);
	assert_exact(*state, "target_offspring", CHILDREN);
}

static void test_follow_make_children_equal_shim(void **state)
{
	struct scene *scene = *state;
	const char *path = format("%s/Makefile", scene->dir);
	FILE *makefile = fopen(path, "we");

	assert_non_null(makefile);
	fprintf(makefile, "all: $(addprefix child,$(shell seq %d))\nchild%%: ; @%s $*\n", CHILDREN,
		beside("target_offspring"));
	fclose(makefile);
	assert_int_equal(record(scene, NULL, (const char *const[]){"/usr/bin/make", "-sj2", "-f", path, NULL}), 0);
	assert_exact(scene, "target_offspring", CHILDREN);
}

/* What never execs bears its parent's name, and the parent does work of its own. */
static void test_follow_children_of_every_kind_equal_shim(void **state)
{
	const char *const command[] = {beside("target_brood"),
				       "fork",
				       "0",
				       "40",
				       "vfork",
				       "40",
				       "40",
				       "spawn",
				       "80",
				       "40",
				       "double",
				       "120",
				       "40",
				       "threads",
				       "160",
				       "40",
				       "self",
				       "200",
				       "1",
				       "exec",
				       "201",
				       "40",
				       NULL};

	assert_int_equal(record(*state, NULL, command), 0);
	population_assert_exact(&((struct scene *)*state)->session, ((struct scene *)*state)->truth, MATCH_PID, by_env);
	assert_int_equal(population_count(&((struct scene *)*state)->session, "target_offspring"), 120);
	assert_int_equal(population_count(&((struct scene *)*state)->session, "target_brood"), 121);
}

static void test_follow_shared_mounts_children_equal_shim(void **state)
{
	const char *const command[] = {beside("target_brood"), "fork", "0", "20", "exec", "20", "20", NULL};

	assert_int_equal(record(*state, "--shared-mounts", command), 0);
	assert_exact(*state, "target_offspring", 20);
}

static void test_follow_attached_children_equal_shim(void **state)
{
	struct scene *scene = *state;
	const char *dir = format("%s/brood", scene->dir);
	struct dialogue brood;

	dialogue_open(&brood, dir);
	target_start(&scene->target,
		     (const char *const[]){format("LD_PRELOAD=%s", beside("shim.so")),
					   format("%s=%s", TRUTH_VARIABLE, scene->truth), NULL},
		     (const char *const[]){beside("target_brood"), dir, NULL});
	dialogue_order(&brood, "fork 0 0"); /* it is there, and waits */
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "--follow", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	dialogue_order(&brood, "fork 0 50");
	dialogue_order(&brood, "vfork 50 50");
	dialogue_order(&brood, "double 100 50");
	dialogue_order(&brood, "threads 150 50");
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	dialogue_close(&brood);
	population_assert_exact(&scene->session, scene->truth, MATCH_PID, NULL);
	assert_int_equal(population_count(&scene->session, "target_offspring"), 50);
}

/* --- what others pay ------------------------------------------------------------------------------------------------ */

/*
 * Breakpoints are all that it could be made to pay for. Both have a C library that no other test probes, of which COMMAND and its
 * children run a copy.
 */
static void test_follow_command_leaves_others_without_probes(void **state)
{
	struct scene *scene = *state;
	const char *inner = format("%s/brood", scene->dir), *outer = format("%s/outside", scene->dir);
	const char *variable = format("LD_LIBRARY_PATH=%s", scene->dir);
	struct dialogue brood, outside;

	own_libc_install(scene);
	dialogue_open(&brood, inner);
	dialogue_open(&outside, outer);
	target_start(&scene->target, (const char *const[]){variable, NULL},
		     (const char *const[]){beside("target_outside"), outer, NULL});
	dialogue_pair_ns(&outside); /* it is there */
	scene->session.environment[0] = variable;
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "--follow", "--", beside("target_brood"), inner, NULL});
	session_attached(&scene->session);
	dialogue_order(&brood, "exec 0 20");
	assert_int_equal(own_libc_breakpoints(scene), 0);
	session_signal(&scene->session, SIGINT);
	dialogue_say(&brood, ""); /* heaptap waits for COMMAND */
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(population_count(&scene->session, "target_offspring"), 20);
	dialogue_close(&brood);
	dialogue_close(&outside);
}

/* --- what COMMAND sees ---------------------------------------------------------------------------------------------- */

static void read_all(const char *path, char **ret_text)
{
	size_t size = 0;
	FILE *file = fopen(path, "re");

	*ret_text = NULL;
	if (!file || getdelim(ret_text, &size, '\0', file) <= 0)
		fail_msg("%s: nothing there", path);
	fclose(file);
}

#define SAMPLED_INSIDE                                                                                                 \
	"-q" /* no option: the C library's copy has the sampler, and is another file to those who read it */

/* Both in a mount namespace of the test's own, whose folder for temporary files has the mount options. */
static void check_circumstances(struct scene *scene, const char *options, const char *flag)
{
	const char *temporary = format("%s/tmp", scene->dir),
		   *script = SOURCE_DIR "/tests/e2e/targets/circumstances.sh";
	const char *scratch = format("%s/scratch", scene->dir);
	const char *outputs[] = {format("%s/untraced", scene->dir), format("%s/traced", scene->dir)};
	const char *const wrapper[] = {
		"/usr/bin/unshare",
		"-m",
		"/bin/sh",
		"-c",
		format("mkdir -p %s && mount -t tmpfs %s none %s && exec \"$@\"", temporary, options, temporary),
		"sh",
		"/usr/bin/env",
		format("TMPDIR=%s", temporary),
		NULL};
	const char *argv[16] = {0};
	char *untraced, *traced;
	unsigned int count = 0;

	for (; wrapper[count]; count++)
		argv[count] = wrapper[count];
	argv[count++] = script;
	argv[count++] = outputs[0];
	argv[count++] = scratch;
	target_start(&scene->target, NULL, argv);
	assert_int_equal(target_finish(&scene->target), 9);
	scene->session.wrapper = wrapper;
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"--follow", flag, "--", script, outputs[1], scratch, NULL}),
			 9);
	if (!strcmp(flag, SAMPLED_INSIDE) &&
	    system(format("sed -i '/^== the libraries/,/^== /d' %s %s", outputs[0], outputs[1])))
		fail_msg("no sed");
	read_all(outputs[0], &untraced);
	read_all(outputs[1], &traced);
	if (strcmp(untraced, traced)) {
		free(untraced);
		free(traced);
		if (system(format("diff %s %s >&2", outputs[0], outputs[1])))
			fail_msg("COMMAND sees a difference");
	}
	free(untraced);
	free(traced);
}

static void test_follow_command_sees_the_same_as_without(void **state)
{
	check_circumstances(*state, "", "--plain-copies");
}

static void test_follow_command_that_is_sampled_inside_sees_the_same_but_for_the_library(void **state)
{
	check_circumstances(*state, "", SAMPLED_INSIDE);
}

static void test_follow_command_sees_the_same_with_a_temporary_folder_without_exec(void **state)
{
	check_circumstances(*state, "-o noexec,nosuid", SAMPLED_INSIDE);
}

static void test_follow_command_sees_the_same_with_shared_mounts(void **state)
{
	check_circumstances(*state, "", "--shared-mounts");
}

/* --- COMMAND ends, and what it started does not --- */

static const char *make_fifo(const struct scene *scene)
{
	const char *path = format("%s/fifo", scene->dir);

	assert_int_equal(mkfifo(path, 0600), 0);
	return path;
}

/* Opening it waits for the daemon; this lets it go on. */
static void release_daemon(const char *fifo)
{
	int fd = open(fifo, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
}

static void test_follow_says_what_command_left_running(void **state)
{
	struct scene *scene = *state;
	const char *fifo = make_fifo(scene);

	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-R", "1", "--follow", "--", beside("target_daemon"), fifo, NULL}),
		3);
	session_assert_said(&scene->session, "has ended and left 1 process running (pid ");
	session_assert_said(&scene->session, "--wait-children goes on until they have ended");
	release_daemon(fifo);
}

static void test_follow_waits_for_a_daemon(void **state)
{
	struct scene *scene = *state;
	const char *fifo = make_fifo(scene);

	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "--follow", "--wait-children", "-f", "pprof,text", "--",
					    beside("target_daemon"), fifo, NULL});
	session_await(&scene->session, "the recording goes on until the 1 process that it left running");
	release_daemon(fifo);
	assert_int_equal(session_finish(&scene->session), 3);
	assert_int_equal(recording_objects(scene, "target_daemon", 4321).allocated, 100);
}

static void test_follow_that_waits_for_nothing_ends_with_command(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"--follow", "--wait-children", "--", "/bin/sh", "-c",
							   "/bin/true; exit 5", NULL}),
			 5);
	assert_false(session_said(&scene->session, "left running"));
}

static void test_follow_that_waits_ends_with_its_time(void **state)
{
	struct scene *scene = *state;
	const char *fifo = make_fifo(scene);

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "1", "--follow", "--wait-children", "-d", "1", "--",
							   beside("target_daemon"), fifo, NULL}),
			 3);
	release_daemon(fifo);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_follow_shell_children_equal_shim),
		TEST(test_follow_make_children_equal_shim),
		TEST(test_follow_children_of_every_kind_equal_shim),
		TEST(test_follow_shared_mounts_children_equal_shim),
		TEST(test_follow_attached_children_equal_shim),
		TEST(test_follow_says_what_command_left_running),
		TEST(test_follow_waits_for_a_daemon),
		TEST(test_follow_that_waits_for_nothing_ends_with_command),
		TEST(test_follow_that_waits_ends_with_its_time),
		TEST(test_follow_command_leaves_others_without_probes),
		TEST(test_follow_command_sees_the_same_as_without),
		TEST(test_follow_command_that_is_sampled_inside_sees_the_same_but_for_the_library),
		TEST(test_follow_command_sees_the_same_with_a_temporary_folder_without_exec),
		TEST(test_follow_command_sees_the_same_with_shared_mounts),
	};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
