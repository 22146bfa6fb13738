/* SPDX-License-Identifier: GPL-2.0-or-later */
/* container.c with container_list.c and container_runtimes.c behind it: files of other users, broken files, strange words. */
#include "container_host.h"

#include "system/container_runtimes.h"

#define STRANGER 54321U /* nobody's number here */

/* Files and groups that a test makes are its own user's: that is Bob. Eve owns nothing. */
static void users(void)
{
	host_file("etc/passwd",
		  "bob:x:%u:1000:Bob:/home/bob:/bin/sh\nghost:x:1001:1001:::\n"
		  "eve:x:%u:1002::/home/eve:/bin/sh\n",
		  getuid(), STRANGER);
}

#define BOBS "home/bob/.local/share/containers/storage/overlay-containers/containers.json"
#define EVES "home/eve/.local/share/containers/storage/overlay-containers/containers.json"

static void test_container_find_rootless_says_whose(void **state)
{
	char run[96];

	(void)state;
	users();
	podman(BOBS, HOST_ID_A, "web");
	snprintf(run, sizeof(run), "run/user/%u/containers/vfs-containers/volatile-containers.json", getuid());
	podman(run, HOST_ID_C, "db");
	host_file("home/bob/.local/share/docker/containers/x/config.v2.json", "{\"ID\":\"%s\",\"Name\":\"/cache\"}",
		  HOST_ID_B);
	runs("/user.slice/user-1000.slice/libpod-" HOST_ID_A ".scope");
	runs("/user.slice/user-1000.slice/docker-" HOST_ID_B ".scope");
	assert_finds("web", HOST_ID_A, "web", "podman of user bob",
		     "/user.slice/user-1000.slice/libpod-" HOST_ID_A ".scope");
	assert_finds("cache", HOST_ID_B, "cache", "docker of user bob",
		     "/user.slice/user-1000.slice/docker-" HOST_ID_B ".scope");
	assert_says("db", -ENODATA, "(podman of user bob) is not running");
}

/* A user's file may say what it likes of his own containers alone. */
static void test_container_find_users_do_not_rename_the_machines_containers(void **state)
{
	(void)state;
	users();
	docker(HOST_ID_A, "web");
	runs("/docker/" HOST_ID_A);
	podman(BOBS, HOST_ID_A, "db");
	assert_finds("web", HOST_ID_A, "web", "docker", "/docker/" HOST_ID_A);
	assert_says("db", -ENOENT, "there is no container");
	host_file("home/bob/.local/share/docker/containers/x/config.v2.json",
		  "{\"ID\":\"i\",\"Name\":\"/sly\",\"State\":{\"Pid\":70}}");
	host_process(70, "0::/init.scope\n");
	runs("/init.scope");
	assert_says("sly", -ENODATA, "not running");
}

/* Eve's file names a container that no other file knows, and that is not hers: --container must not lead to it. */
static void test_container_find_names_of_the_owner_alone_count(void **state)
{
	struct container_names *names = container_names_new(&host);
	const char *group = "/machine.slice/libpod-" HOST_ID_A ".scope";

	(void)state;
	users();
	podman(EVES, HOST_ID_A, "web");
	runs(group);
	assert_says("web", -EKEYREJECTED, "so called by user 'eve' alone, and belongs to someone else");
	assert_finds(HOST_ID_A, HOST_ID_A, NULL, "podman", group);
	assert_finds("aaaa", HOST_ID_A, NULL, "podman", group);
	assert_null(container_names_find(names, HOST_ID_A, group));
	/* Somebody else's container may be called so. */
	podman(BOBS, HOST_ID_C, "web");
	runs("/user.slice/libpod-" HOST_ID_C ".scope");
	assert_finds("web", HOST_ID_C, "web", "podman of user bob", "/user.slice/libpod-" HOST_ID_C ".scope");
	assert_null(container_names_find(names, HOST_ID_C, NULL));
	assert_string_equal(container_names_find(names, HOST_ID_C, "/user.slice/libpod-" HOST_ID_C ".scope/container"),
			    "web");
	container_names_free(names);
}

