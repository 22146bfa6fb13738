/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that are killed leave a profile that says so, with what was live and where it came from, every time; and --trigger writes
 * profiles before that.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/memory_group.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define MIB	     (1ULL << 20)
#define LIMIT	     (48 * MIB)
#define SHARED_LIMIT (160 * MIB) /* of a group that heaptap is in too */
#define ROUNDS	     5
#define OOM_KILLED   4 /* of a round: 20 in all */

/* How the processes of a round end; the first OOM_KILLED each have a group of their own with a limit. */
static const struct ending {
	char step; /* for the target; 0: it gets the signal */
	int signal;
} endings[MORE_MAX] = {
	{'g', SIGKILL}, {'g', SIGKILL}, {'g', SIGKILL}, {'g', SIGKILL}, {0, SIGKILL},
	{0, SIGKILL},	{0, SIGTERM},	{'s', SIGSEGV}, {'a', SIGABRT},
};

static struct group groups[OOM_KILLED];

static int remove_groups(void **state)
{
	int err = scene_teardown(state);

	for (unsigned int i = 0; i < OOM_KILLED; i++)
		group_remove(&groups[i]);
	return err;
}

static void start_target(struct child *child, const struct group *group)
{
	const char *argv[8] = {NULL};
	unsigned int count = 0;

	for (const char *const *word = group ? group_wrapper(group) : NULL; word && *word; word++)
		argv[count++] = *word;
	argv[count] = beside("target_filler");
	target_start(child, NULL, argv);
	target_ready(child);
}

/* The rest of the test is right all the same. */
static void skip_without_limit(bool limited)
{
	if (!limited) {
		print_message(
			"no control group with a limit on memory can be made here, so the OOM killer ended nothing\n");
		skip();
	}
}

/* False: nothing limits groups here, so that none of the processes is ended by the OOM killer. */
static bool start_targets(struct scene *scene)
{
	bool limited = true;

	for (unsigned int i = 0; i < MORE_MAX; i++) {
		if (i < OOM_KILLED)
			limited &= memory_group_make(&groups[i], LIMIT);
		start_target(&scene->more[i], i < OOM_KILLED ? &groups[i] : NULL);
	}
	return limited;
}

static void start_recording(struct scene *scene)
{
	char pids[16 * MORE_MAX] = "";

	for (unsigned int i = 0; i < MORE_MAX; i++)
		snprintf(pids + strlen(pids), sizeof(pids) - strlen(pids), "%s%d", i ? "," : "", scene->more[i].pid);
	session_start(&scene->session, scene, (const char *const[]){"-R", "1", "-p", pids, NULL});
	session_attached(&scene->session);
}

static void end(struct child *child, const struct ending *ending, bool limited)
{
	target_go(child);
	target_take_steps(child, "mmcm");
	if (!ending->step || (ending->step == 'g' && !limited))
		assert_int_equal(kill(child->pid, ending->signal), 0);
	else
		assert_int_equal(write(child->in, &ending->step, 1), 1);
}

static const struct text_record *largest(const struct text_profile *profile)
{
	const struct text_record *found = profile->records;

	for (size_t i = 0; i < profile->count; i++)
		if (profile->records[i].inuse_bytes > found->inuse_bytes)
			found = &profile->records[i];
	return found;
}

/* What it kept is there, all of it, with the function's name. */
static void check_profile(const char *path, uint64_t least)
{
	struct text_profile profile;
	const struct text_record *kept;

	assert_int_equal(pprof_profile_read(path, &profile), 0);
	assert_true(profile.count > 0);
	kept = largest(&profile);
	assert_true(kept->frame_count > 0);
	assert_string_equal(kept->frames[0].function, "remember");
	assert_int_equal(kept->inuse_bytes, kept->inuse_objects * MIB);
	assert_int_equal(kept->inuse_objects, kept->alloc_objects);
	if (kept->inuse_objects < least)
		fail_msg("%" PRIu64 " of %" PRIu64 " objects in '%s'", kept->inuse_objects, least, path);
	text_profile_release(&profile);
}

/* Since 6.9 the kernel says how much the victim had; before, it is what heaptap saw last. */
static bool kernel_tells_size(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%d.%d", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 9);
}

static void check_oom(const cJSON *process)
{
	assert_int_equal(index_number(process, "cgroup_memory.limit_bytes"), LIMIT);
	if (kernel_tells_size())
		assert_in_range(index_number(process, "rss.peak_bytes"), LIMIT - 4 * MIB, LIMIT + 16 * MIB);
}

