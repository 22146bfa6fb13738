/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The copies that COMMAND runs on, of itself where it holds its own allocator: they have the originals' owners, modes,
 * capabilities and access lists, cannot be written, and are not taken for a file that came in their place.
 */
#include "e2e/kit/placed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "system/file_copies.h"
#include "e2e/kit/root.h"

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
static char *run_copy(const struct file_copies *set, const char *path, const char *said)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		int out = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		if (file_copies_enter(set) || dup2(out, STDOUT_FILENO) < 0 || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(99);
		execl(path, path, (char *)NULL);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(child_exit_status(status), 7);
	return contents(said);
}

static struct file_copies *copy_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file_copies *set;

	assert_int_equal(file_copies_new(&set), 0);
	assert_int_equal(file_copies_add(set, fd, NULL), 0);
	close(fd);
	return set;
}

static void test_copy_keeps_capabilities_and_access_lists(void **state)
{
	struct scene *scene = *state;
	const char *path = strdup(place(scene, "target_identity", 0750, 0));
	struct file_copies *set;
	char *words;

	let_nobody_in(path);
	set_file_capability(path, CAP_NET_BIND_SERVICE);
	set = copy_of(path);
	words = run_copy(set, path, format("%s/said", scene->dir));
	if (!strstr(words, "CapEff:\t0000000000000400"))
		fail_msg("no capability: %s", words);
	free(words);
	file_copies_free(set);
	free((char *)path);
}

/* The kernel would find that the bytes are not those that were signed. */
static void test_signed_file_is_not_changed(void **state)
{
	const uint8_t digest[21] = {1};
	const struct file_change change = {.size = 1 << 20};
	const char *path = place(*state, "target_identity", 0755, 0);
	struct file_copies *set;
	int fd;

	assert_int_equal(setxattr(path, "security.ima", digest, sizeof(digest), 0), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_copies_new(&set), 0);
	assert_int_equal(file_copies_add(set, fd, &change), -EOPNOTSUPP);
	file_copies_free(set);
	assert_int_equal(file_copies_new(&set), 0);
	assert_int_equal(file_copies_add(set, fd, NULL), 0);
	file_copies_free(set);
	close(fd);
}

static void test_copy_cannot_be_written_and_obeys_its_mounts_flags(void **state)
{
	struct scene *scene = *state;
	const char *path = strdup(place(scene, "target_identity", 0777, 0));
	struct file_copies *set = copy_of(path);
	int status;
	pid_t pid;

	set->files[0].mount_flags |= MOUNT_ATTR_NOSUID;
	pid = fork();
	if (!pid) {
		if (file_copies_enter(set))
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
	file_copies_free(set);
	free((char *)path);
}

/* The copy is of what the name meant then. */
static void test_original_replaced_meanwhile_is_noticed(void **state)
{
	struct scene *scene = *state;
	const char *path = strdup(place(scene, "target_identity", 0755, 0));
	struct file_copies *set = copy_of(path);
	int status;
	pid_t pid;

	assert_int_equal(system(format("cp %s %s.new && mv %s.new %s", path, path, path, path)), 0);
	pid = fork();
	if (!pid)
		_exit(file_copies_enter(set) == -ESTALE ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	file_copies_free(set);
	free((char *)path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_static_command_is_the_same),
		TEST(test_setuid_command_is_the_same),
		TEST(test_copy_keeps_capabilities_and_access_lists),
		TEST(test_signed_file_is_not_changed),
		TEST(test_copy_cannot_be_written_and_obeys_its_mounts_flags),
		TEST(test_original_replaced_meanwhile_is_noticed),
	};

	(void)argc;
	root_own(argv);
	return cmocka_run_group_tests_name("stand_in_copy", tests, NULL, NULL);
}
