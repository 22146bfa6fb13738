/* SPDX-License-Identifier: GPL-2.0-or-later */
/* container.c with roster.c, runtime.c and statefile.c behind it, on a machine made of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "host.h"

#include "../../user/container.h"
#include "../../user/statefile.h"

#define V2     "sys/fs/cgroup"
#define PODMAN "var/lib/containers/storage/overlay-containers/containers.json"
#define TASKS  "run/containerd/io.containerd.runtime.v2.task/"

static int setup(void **state)
{
	if (host_setup(state) || host_open(HOST_V2))
		return -1;
	host_group(V2, "1\n");
	return 0;
}

static void docker(const char *id, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "var/lib/docker/containers/%s/config.v2.json", id);
	host_file(path, "{\"ID\":\"%s\",\"Name\":\"/%s\",\"State\":{\"Running\":true,\"Pid\":70}}", id, name);
}

/* One container of podman's, in a file of its own. */
static void podman(const char *path, const char *id, const char *name)
{
	host_file(path, "[{\"id\":\"%s\",\"names\":[\"%s\"],\"layer\":\"x\"}]", id, name);
}

static void runs(const char *group)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), V2 "%s", group);
	host_group(path, "70\n");
}

static void assert_finds(const char *wanted, const char *id, const char *name, const char *runtime, const char *group)
{
	struct container container;
	char *why = NULL;
	int err = container_find(&host, wanted, &container, &why);

	if (err)
		fail_msg("%s: %d: %s", wanted, err, why ? why : "");
	assert_null(why);
	assert_string_equal(container.id, id);
	if (name)
		assert_string_equal(container.name, name);
	else
		assert_null(container.name);
	assert_string_equal(container.runtime, runtime);
	assert_string_equal(container.cgroup, group);
	container_release(&container);
}

/* Returns the sentence until the next call. */
static const char *assert_refuses(const char *wanted, int err)
{
	static char sentence[1024];
	struct container container;
	char *why = NULL;

	assert_int_equal(container_find(&host, wanted, &container, &why), err);
	assert_non_null(why);
	snprintf(sentence, sizeof(sentence), "%s", why);
	free(why);
	return sentence;
}

static void assert_says(const char *wanted, int err, const char *words)
{
	const char *sentence = assert_refuses(wanted, err);

	if (!strstr(sentence, words))
		fail_msg("'%s' is not in: %s", words, sentence);
}

/* --- runtimes -------------------------------------------------------------------------------------------------------
 */
static void test_container_find_docker_by_name_id_and_beginning(void **state)
{
	(void)state;
	docker(HOST_ID_A, "web");
	runs("/system.slice/docker-" HOST_ID_A ".scope");
	assert_finds("web", HOST_ID_A, "web", "docker", "/system.slice/docker-" HOST_ID_A ".scope");
	assert_finds(HOST_ID_A, HOST_ID_A, "web", "docker", "/system.slice/docker-" HOST_ID_A ".scope");
	assert_finds("aaaabbbbcccc", HOST_ID_A, "web", "docker", "/system.slice/docker-" HOST_ID_A ".scope");
	assert_finds("a", HOST_ID_A, "web", "docker", "/system.slice/docker-" HOST_ID_A ".scope");
	assert_says("we", -ENOENT, "there is no container 'we'");
	assert_says("AAAA", -ENOENT, "there is no container");
}

static void test_container_find_podman_in_every_place_of_its_store(void **state)
{
	static const char *const places[] = {
		PODMAN,
		"var/lib/containers/storage/overlay-containers/volatile-containers.json",
		"var/lib/containers/storage/vfs-containers/containers.json",
		"run/containers/storage/overlay-containers/containers.json",
		"run/containers/storage/overlay-containers/volatile-containers.json",
	};

	(void)state;
	runs("/machine.slice/libpod-" HOST_ID_A ".scope/container");
	for (unsigned int i = 0; i < sizeof(places) / sizeof(*places); i++) {
		podman(places[i], HOST_ID_A, "web");
		assert_finds("web", HOST_ID_A, "web", "podman", "/machine.slice/libpod-" HOST_ID_A ".scope");
		assert_int_equal(remove(places[i]), 0);
	}
}

