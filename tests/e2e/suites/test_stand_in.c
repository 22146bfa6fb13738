/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COMMAND with its children, in a mount namespace of its own with copies of its allocator files: it does, says and ends
 * with what it does without heaptap, profiles have the originals' names, and other processes that map the file have no probe.
 */
#include "e2e/kit/placed.h"

#include <fcntl.h>
#include <string.h>

#include "e2e/kit/root.h"

static const char *mode_of(bool shared)
{
	return shared ? "--shared-mounts" : "--follow";
}

static char *run_traced(struct scene *scene, bool shared, const char *const *command, int *ret_status)
{
	const char *args[16] = {"--follow", mode_of(shared), "-R", "1", "--"};
	const char *said = format("%s/said", scene->dir);

	for (unsigned int i = 0; command[i]; i++)
		args[5 + i] = command[i];
	scene->session.environment[0] = format("SAID=%s", said);
	*ret_status = session_run(&scene->session, scene, args);
	session_assert_said(&scene->session, shared ? "unfiltered probes in" : "in a mount namespace of their own");
	return contents(said);
}

static char *run_alone(struct scene *scene, const char *const *command, int *ret_status)
{
	const char *said = format("%s/said", scene->dir);
	const char *const environment[] = {format("SAID=%s", said), NULL};

	scene->target.pid = child_start(&(struct child_launch){command, environment, -1, -1, -1, 0});
	assert_true(child_reap(&scene->target));
	*ret_status = child_exit_status(scene->target.status);
	return contents(said);
}

/* A shell script that writes its findings to $SAID: the same in both runs, and `expected` (NULL: anything) is in them. */
static void assert_same(struct scene *scene, const char *script, const char *expected, int status)
{
	const char *const command[] = {"/bin/sh", "-c", format("exec >$SAID; cd %s; %s", scene->dir, script), NULL};
	int status_alone, status_traced;
	char *alone = run_alone(scene, command, &status_alone);
	char *traced = run_traced(scene, false, command, &status_traced);

	assert_string_equal(traced, alone);
	assert_int_equal(status_traced, status_alone);
	assert_int_equal(status_alone, status);
	if (expected && !strstr(alone, expected))
		fail_msg("\"%s\" is not in:\n%s", expected, alone);
	free(alone);
	free(traced);
}

static void test_command_names_of_its_files_are_the_same(void **state)
{
	assert_same(*state,
		    "sed 's/.* //' /proc/self/maps | grep / | uniq; readlink /proc/self/exe; pwd; cd /; pwd;"
		    "libc=$(grep -m1 -o '/[^ ]*libc.so.6' /proc/self/maps); stat -c '%n %s %a %U %G %y' $libc;"
		    "sha256sum $libc",
		    "libc.so.6", 0);
}

static void test_command_descriptors_and_limits_are_the_same(void **state)
{
	assert_same(*state,
		    "grep -v core /proc/self/limits; umask; grep -E '^(Cap|NoNew|Seccomp|Uid|Gid|Sig[BIC])' "
		    "/proc/self/status",
		    "CapEff", 0);
}

/* heaptap passes on what it was given and nothing of its own. */
static void test_command_no_descriptor_of_the_copies_leaks(void **state)
{
	struct scene *scene = *state;
	const char *const command[] = {"/bin/sh", "-c", "ls -l /proc/$$/fd >$SAID; exit 3", NULL};
	int status;
	char *traced = run_traced(scene, false, command, &status);

	assert_int_equal(status, 3);
	assert_null(strstr(traced, "anon_inode"));
	assert_null(strstr(traced, "/proc/"));
	assert_null(strstr(traced, "libc"));
	assert_null(strstr(traced, "-> /\n"));
	free(traced);
}

static void test_command_mounts_work(void **state)
{
	assert_same(*state,
		    "mkdir -p m; mount -t tmpfs mine m && echo text >m/file && cat m/file && stat -f -c %T m &&"
		    "mkdir m/n && mount --bind m/n m/n && umount m/n && unshare -m sh -c 'umount m; ls -A m; echo "
		    "bare' && ls m;"
		    "umount m && ls -A m; exit 4",
		    "tmpfs", 4);
}

