/* SPDX-License-Identifier: GPL-2.0-or-later */
/* container_path.c on the paths that runtimes make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "system/container_path.h"

#define ID    "aaaabbbbccccddddeeeeffff0000111122223333444455556666777788889999"
#define OTHER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_is(const char *path, const char *id, const char *runtime)
{
	char found[CONTAINER_ID_SIZE];
	const char *by;

	assert_true(container_path_find(path, found, &by));
	assert_string_equal(found, id);
	assert_string_equal(by, runtime);
}

static void assert_none(const char *path)
{
	char found[CONTAINER_ID_SIZE];
	const char *by;

	assert_false(container_path_find(path, found, &by));
}

static void test_container_path_find_knows_the_names_of_every_runtime(void **state)
{
	(void)state;
	assert_is("/libpod_parent/libpod-" ID, ID, "podman");
	assert_is("/machine.slice/libpod-" ID ".scope/container", ID, "podman");
	assert_is("/machine.slice/machine-libpod_pod_" OTHER ".slice/libpod-" ID ".scope", ID, "podman");
	assert_is("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope", ID, "podman");
	assert_is("/system.slice/web.service/libpod-payload-" ID, ID, "podman");
	assert_is("/libpod_parent/" OTHER "/libpod-" ID, ID, "podman");
	assert_is("/docker/" ID, ID, "docker");
	assert_is("/system.slice/docker-" ID ".scope", ID, "docker");
	assert_is("/system.slice/docker-" ID ".scope/init.scope", ID, "docker");
	assert_is("/kubepods/burstable/pod12345678-1234-1234-1234-123456789abc/" ID, ID, "kubernetes");
	assert_is("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", ID, "containerd");
	assert_is("/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", ID, "cri-o");
	assert_is("/user.slice/nerdctl-" ID ".scope", ID, "containerd");
	assert_is("/default/" ID, ID, "container");
}

static void test_container_path_find_is_the_innermost(void **state)
{
	(void)state;
	assert_is("/docker/" OTHER "/kubepods/pod1/" ID "/below/it", ID, "kubernetes");
	assert_is("/docker/" OTHER "/init.scope", OTHER, "docker");
}

static void test_container_path_find_monitors_pods_and_others_are_none(void **state)
{
	(void)state;
	assert_none("/");
	assert_none("");
	assert_none("//");
	assert_none("relative");
	assert_none("/system.slice/nginx.service");
	assert_none("/machine.slice/libpod-conmon-" ID ".scope");
	assert_none("/libpod_parent/conmon");
	assert_none("/libpod_parent/" ID);
	assert_none("/machine.slice/machine-libpod_pod_" ID ".slice");
	assert_none("/system.slice/crio-conmon-" ID ".scope");
	assert_none("/system.slice/other-" ID ".scope");
}

static void test_container_path_find_needs_exactly_64_small_digits(void **state)
{
	char path[256];

	(void)state;
	assert_none("/docker/" ID "0");
	assert_none("/docker/0" ID);
	snprintf(path, sizeof(path), "/docker/%.63s", ID);
	assert_none(path);
	snprintf(path, sizeof(path), "/docker/%.63sA", ID);
	assert_none(path);
	snprintf(path, sizeof(path), "/docker/%.63sg", ID);
	assert_none(path);
	assert_none("/docker/libpod-.scope");
	assert_none("/.scope");
}

static void test_container_path_last_looks_at_the_group_itself_alone(void **state)
{
	char id[CONTAINER_ID_SIZE];
	const char *runtime;

	(void)state;
	assert_true(container_path_last("/docker/" ID, id, &runtime));
	assert_string_equal(id, ID);
	assert_false(container_path_last("/docker/" ID "/below", id, &runtime));
	assert_false(container_path_last("", id, &runtime));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_container_path_find_knows_the_names_of_every_runtime),
		cmocka_unit_test(test_container_path_find_is_the_innermost),
		cmocka_unit_test(test_container_path_find_monitors_pods_and_others_are_none),
		cmocka_unit_test(test_container_path_find_needs_exactly_64_small_digits),
		cmocka_unit_test(test_container_path_last_looks_at_the_group_itself_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