static void test_container_find_podmans_monitor_is_not_the_container(void **state)
{
	(void)state;
	podman(PODMAN, HOST_ID_A, "web");
	runs("/machine.slice/libpod-conmon-" HOST_ID_A ".scope");
	assert_says("web", -ENODATA, "not running");
	runs("/machine.slice/libpod-" HOST_ID_A ".scope");
	assert_finds("web", HOST_ID_A, "web", "podman", "/machine.slice/libpod-" HOST_ID_A ".scope");
}

static void test_container_find_containerd_by_what_its_annotations_say(void **state)
{
	(void)state;
	host_file(
		TASKS "default/" HOST_ID_A "/config.json",
		"{\"annotations\":{\"nerdctl/name\":\"web\"},\"linux\":{\"cgroupsPath\":\"system.slice:nerdctl:x\"}}");
	runs("/system.slice/nerdctl-" HOST_ID_A ".scope");
	assert_finds("web", HOST_ID_A, "web", "containerd", "/system.slice/nerdctl-" HOST_ID_A ".scope");
}

/* An id that its user chose: the state says where it runs, or its first process does. */
static void test_container_find_containerd_with_an_id_of_its_own(void **state)
{
	(void)state;
	host_file(TASKS "default/redis/config.json", "{\"linux\":{\"cgroupsPath\":\"/default/redis\"}}");
	runs("/default/redis");
	assert_finds("redis", "redis", NULL, "containerd", "/default/redis");
	host_file(TASKS "default/redis/config.json", "{\"linux\":{\"cgroupsPath\":\"x.slice:ctr:redis\"}}");
	host_file(TASKS "default/redis/init.pid", "70");
	host_process(70, "0::/x.slice/ctr-redis.scope/init\n");
	assert_finds("redis", "redis", NULL, "containerd", "/x.slice/ctr-redis.scope");
}

static void test_container_find_kubernetes_by_container_and_pod(void **state)
{
	(void)state;
	host_file(TASKS "k8s.io/" HOST_ID_A "/config.json",
		  "{\"annotations\":{\"io.kubernetes.cri.sandbox-name\":\"shop-1\","
		  "\"io.kubernetes.cri.container-name\":\"web\"}}");
	host_file("var/log/containers/shop-2_default_web-" HOST_ID_B ".log", "%s", "");
	runs("/kubepods.slice/pod1.slice/cri-containerd-" HOST_ID_A ".scope");
	assert_finds("web", HOST_ID_A, "shop-1/web", "containerd",
		     "/kubepods.slice/pod1.slice/cri-containerd-" HOST_ID_A ".scope");
	runs("/kubepods/pod2/" HOST_ID_B);
	assert_finds("shop-2/web", HOST_ID_B, "shop-2/web", "kubernetes", "/kubepods/pod2/" HOST_ID_B);
	assert_says("web", -ENOTUNIQ, "aaaabbbbcccc 'shop-1/web' (containerd)");
	assert_says("web", -ENOTUNIQ, "aaaabbbbcccc 'shop-2/web' (kubernetes)");
	assert_says("shop-3/web", -ENOENT, "there is no container");
	assert_says("shop-1/we", -ENOENT, "there is no container");
}

static void test_container_find_log_links_of_other_forms_say_nothing(void **state)
{
	(void)state;
	host_file("var/log/containers/web-" HOST_ID_A ".log", "%s", "");
	host_file("var/log/containers/a_b-" HOST_ID_A ".log", "%s", "");
	host_file("var/log/containers/a_b_web-12.log", "%s", "");
	host_file("var/log/containers/plain", "%s", "");
	assert_says("web", -ENOENT, "there is no container");
}

/* Docker's containers run in containerd: one container, and docker's name. */
static void test_container_find_docker_below_containerd_is_one(void **state)
{
	(void)state;
	docker(HOST_ID_A, "web");
	host_file(TASKS "moby/" HOST_ID_A "/init.pid", "70");
	runs("/docker/" HOST_ID_A);
	assert_finds("aaaa", HOST_ID_A, "web", "docker", "/docker/" HOST_ID_A);
}