static void test_command_mounts_stay_inside(void **state)
{
	struct scene *scene = *state;
	const char *const command[] = {"/bin/sh", "-c", "mount -t tmpfs mine ${SAID%/*} && echo left >$SAID", NULL};
	char *mounts;
	int status;

	/* Written inside what only COMMAND has mounted, all of it is gone. */
	free(run_alone(scene, (const char *const[]){"/bin/sh", "-c", "echo before >$SAID", NULL}, &status));
	mounts = run_traced(scene, false, command, &status);
	assert_int_equal(status, 0);
	assert_string_equal(mounts, "before\n");
	free(mounts);
	mounts = contents("/proc/self/mountinfo");
	assert_null(strstr(mounts, scene->dir));
	assert_null(strstr(mounts, " heaptap "));
	free(mounts);
}

/* What is mounted outside comes in, and what COMMAND mounts reaches namespaces below its own, as on most machines. */
static void test_command_mounts_are_handed_on_as_outside(void **state)
{
	static const char outside[] = "mkdir in own; mkfifo ready go; \"$@\" & read r <ready;"
				      "mount -t tmpfs outer in && echo outer >in/file; echo go >go; wait $!; s=$?;"
				      "ls own; exit $s";
	static const char inside[] = "echo ready >ready; read g <go; exec >$SAID; cat in/file; mkfifo made;"
				     "unshare -m --propagation unchanged sh -c 'read m <made; cat own/file' &"
				     "mount -t tmpfs inner own; echo inner >own/file; echo m >made; wait $!";
	struct scene *scene = *state;
	const char *const command[] = {"/bin/sh", "-c", inside, NULL};
	int status;
	char *said;

	scene->session.wrapper = (const char *const[]){"/usr/bin/unshare",
						       "-m",
						       "--propagation",
						       "shared",
						       "/bin/sh",
						       "-c",
						       format("cd %s; %s", scene->dir, outside),
						       "sh",
						       NULL};
	said = run_traced(scene, false, command, &status);
	assert_int_equal(status, 0);
	assert_string_equal(said, "outer\ninner\n");
	free(said);
}

static void test_command_as_nobody_is_the_same(void **state)
{
	struct scene *scene = *state;
	const char *program = place(scene, "target_identity", 0755, 0);

	assert_same(scene, format("su -s /bin/sh nobody -c 'id; exec %s a'", program), "Uid:\t65534", 7);
	assert_same(scene,
		    "setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs stat -c '%A %U %G %N' "
		    "/proc/self/exe",
		    "/bin/stat", 0);
}

static void test_command_in_a_chroot_is_the_same(void **state)
{
	struct scene *scene = *state;
	const char *program = place(scene, "target_identity", 0755, 0);

	assert_same(
		scene,
		format("mkdir -p root/proc && cp -p %s root/id && mount -t proc proc root/proc && chroot root /id a b;"
		       "status=$?; umount root/proc; exit $status",
		       program),
		"exe /id", 7);
}

static void test_command_in_a_namespace_of_its_own_is_the_same(void **state)
{
	assert_same(*state,
		    "mkdir -p m; unshare -Urm sh -c 'mount -t tmpfs none m && ls -A m && id -u' && ls /proc/self/exe",
		    "0\n", 0);
}

static void test_command_read_only_root_and_noexec_temporary_folder_are_no_matter(void **state)
{
	struct scene *scene = *state;
	int status;
	char *said;

	scene->session.wrapper = (const char *const[]){"/usr/bin/unshare",
						       "-m",
						       "/bin/sh",
						       "-c",
						       "mount --bind \"$0\" \"$0\" && mount -o remount,bind,noexec "
						       "\"$0\" && mount -o remount,bind,ro / && exec \"$@\"",
						       scene->dir,
						       NULL};
	scene->session.environment[1] = format("TMPDIR=%s", scene->dir);
	said = run_traced(
		scene, false,
		(const char *const[]){"/bin/sh", "-c", "grep -o 'tmpfs heaptap' /proc/self/mountinfo >$SAID", NULL},
		&status);
	assert_int_equal(status, 0);
	assert_string_equal(said, "tmpfs heaptap\n");
	free(said);
}

/* --- who pays --- */

