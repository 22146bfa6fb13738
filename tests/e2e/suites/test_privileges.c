/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users who are not root record with the capabilities that README names, processes of their own and of others; each one
 * that is missing is named.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/interpreter.h"
#include "e2e/kit/session.h"

#define WATCHER 65534
#define OTHER	1
#define BASE	"+bpf,+perfmon"
#define SET	BASE ",+sys_ptrace"

/* A copy that other users can come to, wherever the tree is. */
static const char *copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	struct stat status;

	if (in < 0 || out < 0 || fstat(in, &status) ||
	    sendfile(out, in, NULL, (size_t)status.st_size) != status.st_size)
		fail_msg("%s to %s: %s", from, to, strerror(errno));
	close(in);
	close(out);
	return to;
}

static void setup_copies(struct scene *scene)
{
	if (chmod(scene->dir, 0777))
		fail_msg("chmod: %s", strerror(errno));
	copy(heaptap_path(), format("%s/heaptap", scene->dir));
	copy(beside("target_leak"), format("%s/leak", scene->dir));
}

static void start_target(struct scene *scene, uid_t uid, const char *path)
{
	target_start(&scene->target, NULL,
		     (const char *const[]){"/usr/bin/setpriv", format("--reuid=%u", uid), format("--regid=%u", uid),
					   "--clear-groups", path, "malloc", NULL});
	target_ready(&scene->target);
}

/* What leak keeps, and where it is. */
static void assert_recorded(const struct scene *scene, const char *comm)
{
	cJSON *index = session_index(&scene->session);

	assert_int_equal(index_number(index_process(index, comm), "inuse_space"), 30000);
	cJSON_Delete(index);
}

/* Record as user `uid` with these capabilities alone: the copy takes the place of heaptap's own path. */
static void record_with(struct scene *scene, uid_t uid, const char *capabilities, const char *const *args)
{
	const char *sets = format("-all,%s", capabilities);

	scene->session.wrapper = (const char *const[]){"/usr/bin/setpriv",
						       format("--reuid=%u", uid),
						       format("--regid=%u", uid),
						       "--clear-groups",
						       "--inh-caps",
						       sets,
						       "--ambient-caps",
						       sets,
						       "--bounding-set",
						       sets,
						       "/bin/sh",
						       "-c",
						       "shift; exec \"$0\" \"$@\"",
						       format("%s/heaptap", scene->dir),
						       NULL};
	session_start(&scene->session, scene, args);
}

