/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can go wrong around heaptap itself: rights, output, its own death, another heaptap beside
 * it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/session.h"

#define NOBODY 65534

static void start_target(struct scene *scene, const char *way)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), way, NULL});
	target_ready(&scene->target);
}

static void end_target(struct scene *scene)
{
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

static void assert_leak_recorded(const struct session *session)
{
	cJSON *index = session_index(session);

	assert_int_equal(index_number(index_process(index, "target_leak"), "inuse_space"), 30000);
	assert_int_equal(index_number(index_process(index, "target_leak"), "inuse_objects"), 1);
	cJSON_Delete(index);
}

static void test_not_root_is_3_and_names_the_capability(void **state)
{
	struct scene *scene = *state;

	start_target(scene, "malloc");
	if (chmod(scene->dir, 0777))
		fail_msg("chmod: %s", strerror(errno));
	scene->session.uid = NOBODY;
	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL}),
		3);
	session_assert_said(&scene->session, "CAP_");
	end_target(scene);
}

/* root without one of the capabilities: that one is named. */
static void test_missing_capability_is_3_and_named(void **state)
{
	static const char *const dropped[] = {"bpf", "perfmon"};
	static const char *const names[] = {"CAP_BPF", "CAP_PERFMON"};
	struct scene *scene = *state;

	start_target(scene, "malloc");
	for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++) {
		const char *bounding = format("-%s,-sys_admin", dropped[i]);

		scene->session.wrapper = (const char *const[]){"/usr/bin/setpriv", "--bounding-set", bounding,
							       "--inh-caps",	   bounding,	     NULL};
		assert_int_equal(session_run(&scene->session, scene,
					     (const char *const[]){"-p", format("%d", scene->target.pid), NULL}),
				 3);
		session_assert_said(&scene->session, names[i]);
	}
	end_target(scene);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file))
		fail_msg("%s: %s", path, strerror(errno));
}

static void read_file(const char *path, char ret_text[256])
{
	FILE *file = fopen(path, "re");
	size_t length;

	if (!file) {
		fail_msg("%s: %s", path, strerror(errno));
		return;
	}
	length = fread(ret_text, 1, 255, file);
	ret_text[length] = '\0';
	fclose(file);
}

/* No room for a single block more: one sentence, status 1, the summary all the same, and what was there before stays.
 */