/* Is the code of a file, as a process has it mapped, the file's, byte for byte? A probe is a changed byte. */
static bool code_is_original(pid_t pid, const char *path)
{
	FILE *maps = fopen(format("/proc/%d/maps", pid), "re");
	int memory = open(format("/proc/%d/mem", pid), O_RDONLY | O_CLOEXEC);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	char *line = NULL, *mapped, *original;
	unsigned long start, end, offset;
	size_t capacity = 0, checked = 0;
	bool same = true;

	assert_true(maps && memory >= 0 && file >= 0);
	while (getline(&line, &capacity, maps) > 0) {
		if (!strstr(line, path) || sscanf(line, "%lx-%lx r-xp %lx", &start, &end, &offset) != 3)
			continue;
		mapped = malloc(end - start);
		original = calloc(1, end - start);
		assert_int_equal(pread(memory, mapped, end - start, (off_t)start), end - start);
		assert_true(pread(file, original, end - start, (off_t)offset) > 0);
		same &= !memcmp(mapped, original, end - start);
		checked += end - start;
		free(mapped);
		free(original);
	}
	assert_true(checked > 0);
	free(line);
	fclose(maps);
	close(memory);
	close(file);
	return same;
}

/* A process beside COMMAND, of the same libc: a file of this test's alone, since others may be tracing too. */
static bool bystander_is_spared(struct scene *scene, bool shared)
{
	const char *libc = format("%s/libc.so.6", scene->dir), *path = format("LD_LIBRARY_PATH=%s", scene->dir);
	const char *const environment[] = {path, NULL};
	bool spared;

	assert_int_equal(
		system(format("cp $(ldd %s | awk '$1 == \"libc.so.6\" { print $3 }') %s", beside("target_leak"), libc)),
		0);
	target_start(&scene->target, environment, (const char *const[]){beside("target_leak"), "malloc", NULL});
	target_ready(&scene->target);
	assert_true(code_is_original(scene->target.pid, libc));
	scene->session.environment[0] = path;
	session_start(&scene->session, scene,
		      (const char *const[]){"--follow", mode_of(shared), "--", "/bin/sleep", "infinity", NULL});
	session_attached(&scene->session);
	spared = code_is_original(scene->target.pid, libc);
	assert_int_equal(system(format("pkill -KILL -P %d", scene->session.child.pid)), 0);
	assert_int_equal(session_finish(&scene->session), 128 + 9);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	return spared;
}

static void test_bystander_has_no_probe_beside_copies(void **state)
{
	assert_true(bystander_is_spared(*state, false));
}

static void test_bystander_has_probes_with_shared_mounts(void **state)
{
	assert_false(bystander_is_spared(*state, true));
	session_assert_said(&((struct scene *)*state)->session, "unfiltered probes in");
}

static void test_shared_mounts_leaves_the_namespace_alone(void **state)
{
	const char *const command[] = {"/bin/sh", "-c",
				       "cat /proc/self/mountinfo >$SAID; readlink /proc/self/ns/mnt >>$SAID", NULL};
	int status;
	char *alone = run_alone(*state, command, &status), *traced = run_traced(*state, true, command, &status);

	assert_string_equal(traced, alone);
	free(alone);
	free(traced);
}

/* Where namespaces may not be made COMMAND runs all the same, and who pays is said, and why. */
static void test_without_the_right_to_mount_the_real_files_are_used(void **state)
{
	struct scene *scene = *state;

	scene->session.wrapper = (const char *const[]){"/usr/bin/setpriv", "--bounding-set=-sys_admin", "--", NULL};
	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"--follow", "-R", "1", "--", "/bin/sh", "-c", "exit 11", NULL}),
		11);
	session_assert_said(&scene->session, "unfiltered probes in");
	session_assert_said(&scene->session, "CAP_SYS_ADMIN");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_command_names_of_its_files_are_the_same),
		TEST(test_command_descriptors_and_limits_are_the_same),
		TEST(test_command_no_descriptor_of_the_copies_leaks),
		TEST(test_command_mounts_work),
		TEST(test_command_mounts_stay_inside),
		TEST(test_command_mounts_are_handed_on_as_outside),
		TEST(test_command_as_nobody_is_the_same),
		TEST(test_command_in_a_chroot_is_the_same),
		TEST(test_command_in_a_namespace_of_its_own_is_the_same),
		TEST(test_command_read_only_root_and_noexec_temporary_folder_are_no_matter),
		TEST(test_bystander_has_no_probe_beside_copies),
		TEST(test_bystander_has_probes_with_shared_mounts),
		TEST(test_shared_mounts_leaves_the_namespace_alone),
		TEST(test_without_the_right_to_mount_the_real_files_are_used),
	};

	(void)argc;
	root_own(argv);
	return cmocka_run_group_tests_name("stand_in", tests, NULL, NULL);
}
