/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Too few descriptors, too little memory: under any limit heaptap either sees all, or says which limit it is and does not
 * claim success. What libbpf has to say about it is not heaptap's to show.
 */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/memory_group.h"
#include "e2e/kit/strict_store.h"

#define MIB (1ULL << 20)

static void start_target(struct scene *scene)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), "malloc", NULL});
	target_ready(&scene->target);
}

static void end_target(struct scene *scene)
{
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

/* All that there is: the object, and a stack that leads to main. */
static bool is_whole(const struct session *session)
{
	cJSON *index = session_index(session);
	const cJSON *process = index_process(index, "target_leak");
	bool whole = index_number(process, "inuse_space") == 30000 && !index_number(process, "ledger.stack_no_table") &&
		     !index_number(process, "ledger.stack_no_mapping");

	cJSON_Delete(index);
	return whole;
}

/*
 * Record a command under a limit. Status 0: all of it was seen, which is returned; else the limit is
 * named.
 */
static bool record_under(struct scene *scene, const char *limit, const char *name)
{
	int status;

	scene->session.wrapper = (const char *const[]){"/usr/bin/prlimit", limit, NULL};
	status = session_run(&scene->session, scene,
			     (const char *const[]){"-q", "-R", "1", "--", beside("target_leak"), "malloc", NULL});
	if (session_said(&scene->session, "libbpf"))
		fail_msg("%s: heaptap said:\n%s", limit, scene->session.words);
	if (status == 0 && !is_whole(&scene->session))
		fail_msg("%s: status 0, and something is missing", limit);
	if (status != 0 && (status != 125 || !session_said(&scene->session, name)))
		fail_msg("%s: status %d; heaptap said:\n%s", limit, status, scene->session.words);
	return status == 0;
}

static void test_few_descriptors_are_named_or_enough(void **state)
{
	static const unsigned int limits[] = {8, 20, 36, 50, 56, 60, 120};
	struct scene *scene = *state;
	unsigned int enough = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		enough += record_under(scene, format("--nofile=%u:%u", limits[i], limits[i]), "RLIMIT_NOFILE");
	/* Neither all of them nor none, or other limits should be tried. */
	assert_in_range(enough, 1, 6);
}

static bool libbpf_speaks(struct scene *scene, unsigned int limit, const char *option)
{
	scene->session.wrapper =
		(const char *const[]){"/usr/bin/prlimit", format("--nofile=%u:%u", limit, limit), NULL};
	assert_int_equal(session_run(&scene->session, scene, (const char *const[]){option, "--", "/bin/true", NULL}),
			 125);
	session_assert_said(&scene->session, "RLIMIT_NOFILE");
	return session_said(&scene->session, "heaptap: libbpf: ");
}

/* At some limit it is libbpf that fails: where, depends on what else heaptap has open then. */
static void test_libbpf_is_heard_with_v_alone(void **state)
{
	bool heard = false;

	for (unsigned int limit = 20; limit < 40 && !heard; limit++) {
		heard = libbpf_speaks(*state, limit, "-v");
		assert_false(libbpf_speaks(*state, limit, "--alloc-only"));
	}
	assert_true(heard);
}

/* The soft limit is heaptap's own to raise. */
static void test_low_soft_limit_of_descriptors_is_raised(void **state)
{
	assert_true(record_under(*state, "--nofile=16:4096", "nothing"));
}

static void test_little_memory_is_named_or_enough(void **state)
{
	static const unsigned int limits_mib[] = {24, 30, 50, 100, 1024};
	struct scene *scene = *state;
	unsigned int enough = 0;

	for (size_t i = 0; i < sizeof(limits_mib) / sizeof(*limits_mib); i++)
		enough += record_under(scene, format("--as=%lu", (unsigned long)limits_mib[i] << 20), "RLIMIT_AS");
	assert_in_range(enough, 1, 4);
}

/* One process of several whose files are too many: the recording goes on, and does not pass for whole. */
static void test_running_process_with_more_files_than_descriptors(void **state)
{
	static const unsigned int limits[] = {36, 48, 54, 60, 66, 72, 120};
	struct scene *scene = *state;
	unsigned int enough = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		unsigned int limit = limits[i];
		int status;

		start_target(scene);
		scene->session.wrapper =
			(const char *const[]){"/usr/bin/prlimit", format("--nofile=%u:%u", limit, limit), NULL};
		session_start(&scene->session, scene,
			      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
		/* It may end before the target does. */
		session_await(&scene->session, "heaptap: ");
		end_target(scene);
		status = session_finish(&scene->session);
		if (status == 0 ? !is_whole(&scene->session)
				: status != 1 || !session_said(&scene->session, "RLIMIT_NOFILE"))
			fail_msg("limit %u: status %d; heaptap said:\n%s", limit, status, scene->session.words);
		enough += status == 0;
	}
	assert_in_range(enough, 1, 6);
}

static void test_doctor_does_not_blame_the_kernel(void **state)
{
	/* How many are enough depends on how many the test itself was started with. */
	static const unsigned int limits[] = {5, 16, 24, 32, 40, 120};
	struct scene *scene = *state;
	unsigned int enough = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		const char *limited = format("exec prlimit --nofile=%u:%u \"$0\" \"$@\" >&2", limits[i], limits[i]);
		int status;

		scene->session.wrapper = (const char *const[]){"/bin/sh", "-c", limited, NULL};
		session_start_bare(&scene->session, (const char *const[]){"doctor", NULL});
		status = session_finish(&scene->session);
		if (status != 0 && (status != 1 || !session_said(&scene->session, "RLIMIT_NOFILE")))
			fail_msg("limit %u: status %d; doctor said:\n%s", limits[i], status, scene->session.words);
		enough += status == 0;
	}
	assert_in_range(enough, 1, 5);
}

