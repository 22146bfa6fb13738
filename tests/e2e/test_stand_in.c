/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COMMAND with its children, in a mount namespace of its own with copies of its allocator files: it does, says and ends
 * with what it does without heaptap, profiles have the originals' names, and whoever else maps the file has no probe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../user/stand_in.h"
#include "root.h"
#include "session.h"

#define NOBODY 65534

static char *contents(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file || getdelim(&text, &size, '\0', file) < 0)
		fail_msg("%s cannot be read, or is empty", path);
	fclose(file);
	return text;
}

/* A copy of a program beside the test, below the scene's directory, which anybody may enter. */
static const char *place(struct scene *scene, const char *name, mode_t mode, uid_t owner)
{
	const char *path = format("%s/%s", scene->dir, name);

	assert_int_equal(chmod(scene->dir, 0755), 0);
	assert_int_equal(system(format("cp %s %s", beside(name), path)), 0);
	assert_int_equal(chown(path, owner, owner), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

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

/* A shell script that writes what it finds out to $SAID: the same in both, and `expected` (NULL: whatever) is in it. */
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

/* --- the executable itself
 * ------------------------------------------------------------------------------------------ */

/* As COMMAND itself, alone and recorded; it inherits where its words go. */
static void run_identity(struct scene *scene, const char *program, bool traced, char **ret_words)
{
	const char *said = format("%s/said", scene->dir), *output = format("%s/out", scene->dir);
	const char *const argv[] = {heaptap_path(), "record", "--follow", "-R", "1", "-o",
				    output,	    "--",     program,	  "x",	NULL};
	int out = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	scene->target.pid = child_start(&(struct child_launch){traced ? argv : argv + 8, NULL, -1, out, -1, 0});
	close(out);
	assert_true(child_reap(&scene->target));
	assert_int_equal(child_exit_status(scene->target.status), 7);
	*ret_words = contents(said);
}

static void assert_identity(struct scene *scene, mode_t mode, uid_t owner, const char *expected)
{
	const char *program = place(scene, "target_identity", mode, owner);
	const cJSON *process;
	char *words[2];
	cJSON *index;

	for (int i = 0; i < 2; i++)
		run_identity(scene, program, i, &words[i]);
	assert_string_equal(words[1], words[0]);
	if (!strstr(words[0], expected))
		fail_msg("\"%s\" is not in:\n%s", expected, words[0]);
	free(words[0]);
	free(words[1]);
	index = json_read(format("%s/out/index.json", scene->dir));
	process = index_process(index, "target_identity");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(process, "exe")), program);
	assert_true(index_number(process, "inuse_space") >= 20000);
	cJSON_Delete(index);
}

static void test_static_command_is_the_same(void **state)
{
	assert_identity(*state, 0755, 0, "Uid:\t0\t0\t0\t0");
}

static void test_setuid_command_is_the_same(void **state)
{
	assert_identity(*state, 06755, NOBODY, "Uid:\t0\t65534\t65534\t65534");
}

static void set_file_capability(const char *path, int capability)
{
	struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
				    .data[0].permitted = 1u << capability};

	assert_int_equal(setxattr(path, "security.capability", &data, sizeof(data), 0), 0);
}

/* By an access list, as acl(5) has it. */
static void let_nobody_in(const char *path)
{
	struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[5];
	} list = {2, {{1, 7, ~0u}, {2, 5, NOBODY}, {4, 0, ~0u}, {16, 5, ~0u}, {32, 0, ~0u}}};

	assert_int_equal(setxattr(path, "system.posix_acl_access", &list, sizeof(list), 0), 0);
}

/* Through the copy, as nobody: the words of the program. */
static char *run_copy(const struct stand_in_set *set, const char *path, const char *said)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		int out = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		if (stand_in_enter(set) || dup2(out, STDOUT_FILENO) < 0 || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(99);
		execl(path, path, (char *)NULL);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(child_exit_status(status), 7);
	return contents(said);
}

static struct stand_in_set *copy_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stand_in_set *set;

	assert_int_equal(stand_in_new(&set), 0);
	assert_int_equal(stand_in_add(set, fd), 0);
	close(fd);
	return set;
}

static void test_copy_keeps_capabilities_and_access_lists(void **state)
{
	struct scene *scene = *state;
	const char *path = strdup(place(scene, "target_identity", 0750, 0));
	struct stand_in_set *set;
	char *words;

	let_nobody_in(path);
	set_file_capability(path, CAP_NET_BIND_SERVICE);
	set = copy_of(path);
	words = run_copy(set, path, format("%s/said", scene->dir));
	if (!strstr(words, "CapEff:\t0000000000000400"))
		fail_msg("no capability: %s", words);
	free(words);
	stand_in_free(set);
	free((char *)path);
}

static void test_copy_cannot_be_written_and_obeys_its_mounts_flags(void **state)
{
	struct scene *scene = *state;
	const char *path = strdup(place(scene, "target_identity", 0777, 0));
	struct stand_in_set *set = copy_of(path);
	int status;
	pid_t pid;

	set->files[0].mount_flags |= MOUNT_ATTR_NOSUID;
	pid = fork();
	if (!pid) {
		if (stand_in_enter(set))
			_exit(1);
		if (open(path, O_WRONLY) >= 0 || errno != EROFS)
			_exit(2);
		if (unlink(path) == 0 || errno != EBUSY)
			_exit(3);
		if (system("grep -q 'target_identity ro,nosuid.* tmpfs heaptap ' /proc/self/mountinfo"))
			_exit(4);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(access(path, W_OK), 0);
	stand_in_free(set);
	free((char *)path);
}

/* The copy is of what the name meant then. */
static void test_original_replaced_meanwhile_is_noticed(void **state)
{
	struct scene *scene = *state;
	const char *path = strdup(place(scene, "target_identity", 0755, 0));
	struct stand_in_set *set = copy_of(path);
	int status;
	pid_t pid;

	assert_int_equal(system(format("cp %s %s.new && mv %s.new %s", path, path, path, path)), 0);
	pid = fork();
	if (!pid)
		_exit(stand_in_enter(set) == -ESTALE ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	stand_in_free(set);
	free((char *)path);
}

/* --- who pays
 * -------------------------------------------------------------------------------------------------------- */

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
		TEST(test_static_command_is_the_same),
		TEST(test_setuid_command_is_the_same),
		TEST(test_copy_keeps_capabilities_and_access_lists),
		TEST(test_copy_cannot_be_written_and_obeys_its_mounts_flags),
		TEST(test_original_replaced_meanwhile_is_noticed),
		TEST(test_bystander_has_no_probe_beside_copies),
		TEST(test_bystander_has_probes_with_shared_mounts),
		TEST(test_shared_mounts_leaves_the_namespace_alone),
		TEST(test_without_the_right_to_mount_the_real_files_are_used),
	};

	(void)argc;
	root_own(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
