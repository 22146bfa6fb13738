/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets that cannot be traced: each ends with the right status and message, at once, or, when the cause comes later, with
 * what was recorded until then. Other kinds of machines are imitated by mount and PID namespaces: heaptap has no code for
 * tests.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/population.h"
#include "e2e/kit/stage.h"

/* Beginnings of 64 digits that no runtime gives. */
#define ID_A "5ce0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "5ce0bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* A process in the group that waits. */
static void inhabit(struct child *child, const struct group *group)
{
	stage_start(child, group, (const char *const[]){beside("target_leak"), NULL});
	target_ready(child);
}

static void assert_refused(struct stage *stage, const char *option, const char *value, int status, const char *words)
{
	struct session *session = &stage->scene->session;
	const char *const args[] = {option, value, NULL};

	assert_int_equal(session_run(session, stage->scene, args), status);
	session_assert_said(session, words);
	assert_int_not_equal(access(session->output, F_OK), 0);
}

/* heaptap in a mount namespace of its own, after these commands. */
static void in_mounts(struct stage *stage, const char *commands)
{
	static const char *wrapper[8];

	wrapper[0] = "/usr/bin/unshare";
	wrapper[1] = "-m";
	wrapper[2] = "/bin/sh";
	wrapper[3] = "-ec";
	wrapper[4] = format("%s; exec \"$@\"", commands);
	wrapper[5] = "sh";
	wrapper[6] = NULL;
	stage->scene->session.wrapper = wrapper;
}

/* --- containers ----------------------------------------------------------------------------------------------------- */

static void test_scope_unknown_container_is_refused(void **state)
{
	assert_refused(*state, "--container", "heaptap-no-such", STATUS_TARGET, "heaptap-no-such");
}