static void attach_with(struct scene *scene, uid_t uid, const char *capabilities)
{
	record_with(scene, uid, capabilities,
		    (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
}

static void assert_records(struct scene *scene, uid_t uid, const char *capabilities, const char *comm)
{
	attach_with(scene, uid, capabilities);
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_recorded(scene, comm);
}

static void assert_misses(struct scene *scene, uid_t uid, const char *capabilities, const char *missing)
{
	int status;

	attach_with(scene, uid, capabilities);
	status = session_finish(&scene->session);
	if (status != 3)
		fail_msg("with %s: %d; heaptap said:\n%s", capabilities, status, scene->session.words);
	session_assert_said(&scene->session, format("%s missing", missing));
}

static void end_target(struct scene *scene)
{
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

static void test_every_pair_of_users_records_with_the_set_of_the_readme(void **state)
{
	static const uid_t targets[] = {0, OTHER, WATCHER};
	struct scene *scene = *state;

	setup_copies(scene);
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		start_target(scene, targets[i], format("%s/leak", scene->dir));
		assert_records(scene, WATCHER, SET, "leak");
	}
	start_target(scene, WATCHER, format("%s/leak", scene->dir));
	assert_records(scene, WATCHER, BASE, "leak");
	/* User 0 without them is a user like any other. */
	start_target(scene, OTHER, format("%s/leak", scene->dir));
	assert_records(scene, 0, SET, "leak");
}

static void test_each_that_is_missing_is_named(void **state)
{
	struct scene *scene = *state;

	setup_copies(scene);
	start_target(scene, OTHER, format("%s/leak", scene->dir));
	assert_misses(scene, WATCHER, "+perfmon,+sys_ptrace", "CAP_BPF");
	assert_misses(scene, WATCHER, "+bpf,+sys_ptrace", "CAP_PERFMON");
	assert_misses(scene, WATCHER, BASE, "CAP_SYS_PTRACE");
	assert_misses(scene, 0, BASE, "CAP_SYS_PTRACE");
	end_target(scene);
	start_target(scene, 0, format("%s/leak", scene->dir));
	assert_misses(scene, WATCHER, BASE, "CAP_SYS_PTRACE");
	end_target(scene);
}

/* The file is where its user alone may look. */
static void test_private_file_takes_dac_read_search(void **state)
{
	struct scene *scene = *state;
	const char *directory = format("%s/private", scene->dir);
	char program[PATH_MAX];

	setup_copies(scene);
	snprintf(program, sizeof(program), "%s/own", directory);
	if (mkdir(directory, 0700) || chown(directory, OTHER, OTHER))
		fail_msg("%s: %s", directory, strerror(errno));
	copy(beside("target_static"), program);
	start_target(scene, OTHER, program);
	assert_misses(scene, WATCHER, SET, "CAP_DAC_READ_SEARCH");
	assert_records(scene, WATCHER, SET ",+dac_read_search", "own");
}

/* The file was replaced, as by an upgrade: its name leads to another one. */
static void test_replaced_file_takes_checkpoint_restore(void **state)
{
	struct scene *scene = *state;
	const char *program;

	setup_copies(scene);
	program = copy(beside("target_static"), format("%s/old", scene->dir));
	start_target(scene, OTHER, program);
	if (rename(copy(beside("target_static"), format("%s/new", scene->dir)), format("%s/old", scene->dir)))
		fail_msg("rename: %s", strerror(errno));
	assert_misses(scene, WATCHER, SET, "CAP_DAC_READ_SEARCH, CAP_CHECKPOINT_RESTORE");
	assert_misses(scene, WATCHER, SET ",+dac_read_search", "CAP_CHECKPOINT_RESTORE");
	assert_misses(scene, WATCHER, SET ",+checkpoint_restore", "CAP_DAC_READ_SEARCH");
	assert_records(scene, WATCHER, SET ",+dac_read_search,+checkpoint_restore", "old");
}

/* To have Python's own allocator called, heaptap writes to the interpreter's memory. No filter of the process's forbids it. */
static void test_python_of_another_user_takes_dac_override(void **state)
{
	static const char program[] =
		"import os; os.write(1, b'r'); os.read(0, 1); kept = [bytes([i]) * 300 for i in range(100)]";
	struct scene *scene = *state;

	setup_copies(scene);
	target_start(&scene->target, NULL,
		     (const char *const[]){"/usr/bin/setpriv", format("--reuid=%d", OTHER), format("--regid=%d", OTHER),
					   "--clear-groups", INTERPRETER, "-c", program, NULL});
	target_ready(&scene->target);
	attach_with(scene, WATCHER, SET);
	session_await(&scene->session, "its memory is another user's, which takes CAP_DAC_OVERRIDE");
	end_target(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_false(session_said(&scene->session, "seccomp"));
}

/* A compiler's code in a memfd, as Erlang's, is not to be opened by those who may not; nothing is missing. */
static void test_code_in_a_memfd_takes_nothing(void **state)
{
	struct scene *scene = *state;
	const char *program;
	cJSON *index;

	setup_copies(scene);
	program = copy(beside("target_jit"), format("%s/compiler", scene->dir));
	target_start(&scene->target, NULL,
		     (const char *const[]){"/usr/bin/setpriv", format("--reuid=%d", WATCHER),
					   format("--regid=%d", WATCHER), "--clear-groups", program, "memfd", NULL});
	target_ready(&scene->target);
	attach_with(scene, WATCHER, BASE);
	session_attached(&scene->session);
	end_target(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	if (session_said(&scene->session, "'/memfd:vmem'"))
		fail_msg("heaptap said:\n%s", scene->session.words);
	index = session_index(&scene->session);
	assert_int_equal(index_number(index_process(index, "compiler"), "inuse_objects"), 10);
	assert_int_equal(index_number(index_process(index, "compiler"), "ledger.files_unseen"), 0);
	cJSON_Delete(index);
}

/* Which program others run may not be known then, so none of them is chosen. */
static void test_exe_without_sys_ptrace_says_who_is_left_out(void **state)
{
	struct scene *scene = *state;

	setup_copies(scene);
	start_target(scene, OTHER, format("%s/leak", scene->dir));
	record_with(scene, WATCHER, BASE,
		    (const char *const[]){"-a", "--exe", format("%s/leak", scene->dir), "-d", "0.1", NULL});
	assert_int_equal(session_finish(&scene->session), 0);
	session_assert_said(&scene->session, "not traced, as which program they run may not be known");
	session_assert_said(&scene->session, "CAP_SYS_PTRACE missing");
	end_target(scene);
	start_target(scene, OTHER, format("%s/leak", scene->dir));
	record_with(scene, WATCHER, SET,
		    (const char *const[]){"-a", "--exe", format("%s/leak", scene->dir), "-d", "0.1", NULL});
	assert_int_equal(session_finish(&scene->session), 0);
	if (session_said(&scene->session, "CAP_SYS_PTRACE missing"))
		fail_msg("heaptap said:\n%s", scene->session.words);
	end_target(scene);
}

/* --- what the documents say --- */

/* The rest of the first line of the file that begins with `start`, until the next call. */
static const char *line_of(const char *path, const char *start)
{
	static char line[1024];
	FILE *file = fopen(format(SOURCE_DIR "/docs/%s", path), "re");
	bool found = false;

	assert_non_null(file);
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, start, strlen(start));
	fclose(file);
	if (!found)
		fail_msg("docs/%s has no line '%s...'", path, start);
	line[strcspn(line, "\n")] = '\0';
	return line + strlen(start);
}

/* By the file alone: who runs it has nothing. */
static void test_setcap_line_of_the_documents_suffices(void **state)
{
	struct scene *scene = *state;
	const char *line = line_of("privileges.md", "    setcap "), *end = strchr(line, ' ');
	const char *copy = format("/var/tmp/heaptap_setcap.%d", getpid());

	assert_non_null(end);
	setup_copies(scene);
	/* Not in the scene's directory: where that is mounted with nosuid, a file has no capabilities. */
	if (system(format("cp %s/heaptap %s && PATH=$PATH:/usr/sbin:/sbin setcap %.*s %s", scene->dir, copy,
			  (int)(end - line), line, copy)))
		fail_msg("setcap failed");
	scene->session.wrapper = (const char *const[]){"/usr/bin/setpriv",
						       format("--reuid=%d", WATCHER),
						       format("--regid=%d", WATCHER),
						       "--clear-groups",
						       "--inh-caps=-all",
						       "--ambient-caps=-all",
						       "/bin/sh",
						       "-c",
						       "shift; exec \"$0\" \"$@\"",
						       copy,
						       NULL};
	start_target(scene, OTHER, format("%s/leak", scene->dir));
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	unlink(copy);
	end_target(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_recorded(scene, "leak");
}

/* "cap_bpf,cap_perfmon=ep ..." as systemd has it, "CAP_BPF CAP_PERFMON". */
static void test_units_have_what_setcap_gives(void **state)
{
	static const char *const units[] = {"contrib/heaptap-push.service", "contrib/heaptap-serve.service"};
	char names[512];
	size_t length = 0;

	(void)state;
	for (const char *at = line_of("privileges.md", "    setcap "); *at && *at != '='; at++)
		names[length++] = *at == ',' ? ' ' : (char)toupper((unsigned char)*at);
	names[length] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		assert_string_equal(line_of(units[i], "CapabilityBoundingSet="), names);
		assert_string_equal(line_of(units[i], "AmbientCapabilities="), names);
	}
	assert_string_equal(line_of("privileges.md", "    AmbientCapabilities="), names);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_pair_of_users_records_with_the_set_of_the_readme),
		TEST(test_each_that_is_missing_is_named),
		TEST(test_exe_without_sys_ptrace_says_who_is_left_out),
		TEST(test_private_file_takes_dac_read_search),
		TEST(test_replaced_file_takes_checkpoint_restore),
		TEST(test_python_of_another_user_takes_dac_override),
		TEST(test_code_in_a_memfd_takes_nothing),
		TEST(test_setcap_line_of_the_documents_suffices),
		cmocka_unit_test(test_units_have_what_setcap_gives),
	};

	return cmocka_run_group_tests_name("privileges", tests, NULL, NULL);
}