static void test_disk_full_is_1_and_leaves_what_was_there(void **state)
{
	struct scene *scene = *state;
	const char *mount_point = format("%s/full", scene->dir);
	char kept[256];
	int status;

	if (mkdir(mount_point, 0755) || mount("none", mount_point, "tmpfs", 0, "size=8k"))
		fail_msg("mount: %s", strerror(errno));
	write_file(format("%s/index.json", mount_point), "before\n");
	write_file(format("%s/ballast", mount_point), "x");
	start_target(scene, "malloc");
	session_start_bare(&scene->session, (const char *const[]){"record", "-R", "1", "-o", mount_point, "--force",
								  "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	end_target(scene);
	status = session_finish(&scene->session);
	read_file(format("%s/index.json", mount_point), kept);
	umount2(mount_point, MNT_DETACH);
	assert_int_equal(status, 1);
	assert_string_equal(kept, "before\n");
	session_assert_said(&scene->session, strerror(ENOSPC));
	session_assert_said(&scene->session, "target_leak");
}

/* Nobody is left to read messages, as behind `2>&1 | head -1`: the recording goes on, and its files are written. */
static void test_reader_of_messages_gone_changes_nothing(void **state)
{
	struct scene *scene = *state;

	start_target(scene, "malloc");
	session_start(&scene->session, scene,
		      (const char *const[]){"-v", "-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	close(scene->session.words_fd);
	scene->session.words_fd = -1;
	end_target(scene);
	assert_true(child_reap(&scene->session.child));
	assert_int_equal(child_exit_status(scene->session.child.status), 0);
	assert_leak_recorded(&scene->session);
}

/* Not even that the command line is wrong can be said. */
static void test_reader_of_messages_gone_keeps_the_status(void **state)
{
	struct scene *scene = *state;
	int words[2];

	if (pipe2(words, O_CLOEXEC))
		fail_msg("pipe2: %s", strerror(errno));
	close(words[0]);
	scene->target.pid = child_start(&(struct child_launch){
		(const char *const[]){heaptap_path(), "record", "-R", "0", NULL}, NULL, -1, -1, words[1], 0});
	close(words[1]);
	assert_int_equal(target_finish(&scene->target), 2);
}

/* `heaptap report DIR | head -1`: an error like any other, said once. */
static void test_reader_of_a_report_gone_is_1_and_said_once(void **state)
{
	struct scene *scene = *state;
	int out[2];

	session_start(&scene->session, scene,
		      (const char *const[]){"-q", "--follow", "-R", "1", "--", "/bin/sh", "-c", "/bin/true; /bin/true",
					    NULL});
	assert_int_equal(session_finish(&scene->session), 0);
	if (pipe2(out, O_CLOEXEC))
		fail_msg("pipe2: %s", strerror(errno));
	close(out[0]);
	scene->session.wrapper =
		(const char *const[]){"/bin/sh", "-c", format("exec \"$0\" \"$@\" >&%d", out[1]), NULL};
	fcntl(out[1], F_SETFD, 0);
	session_start_bare(&scene->session, (const char *const[]){"report", scene->session.output, NULL});
	close(out[1]);
	assert_int_equal(session_finish(&scene->session), 1);
	session_assert_said(&scene->session, strerror(EPIPE));
	assert_ptr_equal(strchr(scene->session.words, '\n'), scene->session.words + scene->session.words_length - 1);
}

/* ulimit -f: one sentence and status 1, no death by SIGXFSZ. */
static void test_file_size_limit_is_1_and_said(void **state)
{
	struct scene *scene = *state;

	start_target(scene, "malloc");
	scene->session.wrapper = (const char *const[]){"/usr/bin/prlimit", "--fsize=100:100", NULL};
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	end_target(scene);
	assert_int_equal(session_finish(&scene->session), 1);
	session_assert_said(&scene->session, strerror(EFBIG));
	session_assert_said(&scene->session, "target_leak");
}

static void test_unwritable_output_is_1_and_said(void **state)
{
	struct scene *scene = *state;
	const char *under_a_file = format("%s/file/out", scene->dir);

	write_file(format("%s/file", scene->dir), "a file\n");
	start_target(scene, "malloc");
	session_start_bare(&scene->session, (const char *const[]){"record", "-o", under_a_file, "-p",
								  format("%d", scene->target.pid), NULL});
	assert_int_equal(session_finish(&scene->session), 1);
	session_assert_said(&scene->session, under_a_file);
	end_target(scene);
}

static void test_non_empty_output_is_refused_without_force(void **state)
{
	struct scene *scene = *state;
	const char *output = format("%s/used", scene->dir), *pid;
	int status;

	mkdir(output, 0755);
	write_file(format("%s/precious", output), "precious\n");
	start_target(scene, "malloc");
	pid = format("%d", scene->target.pid);
	session_start_bare(&scene->session, (const char *const[]){"record", "-o", output, "-p", pid, NULL});
	status = session_finish(&scene->session);
	assert_true(status == 1 || status == 2);
	session_assert_said(&scene->session, "--force");
	session_start_bare(&scene->session,
			   (const char *const[]){"record", "-R", "1", "-o", output, "--force", "-p", pid, NULL});
	session_attached(&scene->session);
	end_target(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	snprintf(scene->session.output, sizeof(scene->session.output), "%s", output);
	assert_leak_recorded(&scene->session);
	assert_int_equal(access(format("%s/precious", output), F_OK), 0);
}

/* The kernel drops the links with their descriptors, a moment after the process is gone. */
static void test_heaptap_killed_leaves_target_unharmed(void **state)
{
	uint64_t deadline_ns = now_ns() + DEADLINE_MS * 1000000ull;
	struct scene *scene = *state;

	start_target(scene, "malloc");
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	assert_true(code_changes(scene->target.pid, "libc.so.6") > 0);
	session_signal(&scene->session, SIGKILL);
	assert_int_equal(session_finish(&scene->session), 128 + SIGKILL);
	while (code_changes(scene->target.pid, "libc.so.6")) {
		if (now_ns() > deadline_ns)
			fail_msg("breakpoints remain");
	}
	end_target(scene);
}

static void test_two_heaptaps_on_one_target_both_see_all(void **state)
{
	struct scene *scene = *state;
	const char *pid;

	start_target(scene, "malloc");
	pid = format("%d", scene->target.pid);
	session_start(&scene->session, scene, (const char *const[]){"-R", "1", "-p", pid, NULL});
	session_attached(&scene->session);
	session_start(&scene->second, scene, (const char *const[]){"-R", "1", "-p", pid, NULL});
	session_attached(&scene->second);
	end_target(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(session_finish(&scene->second), 0);
	assert_leak_recorded(&scene->session);
	assert_leak_recorded(&scene->second);
}

static void test_own_pid_namespace_works_or_names_the_way_out(void **state)
{
	struct scene *scene = *state;
	int status;

	scene->session.wrapper =
		(const char *const[]){"/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child", NULL};
	status = session_run(&scene->session, scene,
			     (const char *const[]){"-R", "1", "--", beside("target_leak"), "malloc", NULL});
	if (status == 125 || status == 3) {
		session_assert_said(&scene->session, "--pid=host");
		return;
	}
	assert_int_equal(status, 0);
	assert_leak_recorded(&scene->session);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_not_root_is_3_and_names_the_capability),
		TEST(test_missing_capability_is_3_and_named),
		TEST(test_disk_full_is_1_and_leaves_what_was_there),
		TEST(test_reader_of_messages_gone_changes_nothing),
		TEST(test_reader_of_messages_gone_keeps_the_status),
		TEST(test_reader_of_a_report_gone_is_1_and_said_once),
		TEST(test_file_size_limit_is_1_and_said),
		TEST(test_unwritable_output_is_1_and_said),
		TEST(test_non_empty_output_is_refused_without_force),
		TEST(test_heaptap_killed_leaves_target_unharmed),
		TEST(test_two_heaptaps_on_one_target_both_see_all),
		TEST(test_own_pid_namespace_works_or_names_the_way_out),
	};

	return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
