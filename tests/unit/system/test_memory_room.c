/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_room.c on hosts with either version of the memory controller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "host.h"

#include "system/memory_room.h"

static void own_groups(const char *lines)
{
	host_process(getpid(), lines);
}

static struct memory_room read_room(const char *mounts)
{
	host_file("proc/self/mountinfo", "%s", mounts);
	return memory_room_read(host_root);
}

static void test_room_of_version_2(void **state)
{
	struct memory_room room;

	(void)state;
	own_groups("0::/a/b\n");
	host_file("sys/fs/cgroup/a/memory.max", "67108864\n");
	host_file("sys/fs/cgroup/a/memory.current", "16777216\n");
	host_file("sys/fs/cgroup/a/memory.stat", "anon 9\ninactive_file 4194304\nactive_file 1048576\n");
	host_file("sys/fs/cgroup/a/b/memory.max", "max\n");
	host_file("sys/fs/cgroup/a/b/memory.current", "1\n");
	room = read_room(HOST_ROOT HOST_V2);
	assert_int_equal(room.limit, 64 << 20);
	/* Files in memory are given up first. */
	assert_int_equal(room.used, 11 << 20);
	assert_int_equal(memory_room_left(&room), 53 << 20);
}

static void test_room_of_version_1(void **state)
{
	struct memory_room room;

	(void)state;
	own_groups("4:memory:/m\n0::/a\n");
	host_file("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "1000\n");
	host_file("sys/fs/cgroup/memory/m/memory.usage_in_bytes", "1500\n");
	room = read_room(HOST_HYBRID);
	assert_int_equal(room.limit, 1000);
	assert_int_equal(memory_room_left(&room), 0);
	host_file("sys/fs/cgroup/memory/m/memory.stat",
		  "inactive_file 1\ntotal_inactive_file 600\ntotal_active_file 0\n");
	room = read_room(HOST_HYBRID);
	assert_int_equal(memory_room_left(&room), 100);
}

static void test_room_without_a_limit_has_no_end(void **state)
{
	struct memory_room room;

	(void)state;
	own_groups("0::/c\n");
	room = read_room(HOST_ROOT HOST_V2);
	assert_int_equal(room.limit, 0);
	assert_true(memory_room_left(&room) == UINT64_MAX);
	room = read_room(HOST_ROOT);
	assert_true(memory_room_left(&room) == UINT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_setup, host_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_room_of_version_2),
		TEST(test_room_of_version_1),
		TEST(test_room_without_a_limit_has_no_end),
	};

	return cmocka_run_group_tests_name("memory_room", tests, NULL, NULL);
}