static void test_scope_ambiguous_id_is_refused_with_the_candidates(void **state)
{
	struct stage *stage = *state;
	struct group first, second;

	group_make_below(&first, &stage->group, "libpod-" ID_A ".scope");
	group_make_below(&second, &stage->group, "libpod-" ID_B ".scope");
	inhabit(&stage->scene->more[0], &first);
	inhabit(&stage->scene->more[1], &second);
	assert_refused(stage, "--container", "5ce0", STATUS_TARGET, "5ce0aaaaaaaa");
	session_assert_said(&stage->scene->session, "5ce0bbbbbbbb");
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/*
 * A user of the machine as heaptap sees it, with a store of podman's that knows one container. Its group is real; so is
 * a process in it.
 */
static void make_other_user(struct stage *stage, struct group *group)
{
	const char *home = format("%s/home", stage->scene->dir);
	const char *store = format("%s/.local/share/containers/storage/overlay-containers", home);

	assert_int_equal(system(format("mkdir -p %s", store)), 0);
	write_file(format("%s/containers.json", store), "[{\"id\":\"" ID_A "\",\"names\":[\"bobs-web\"]}]");
	write_file(format("%s/passwd", stage->scene->dir),
		   format("root:x:0:0::/root:/bin/sh\nbob:x:65533:65533::%s:/bin/sh\n", home));
	assert_int_equal(system(format("chown -R 65533:65533 %s && chmod 700 %s", home, home)), 0);
	group_make_below(group, &stage->group, "user-65533.slice/user@65533.service/user.slice/libpod-" ID_A ".scope");
	inhabit(&stage->scene->target, group);
}

/* Bob's file names a container of somebody else, which root's files do not know. */
static void test_scope_name_that_a_stranger_gives_is_refused(void **state)
{
	struct stage *stage = *state;
	struct group group;

	make_other_user(stage, &group);
	in_mounts(stage, format("mount --bind %s/passwd /etc/passwd", stage->scene->dir));
	assert_refused(stage, "--container", "bobs-web", STATUS_TARGET, "so called by user 'bob' alone");
	/* Its id is nobody's claim. */
	session_start(&stage->scene->session, stage->scene,
		      (const char *const[]){"-R", "1", "-d", "0.1", "--container", ID_A, NULL});
	assert_int_equal(session_finish(&stage->scene->session), 0);
}

/* A file where Bob's should be, which is neither his nor root's. */
static void test_scope_state_file_of_a_stranger_does_not_count(void **state)
{
	struct stage *stage = *state;
	struct group group;

	make_other_user(stage, &group);
	assert_int_equal(chown(group.dir, 65533, 65533), 0);
	assert_int_equal(system(format("find %s/home -type f -exec chown 65532 {} +", stage->scene->dir)), 0);
	in_mounts(stage, format("mount --bind %s/passwd /etc/passwd", stage->scene->dir));
	assert_refused(stage, "--container", "bobs-web", STATUS_TARGET, "containers.json' does not count");
}

static void test_scope_container_of_another_user_is_traced(void **state)
{
	struct stage *stage = *state;
	struct session *session = &stage->scene->session;
	struct group group;

	make_other_user(stage, &group);
	/* As the user's own service manager makes it. */
	assert_int_equal(chown(group.dir, 65533, 65533), 0);
	in_mounts(stage, format("mount --bind %s/passwd /etc/passwd", stage->scene->dir));
	session_start(session, stage->scene, (const char *const[]){"-R", "1", "--container", "bobs-web", NULL});
	session_attached(session);
	target_go(&stage->scene->target);
	assert_int_equal(target_finish(&stage->scene->target), 0);
	session_signal(session, SIGINT);
	assert_int_equal(session_finish(session), 0);
	assert_int_equal(population_count(session, "target_leak"), 1);
}

/* Root without the right to read what is another's. */
static void test_scope_unreadable_store_of_another_user_is_named(void **state)
{
	static const char *wrapper[12];
	struct stage *stage = *state;
	struct group group;
	unsigned int count = 0;

	make_other_user(stage, &group);
	in_mounts(stage, format("mount --bind %s/passwd /etc/passwd", stage->scene->dir));
	while (stage->scene->session.wrapper[count]) {
		wrapper[count] = stage->scene->session.wrapper[count];
		count++;
	}
	wrapper[count++] = "/usr/bin/setpriv";
	wrapper[count++] = "--bounding-set=-dac_override,-dac_read_search";
	stage->scene->session.wrapper = wrapper;
	assert_refused(stage, "--container", "bobs-web", STATUS_TARGET, "bob");
}

/* --- groups --------------------------------------------------------------------------------------------------------- */

static void test_scope_unknown_group_is_refused(void **state)
{
	assert_refused(*state, "--cgroup", "/heaptap-no-such", STATUS_TARGET, "heaptap-no-such");
}

static void test_scope_empty_group_is_refused(void **state)
{
	struct stage *stage = *state;

	assert_refused(stage, "--cgroup", stage->group.path, STATUS_TARGET, stage->group.path);
}

/* What was seen in it is kept, and the recording is over. */
static void test_scope_group_removed_while_tracing_ends_the_recording(void **state)
{
	struct stage *stage = *state;
	struct session *session = &stage->scene->session;

	inhabit(&stage->scene->target, &stage->group);
	session_start(session, stage->scene, (const char *const[]){"-R", "1", "--cgroup", stage->group.path, NULL});
	session_attached(session);
	target_go(&stage->scene->target);
	assert_int_equal(target_finish(&stage->scene->target), 0);
	group_remove(&stage->group);
	assert_int_equal(session_finish(session), 0);
	assert_int_equal(population_count(session, "target_leak"), 1);
	population_assert_clean(session);
}

/* --- machines ------------------------------------------------------------------------------------------------------- */

/* Whatever is mounted of version 2 is not, for heaptap alone. What it says to type then helps. */
static void test_scope_host_without_version_2_is_refused(void **state)
{
	static const char mount[] = "mkdir -p /run/cgroup2 && mount -t cgroup2 none /run/cgroup2";
	static const char unmount[] =
		"for point in $(awk '$3 == \"cgroup2\" { print $2 }' /proc/self/mounts); do umount -l $point; done";
	struct stage *stage = *state;

	inhabit(&stage->scene->target, &stage->group);
	in_mounts(stage, unmount);
	assert_refused(stage, "--cgroup", stage->group.path, STATUS_KERNEL, mount);
	in_mounts(stage, unmount);
	assert_refused(stage, "--container", "web", STATUS_KERNEL, mount);
	in_mounts(stage, format("%s; mount -t tmpfs none /run; %s", unmount, mount));
	session_start(&stage->scene->session, stage->scene,
		      (const char *const[]){"-d", "0.1", "--cgroup", stage->group.path, NULL});
	assert_int_equal(session_finish(&stage->scene->session), 0);
}

/*
 * Numbers of processes are not those that the kernel's programs see: heaptap either traces them all the same, or says
 * how to run it.
 */
static void test_scope_own_pid_namespace_is_traced_or_refused_by_name(void **state)
{
	static const char *const wrapper[] = {"/usr/bin/unshare", "-p", "-f", "--mount-proc", "--kill-child", NULL};
	struct stage *stage = *state;
	struct session *session = &stage->scene->session;
	int status;

	session->wrapper = wrapper;
	status = session_run(session, stage->scene,
			     (const char *const[]){"-R", "1", "--follow", "--", beside("target_brood"), "fork", "0",
						   "5", "exec", "5", "5", NULL});
	if (status == 125) {
		session_assert_said(session, "--pid=host");
		return;
	}
	assert_int_equal(status, 0);
	assert_int_equal(population_count(session, "target_offspring"), 5);
	population_assert_clean(session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scope_unknown_container_is_refused),
		TEST(test_scope_ambiguous_id_is_refused_with_the_candidates),
		TEST(test_scope_container_of_another_user_is_traced),
		TEST(test_scope_name_that_a_stranger_gives_is_refused),
		TEST(test_scope_state_file_of_a_stranger_does_not_count),
		TEST(test_scope_unreadable_store_of_another_user_is_named),
		TEST(test_scope_unknown_group_is_refused),
		TEST(test_scope_empty_group_is_refused),
		TEST(test_scope_group_removed_while_tracing_ends_the_recording),
		TEST(test_scope_host_without_version_2_is_refused),
		TEST(test_scope_own_pid_namespace_is_traced_or_refused_by_name),
	};

	return cmocka_run_group_tests_name("scope_errors", tests, NULL, NULL);
}
