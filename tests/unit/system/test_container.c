/* SPDX-License-Identifier: GPL-2.0-or-later */
/* container.c with container_list.c and container_runtimes.c, on a machine made of files: which container a name or id finds. */
#include <sys/resource.h>

#include "container_host.h"

/* --- runtimes --- */

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
	assert_says("redis", -ESTALE, "its cgroup is gone");
	runs("/x.slice/ctr-redis.scope");
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

/* --- choosing --- */

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

/* --- names --- */

static void test_container_names_are_found_and_kept(void **state)
{
	struct container_names *names = container_names_new(&host);
	const char *web;

	(void)state;
	docker(HOST_ID_A, "web");
	web = container_names_find(names, HOST_ID_A, NULL);
	assert_string_equal(web, "web");
	assert_null(container_names_find(names, HOST_ID_B, NULL));
	/* A container that is started later is found when it is looked up; earlier answers stay. */
	podman(PODMAN, HOST_ID_C, "db");
	assert_string_equal(container_names_find(names, HOST_ID_C, NULL), "db");
	assert_ptr_equal(container_names_find(names, HOST_ID_A, NULL), web);
	container_names_free(names);
	container_names_free(NULL);
}

/* The files are not read again for each process of a container that they do not know. */
static void test_container_names_of_the_unknown_are_looked_for_once(void **state)
{
	struct container_names *names = container_names_new(&host);

	(void)state;
	assert_null(container_names_find(names, HOST_ID_A, NULL));
	docker(HOST_ID_A, "web");
	assert_null(container_names_find(names, HOST_ID_A, NULL));
	assert_null(container_names_find(names, "../strange", NULL));
	container_names_free(names);
}

/* What no descriptor is left to look for is not said to be no container. */
static void test_container_find_without_descriptors_is_no_answer(void **state)
{
	struct rlimit before, none;
	struct container container;
	struct cgroup found;
	char *why = NULL;
	int err;

	(void)state;
	docker(HOST_ID_A, "web");
	runs("/system.slice/docker-" HOST_ID_A ".scope");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err = container_find(&host, "web", &container, &found, &why);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(err, -EMFILE);
	assert_null(why);
	assert_finds("web", HOST_ID_A, "web", "docker", "/system.slice/docker-" HOST_ID_A ".scope");
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
		TEST(test_container_find_without_descriptors_is_no_answer),
		TEST(test_container_names_are_found_and_kept),
		TEST(test_container_names_of_the_unknown_are_looked_for_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