static void check(const struct scene *scene, bool limited)
{
	cJSON *index = session_index(&scene->session);

	for (unsigned int i = 0; i < MORE_MAX; i++) {
		const cJSON *process = index_process_of(index, scene->more[i].pid);
		bool oom = i < OOM_KILLED && limited;

		assert_int_equal(index_number(process, "exit_signal"), endings[i].signal);
		assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(process, "oom_killed")), oom);
		check_profile(index_file(&scene->session, process, ".pb.gz"), oom ? LIMIT / MIB * 3 / 4 : 3);
		if (oom)
			check_oom(process);
	}
	cJSON_Delete(index);
}

static void test_killed_processes_leave_all_that_was_live(void **state)
{
	bool limited = false;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct scene *scene;

		if (round)
			assert_int_equal(scene_setup(state), 0);
		scene = *state;
		limited = start_targets(scene);
		start_recording(scene);
		for (unsigned int i = 0; i < MORE_MAX; i++)
			end(&scene->more[i], &endings[i], limited);
		if (session_finish(&scene->session))
			fail_msg("heaptap failed, and said:\n%s", scene->session.words);
		check(scene, limited);
		if (round + 1 < ROUNDS)
			assert_int_equal(remove_groups(state), 0);
	}
	skip_without_limit(limited);
}

/* heaptap's maps are charged to the group too, and take what they can of it; it is not heaptap that the kernel ends. */
static void test_killed_in_the_group_of_heaptap_leaves_all_that_was_live(void **state)
{
	struct scene *scene = *state;
	bool limited = memory_group_make(&groups[0], SHARED_LIMIT);
	const cJSON *process;
	cJSON *index;

	start_target(&scene->target, &groups[0]);
	scene->session.wrapper = group_wrapper(&groups[0]);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	assert_int_equal(session_said(&scene->session, "heaptap's control group has "), limited);
	end(&scene->target, &endings[0], limited);
	assert_int_equal(target_finish(&scene->target), 128 + SIGKILL);
	if (session_finish(&scene->session))
		fail_msg("heaptap failed, and said:\n%s", scene->session.words);
	assert_int_equal(session_said(&scene->session, "ended: OOM-killed at "), limited);
	index = session_index(&scene->session);
	process = index_process(index, "target_filler");
	assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(process, "oom_killed")), limited);
	check_profile(index_file(&scene->session, process, ".pb.gz"), limited ? SHARED_LIMIT / MIB / 4 : 3);
	cJSON_Delete(index);
	skip_without_limit(limited);
}

/* --- before it is too late --- */

static void finish(struct scene *scene)
{
	close(scene->target.in);
	scene->target.in = -1;
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* It fires when the memory is there, once. */
static void test_trigger_writes_what_is_live_at_that_moment(void **state)
{
	struct scene *scene = *state;

	start_target(&scene->target, NULL);
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", "1", "--trigger", "rss=30M", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	target_take_steps(&scene->target, "mmmmmmmmmmcmmmmmmmmmm");
	assert_false(session_said(&scene->session, "--trigger rss=30M: the resident memory"));
	target_take_steps(&scene->target, "mmmmmmmmmmmmmmm");
	session_await(
		&scene->session,
		format("--trigger rss=30M: the resident memory of pid %d (target_filler) is at 3", scene->target.pid));
	session_await(&scene->session, "profiles 0001 written");
	/* The program itself has up to four of the 30 MiB at which the trigger fires. */
	check_profile(format("%s/snapshots/0001/%d.target_filler.pb.gz", scene->session.output, scene->target.pid), 26);
	target_take_steps(&scene->target, "mmmmm");
	finish(scene);
	assert_int_equal(access(format("%s/snapshots/0002", scene->session.output), F_OK), -1);
}

/* A group's memory has a limit or no trigger: that is said at once. */
static void test_trigger_share_of_a_limit(void **state)
{
	struct scene *scene = *state;
	bool limited = memory_group_make(&groups[0], LIMIT);

	start_target(&scene->target, &groups[0]);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "--trigger", "cgroup=75%", "-p", format("%d", scene->target.pid),
					    NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	if (!limited) {
		session_await(&scene->session, "is in a control group with a memory limit");
	} else {
		target_take_steps(&scene->target, "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm");
		session_await(&scene->session, ", of at most 48.0 MiB; writing profiles");
		session_await(&scene->session, "profiles 0001 written");
	}
	finish(scene);
	skip_without_limit(limited);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, remove_groups)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_killed_processes_leave_all_that_was_live),
		TEST(test_killed_in_the_group_of_heaptap_leaves_all_that_was_live),
		TEST(test_trigger_writes_what_is_live_at_that_moment),
		TEST(test_trigger_share_of_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