static void test_container_find_unreadable_users_are_named(void **state)
{
	(void)state;
	users();
	podman(BOBS, HOST_ID_A, "web");
	docker(HOST_ID_C, "other");
	runs("/docker/" HOST_ID_C);
	assert_int_equal(chmod("home/bob", 0), 0);
	host_read_all(false);
	assert_says("web", -EACCES, "those of user 'bob' may not be read");
	assert_finds("other", HOST_ID_C, "other", "docker", "/docker/" HOST_ID_C);
	host_read_all(true);
	podman(EVES, HOST_ID_B, "db");
	assert_int_equal(chmod("home/eve", 0), 0);
	host_read_all(false);
	assert_says("web", -EACCES, "those of user 'bob' and 1 more may not be read");
	host_read_all(true);
	assert_int_equal(chmod("home/bob", 0755), 0);
	assert_int_equal(chmod("home/eve", 0755), 0);
}

/* --- hostile files --- */

static void test_container_find_broken_files_hide_no_other(void **state)
{
	(void)state;
	users();
	host_file(PODMAN, "[{\"id\":");
	host_file("var/lib/containers/storage/vfs-containers/containers.json", "{\"id\":\"x\",\"names\":7}");
	host_file("var/lib/containers/storage/btrfs-containers/containers.json",
		  "[7,null,{},{\"id\":7},{\"id\":\"" HOST_ID_B "\",\"names\":{}},[[]]]");
	host_file("var/lib/docker/containers/a/config.v2.json", "[]");
	host_file("var/lib/docker/containers/b/config.v2.json", "{\"ID\":{},\"Name\":[],\"State\":7}");
	host_file("var/lib/docker/containers/c/config.v2.json", "%s", "");
	host_file("var/lib/docker/containers/file", "%s", "");
	host_file(TASKS "default/redis/config.json", "{\"annotations\":[1],\"linux\":\"x\"}");
	host_file(TASKS "default/redis/init.pid", "-7");
	host_parents(BOBS "/");
	docker(HOST_ID_A, "web");
	runs("/docker/" HOST_ID_A);
	assert_finds("web", HOST_ID_A, "web", "docker", "/docker/" HOST_ID_A);
	assert_says(HOST_ID_B, -ENODATA, "(podman) is not running");
	assert_says("redis", -ENODATA, "(containerd) is not running");
}

static void test_container_find_takes_regular_files_of_some_size_only(void **state)
{
	(void)state;
	podman("elsewhere", HOST_ID_A, "web");
	host_parents(PODMAN);
	assert_int_equal(symlink("../../../../../elsewhere", PODMAN), 0);
	assert_int_equal(access(PODMAN, R_OK), 0);
	assert_says("web", -ENOENT, "there is no container");
	assert_int_equal(remove(PODMAN), 0);
	assert_int_equal(mkfifo(PODMAN, 0600), 0);
	assert_says("web", -ENOENT, "there is no container");
	assert_int_equal(remove(PODMAN), 0);
	podman(PODMAN, HOST_ID_A, "web");
	assert_says("web", -ENODATA, "not running");
	/* Zeros behind its end would not disturb. */
	assert_int_equal(truncate(PODMAN, STATE_FILE_BYTES_MAX + 1), 0);
	assert_says("web", -ENOENT, "there is no container");
}

static void test_container_find_strange_words_are_not_taken(void **state)
{
	(void)state;
	host_file(PODMAN,
		  "[{\"id\":\"" HOST_ID_A "\",\"names\":[\"\\u001b[31mred\"]},{\"id\":\"../x\",\"names\":[\"up\"]},"
		  "{\"id\":\"\",\"names\":[\"none\"]}]");
	runs("/libpod_parent/libpod-" HOST_ID_A);
	assert_finds("aaaa", HOST_ID_A, NULL, "podman", "/libpod_parent/libpod-" HOST_ID_A);
	assert_says("up", -ENOENT, "there is no container");
	assert_says("none", -ENOENT, "there is no container");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_container_find_rootless_says_whose),
		TEST(test_container_find_users_do_not_rename_the_machines_containers),
		TEST(test_container_find_names_of_the_owner_alone_count),
		TEST(test_container_find_unreadable_users_are_named),
		TEST(test_container_find_broken_files_hide_no_other),
		TEST(test_container_find_takes_regular_files_of_some_size_only),
		TEST(test_container_find_strange_words_are_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