static void test_container_find_that_no_file_knows_by_its_group(void **state)
{
	(void)state;
	runs("/machine.slice/crio-" HOST_ID_A ".scope");
	assert_finds("aaaa", HOST_ID_A, NULL, "cri-o", "/machine.slice/crio-" HOST_ID_A ".scope");
}

/* --- choosing -------------------------------------------------------------------------------------------------------
 */
static void test_container_find_ambiguous_beginning_lists_the_candidates(void **state)
{
	const char *sentence;

	(void)state;
	docker(HOST_ID_A, "web");
	podman(PODMAN, HOST_ID_B, "db");
	runs("/docker/" HOST_ID_A);
	sentence = assert_refuses("aaaa", -ENOTUNIQ);
	assert_non_null(strstr(sentence, "aaaabbbbcccc 'web' (docker)"));
	assert_non_null(strstr(sentence, "aaaabbbbcccc 'db' (podman)"));
	assert_finds("aaaabbbbccccd", HOST_ID_A, "web", "docker", "/docker/" HOST_ID_A);
}

static void test_container_find_one_name_in_two_runtimes_is_ambiguous(void **state)
{
	(void)state;
	docker(HOST_ID_A, "web");
	podman(PODMAN, HOST_ID_C, "web");
	assert_says("web", -ENOTUNIQ, "0123456789ab 'web' (podman)");
	runs("/docker/" HOST_ID_A);
	assert_finds("web", HOST_ID_A, "web", "docker", "/docker/" HOST_ID_A);
	runs("/libpod_parent/libpod-" HOST_ID_C);
	assert_says("web", -ENOTUNIQ, "aaaabbbbcccc 'web' (docker)");
}

static void test_container_find_long_lists_are_cut(void **state)
{
	char id[CONTAINER_ID_SIZE];

	(void)state;
	for (int i = 0; i < 11; i++) {
		snprintf(id, sizeof(id), "ffff%060d", i);
		docker(id, "x");
	}
	assert_says("ffff", -ENOTUNIQ, " and 3 more; give more of its id");
}

static void test_container_find_a_name_comes_before_the_beginning_of_an_id(void **state)
{
	(void)state;
	docker(HOST_ID_A, "web");
	docker(HOST_ID_C, "aaaa");
	runs("/docker/" HOST_ID_A);
	runs("/docker/" HOST_ID_C);
	assert_finds("aaaa", HOST_ID_C, "aaaa", "docker", "/docker/" HOST_ID_C);
}

static void test_container_find_not_running_is_told_apart(void **state)
{
	(void)state;
	podman(PODMAN, HOST_ID_A, "web");
	assert_says("web", -ENODATA, "container 'web' (podman) is not running");
	host_group(V2 "/libpod_parent/libpod-" HOST_ID_A, "");
	assert_says("web", -ENODATA, "container 'web' (podman) is not running");
}

static void test_container_find_without_a_group_of_its_own_is_not_supported(void **state)
{
	(void)state;
	docker(HOST_ID_A, "web");
	host_process(70, "4:memory:/docker/" HOST_ID_A "\n0::/\n");
	assert_says("web", -ENOTSUP, "no version 2 cgroup of its own");
}

static void test_container_find_refuses_what_is_no_name(void **state)
{
	(void)state;
	assert_says("", -EINVAL, "letters, digits");
	assert_says("a b", -EINVAL, "letters, digits");
	assert_says("\033[31m", -EINVAL, "letters, digits");
}

/* --- other users ----------------------------------------------------------------------------------------------------
 */
#define PASSWD	 "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000:Bob:/home/bob:/bin/sh\nghost:x:1001:1001:::\n"
#define BOBS	 "home/bob/.local/share/containers/storage/overlay-containers/containers.json"
#define BOBS_RUN "run/user/1000/containers/vfs-containers/volatile-containers.json"