static struct group group;

static int remove_group(void **state)
{
	int err = scene_teardown(state);

	group_remove(&group);
	return err;
}

/* The status of a recording within a control group of that size, if it can have one; what it could see must be all. */
static int record_in_group(struct scene *scene, uint64_t limit_bytes, bool *ret_limited)
{
	int status;

	*ret_limited = memory_group_make(&group, limit_bytes);
	scene->session.wrapper = group_wrapper(&group);
	status = session_run(&scene->session, scene,
			     (const char *const[]){"-R", "1", "--", beside("target_leak"), "malloc", NULL});
	if (status == 0)
		assert_true(is_whole(&scene->session));
	group_remove(&group);
	return status;
}

/* BPF maps count for the group. The kernel must not have to kill for them. Where nothing limits the group, nothing is said. */
static void test_memory_group_decides_how_large_maps_are(void **state)
{
	struct scene *scene = *state;
	bool limited;

	assert_int_equal(record_in_group(scene, 1024 * MIB, &limited), 0);
	assert_false(session_said(&scene->session, "control group"));
	assert_int_equal(record_in_group(scene, 96 * MIB, &limited), 0);
	assert_int_equal(session_said(&scene->session, "heaptap's control group has "), limited);
	assert_int_equal(session_said(&scene->session, "objects followed at a time instead of 4 194 304"), limited);
	assert_int_equal(record_in_group(scene, 16 * MIB, &limited), limited ? 125 : 0);
	assert_int_equal(session_said(&scene->session, " to start; raise the limit, or start heaptap in another group"),
			 limited);
	assert_false(session_said(&scene->session, "libbpf"));
}

/* Processes of the group that the kernel has killed; 0 also where it does not count them. */
static unsigned int count_killed(void)
{
	char text[512] = "", *at;
	FILE *file = fopen(format("%s/memory.events", group.dir), "re");

	if (!file)
		file = fopen(format("%s/memory.oom_control", group.dir), "re");
	if (!file)
		return 0;
	fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	at = strstr(text, "oom_kill ");
	return at ? (unsigned int)strtoul(at + strlen("oom_kill "), NULL, 10) : 0;
}

/* An agent of 64 MiB: nothing is lost of eight threads at the default interval, and nobody is killed. */
static void test_small_footprint_fits_64_mib(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	memory_group_make(&group, 64 * MIB);
	target_start(&scene->target, NULL, (const char *const[]){beside("target_threads"), NULL});
	target_ready(&scene->target);
	scene->session.wrapper = group_wrapper(&group);
	session_start(&scene->session, scene,
		      (const char *const[]){"--footprint", "small", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	end_target(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_false(session_said(&scene->session, "control group"));
	index = session_index(&scene->session);
	process = index_process(index, "target_threads");
	assert_true(index_number(process, "ledger.sampled") > 10);
	ledger_assert_clean(process);
	cJSON_Delete(index);
	assert_int_equal(count_killed(), 0);
}

static void test_small_footprint_pushes_from_64_mib(void **state)
{
	struct scene *scene = *state;
	const char *address = store_start(scene);

	memory_group_make(&group, 64 * MIB);
	scene->session.wrapper = group_wrapper(&group);
	session_start_bare(&scene->session, (const char *const[]){"push", "--footprint", "small", "-R", "1", "--every",
								  "0.2", "--to", format("pyroscope+http://%s", address),
								  "--", beside("target_leak"), "malloc", NULL});
	assert_int_equal(session_finish(&scene->session), 0);
	assert_true(store_number(scene, address, "figures", "alloc_space") >= 30000);
	store_assert_content(scene, address);
	assert_int_equal(count_killed(), 0);
}

static bool may_lower_oom_score(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long capabilities = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &capabilities) == 1)
			break;
	if (file)
		fclose(file);
	return capabilities >> CAP_SYS_RESOURCE & 1;
}

/* Where heaptap may, it is the last that the kernel kills for want of memory; COMMAND is as likely a victim as it would be. */
static void test_command_does_not_inherit_the_oom_score(void **state)
{
	static const char script[] = "read -r own </proc/self/oom_score_adj; read -r its </proc/$PPID/oom_score_adj; "
				     "echo own $own, of heaptap $its. >&2";
	struct scene *scene = *state;

	scene->session.wrapper = (const char *const[]){
		"/bin/sh", "-c", "echo 123 >/proc/self/oom_score_adj && exec \"$0\" \"$@\"", NULL};
	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"--", "/bin/sh", "-c", script, NULL}), 0);
	session_assert_said(&scene->session, format("own 123, of heaptap %d.", may_lower_oom_score() ? -998 : 123));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_few_descriptors_are_named_or_enough),
		TEST(test_libbpf_is_heard_with_v_alone),
		TEST(test_low_soft_limit_of_descriptors_is_raised),
		TEST(test_little_memory_is_named_or_enough),
		TEST(test_running_process_with_more_files_than_descriptors),
		TEST(test_doctor_does_not_blame_the_kernel),
		cmocka_unit_test_setup_teardown(test_memory_group_decides_how_large_maps_are, scene_setup,
						remove_group),
		cmocka_unit_test_setup_teardown(test_small_footprint_fits_64_mib, scene_setup, remove_group),
		cmocka_unit_test_setup_teardown(test_small_footprint_pushes_from_64_mib, scene_setup, remove_group),
		TEST(test_command_does_not_inherit_the_oom_score),
	};

	/* How large the maps are is what this is about. */
	unsetenv("HEAPTAP_LIVE_MAX");
	return cmocka_run_group_tests_name("shortage", tests, NULL, NULL);
}