static void test_container_find_rootless_says_whose(void **state)
{
	(void)state;
	host_file("etc/passwd", PASSWD);
	podman(BOBS, HOST_ID_A, "web");
	podman(BOBS_RUN, HOST_ID_C, "db");
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
	host_file("etc/passwd", PASSWD);
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

static void test_container_find_unreadable_users_are_named(void **state)
{
	(void)state;
	host_file("etc/passwd", PASSWD);
	podman(BOBS, HOST_ID_A, "web");
	docker(HOST_ID_C, "other");
	runs("/docker/" HOST_ID_C);
	assert_int_equal(chmod("home/bob", 0), 0);
	host_read_all(false);
	assert_says("web", -EACCES, "those of user 'bob' may not be read");
	assert_finds("other", HOST_ID_C, "other", "docker", "/docker/" HOST_ID_C);
	host_read_all(true);
	host_file("etc/passwd", PASSWD "eve:x:1002:1002::/home/eve:/bin/sh\n");
	podman("home/eve/.local/share/containers/storage/overlay-containers/containers.json", HOST_ID_B, "db");
	assert_int_equal(chmod("home/eve", 0), 0);
	host_read_all(false);
	assert_says("web", -EACCES, "those of user 'bob' and 1 more may not be read");
	host_read_all(true);
	assert_int_equal(chmod("home/bob", 0755), 0);
	assert_int_equal(chmod("home/eve", 0755), 0);
}

/* --- hostile files --------------------------------------------------------------------------------------------------
 */
static void test_container_find_broken_files_hide_no_other(void **state)
{
	(void)state;
	host_file("etc/passwd", PASSWD);
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
	assert_int_equal(truncate(PODMAN, STATEFILE_BYTES_MAX + 1), 0);
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

/* --- names ----------------------------------------------------------------------------------------------------------
 */
static void test_container_names_are_found_and_kept(void **state)
{
	struct container_names *names = container_names_new(&host);
	const char *web;

	(void)state;
	docker(HOST_ID_A, "web");
	web = container_names_find(names, HOST_ID_A);
	assert_string_equal(web, "web");
	assert_null(container_names_find(names, HOST_ID_B));
	/* One that is started later is learnt when it is asked for; what was told stays. */
	podman(PODMAN, HOST_ID_C, "db");
	assert_string_equal(container_names_find(names, HOST_ID_C), "db");
	assert_ptr_equal(container_names_find(names, HOST_ID_A), web);
	container_names_free(names);
	container_names_free(NULL);
}

/* The files are not read again for each process of a container that they do not know. */
static void test_container_names_of_the_unknown_are_looked_for_once(void **state)
{
	struct container_names *names = container_names_new(&host);

	(void)state;
	assert_null(container_names_find(names, HOST_ID_A));
	docker(HOST_ID_A, "web");
	assert_null(container_names_find(names, HOST_ID_A));
	assert_null(container_names_find(names, "../strange"));
	container_names_free(names);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_container_find_docker_by_name_id_and_beginning),
		TEST(test_container_find_podman_in_every_place_of_its_store),
		TEST(test_container_find_podmans_monitor_is_not_the_container),
		TEST(test_container_find_containerd_by_what_its_annotations_say),
		TEST(test_container_find_containerd_with_an_id_of_its_own),
		TEST(test_container_find_kubernetes_by_container_and_pod),
		TEST(test_container_find_log_links_of_other_forms_say_nothing),
		TEST(test_container_find_docker_below_containerd_is_one),
		TEST(test_container_find_that_no_file_knows_by_its_group),
		TEST(test_container_find_ambiguous_beginning_lists_the_candidates),
		TEST(test_container_find_one_name_in_two_runtimes_is_ambiguous),
		TEST(test_container_find_long_lists_are_cut),
		TEST(test_container_find_a_name_comes_before_the_beginning_of_an_id),
		TEST(test_container_find_not_running_is_told_apart),
		TEST(test_container_find_without_a_group_of_its_own_is_not_supported),
		TEST(test_container_find_refuses_what_is_no_name),
		TEST(test_container_find_rootless_says_whose),
		TEST(test_container_find_users_do_not_rename_the_machines_containers),
		TEST(test_container_find_unreadable_users_are_named),
		TEST(test_container_find_broken_files_hide_no_other),
		TEST(test_container_find_takes_regular_files_of_some_size_only),
		TEST(test_container_find_strange_words_are_not_taken),
		TEST(test_container_names_are_found_and_kept),
		TEST(test_container_names_of_the_unknown_are_looked_for_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
