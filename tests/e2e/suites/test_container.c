/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real containers: a container's processes, whenever and however they were started, have the same allocations as in the shim's
 * logs, which are written inside the container; no other process appears, or has probes that it need not have (bench/bystander.sh measures
 * what they cost).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/container.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/population.h"
#include "e2e/kit/root.h"

static void attach(struct harbour *harbour, const char *option, const char *value)
{
	session_start(&harbour->scene->session, harbour->scene, (const char *const[]){"-R", "1", option, value, NULL});
	session_attached(&harbour->scene->session);
}

static void detach(struct harbour *harbour)
{
	session_signal(&harbour->scene->session, SIGINT);
	assert_int_equal(session_finish(&harbour->scene->session), 0);
}

/* Children of every kind, and programs brought in from outside. */
static void work(const struct container *container, unsigned int first)
{
	const char *number = format("%u", first + 60);

	dialogue_order(&container->dialogue, format("fork %u 10", first));
	dialogue_order(&container->dialogue, format("vfork %u 10", first + 10));
	dialogue_order(&container->dialogue, format("double %u 10", first + 20));
	dialogue_order(&container->dialogue, format("exec %u 10", first + 30));
	dialogue_order(&container->dialogue, format("self %u 1", first + 40));
	assert_int_equal(container_exec(container, (const char *const[]){"/target_offspring", number, NULL}), 0);
}

static void assert_exact(const struct harbour *harbour, const struct container *container, size_t images)
{
	const struct session *session = &harbour->scene->session;
	/* What brings a program into a container is there for a moment itself. Its file is no file of the container. */
	static const char *const unlogged[] = {
		"runc:[0:PARENT]", "runc:[1:CHILD]", "runc:[2:INIT]", "runc", "exe", NULL};

	assert_int_equal(population_assert_exact(session, container_truth(container), MATCH_NAME, unlogged), images);
	assert_true(population_assert_files(session) >= images);
	population_assert_merged(session, format("merged/container.%.12s.pb.gz", container->id), NULL);
}

/* All its processes are of that container, by name and id. */
static void assert_labelled(const struct harbour *harbour, const struct container *container)
{
	cJSON *index = session_index(&harbour->scene->session);
	const cJSON *process;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		const char *label = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(process, "container"));

		if (!label || (!strstr(label, container->name) && !strstr(label, format("%.12s", container->id))))
			fail_msg("not of %s:\n%s", container->name, cJSON_Print(process));
	}
	cJSON_Delete(index);
}

enum naming {
	BY_NAME,
	BY_SHORT_ID,
	BY_CGROUP
};

/* The main process before, and 41 children and 1 by exec after the attach. */
static void check_named(struct harbour *harbour, const char *image, enum naming naming)
{
	struct container *container = container_run(harbour, image, "target_brood", true);
	const char *const values[] = {container->name, format("%.12s", container->id), container_cgroup(container)};

	attach(harbour, naming == BY_CGROUP ? "--cgroup" : "--container", values[naming]);
	work(container, 0);
	detach(harbour);
	assert_exact(harbour, container, 42);
	assert_labelled(harbour, container);
}

static void test_container_glibc_by_name_equals_shim(void **state)
{
	check_named(*state, "glibc", BY_NAME);
}

static void test_container_glibc_by_short_id_equals_shim(void **state)
{
	check_named(*state, "glibc", BY_SHORT_ID);
}

static void test_container_glibc_by_cgroup_equals_shim(void **state)
{
	check_named(*state, "glibc", BY_CGROUP);
}

static void test_container_musl_by_name_equals_shim(void **state)
{
	check_named(*state, "musl", BY_NAME);
}

static void test_container_musl_by_cgroup_equals_shim(void **state)
{
	check_named(*state, "musl", BY_CGROUP);
}

/* Ten of its objects are of 48 intervals, and a child of it has as many: none is missed but once in 10^19. */
static void assert_sampled_inside(const struct harbour *harbour, unsigned int images)
{
	cJSON *index = session_index(&harbour->scene->session);
	unsigned int found = 0;
	const cJSON *process;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		uint64_t sampled = index_number(process, "ledger.sampled");

		ledger_assert_balanced(process);
		assert_int_equal(index_number(process, "ledger.inline"), sampled);
		found += sampled >= 10;
	}
	assert_int_equal(found, images);
	cJSON_Delete(index);
}

static void sample_inside(struct harbour *harbour, struct container *container, const char *option, const char *value)
{
	struct scene *scene = harbour->scene;

	session_start(&scene->session, scene, (const char *const[]){"-R", "4096", "--inline", option, value, NULL});
	session_attached(&scene->session);
	session_assert_said(&scene->session, "has the sampler");
	dialogue_order(&container->dialogue, "self 200000 1");
	dialogue_order(&container->dialogue, "fork 200001 5");
	detach(harbour);
	/* It goes on without it. */
	dialogue_order(&container->dialogue, "fork 200001 5");
	assert_sampled_inside(harbour, 6);
	assert_labelled(harbour, container);
}

static void test_container_is_sampled_inside(void **state)
{
	struct harbour *harbour = *state;
	struct container *container = container_run(harbour, "glibc", "target_brood", false);

	sample_inside(harbour, container, "--container", container->name);
	sample_inside(harbour, container, "--cgroup", container_cgroup(container));
}

/* Its group is removed and made again, under another inode; the processes after it have files of their own. */
static void test_container_restart_is_traced_on(void **state)
{
	struct harbour *harbour = *state;
	struct container *container = container_run(harbour, "glibc", "target_brood", true);

	attach(harbour, "--container", container->name);
	work(container, 0);
	container_restart(container);
	work(container, 100);
	detach(harbour);
	assert_exact(harbour, container, 84);
	assert_int_equal(population_count(&harbour->scene->session, "target_brood"), 42);
}

static void test_container_all_has_every_container_and_a_file_for_each(void **state)
{
	struct harbour *harbour = *state;
	struct container *first = container_run(harbour, "glibc", "target_brood", false);
	struct container *second = container_run(harbour, "musl", "target_brood", false);
	const struct session *session = &harbour->scene->session;

	/* Not every allocation: the whole machine's are not for one ring. 20 times 40 KB have no sample once in e^100. */
	session_start(&harbour->scene->session, harbour->scene, (const char *const[]){"-R", "4K", "--all", NULL});
	session_attached(&harbour->scene->session);
	dialogue_order(&first->dialogue, "exec 0 10");
	dialogue_order(&second->dialogue, "exec 0 10");
	detach(harbour);
	population_assert_merged(session, format("merged/container.%.12s.pb.gz", first->id),
				 format("%.12s", first->id));
	population_assert_merged(session, format("merged/container.%.12s.pb.gz", second->id),
				 format("%.12s", second->id));
	population_assert_merged(session, "merged/all.pb.gz", NULL);
}

/* --- the others ----------------------------------------------------------------------------------------------------- */

/* Breakpoints are all that a process can be made to pay for. */
static void assert_untouched(pid_t pid, const char *libc)
{
	assert_int_equal(code_changes(pid, libc), 0);
}

/*
 * One of the same image shares the C library's inode: its processes trap, and that is all they do. One of another image
 * and the host do not.
 */
static void test_container_others_are_absent_and_have_no_probes_but_in_the_same_image(void **state)
{
	struct harbour *harbour = *state;
	struct container *traced = container_run(harbour, "glibc", "target_brood", true);
	struct container *sibling = container_run(harbour, "glibc", "target_outside", false);
	struct container *stranger = container_run(harbour, "musl", "target_outside", false);
	const char *dir = format("%s/host", harbour->scene->dir);
	struct dialogue host;

	dialogue_open(&host, dir);
	target_start(&harbour->scene->target, NULL, (const char *const[]){beside("target_outside"), dir, NULL});
	dialogue_pair_ns(&host);
	attach(harbour, "--container", traced->name);
	session_await(&harbour->scene->session, " pay");
	work(traced, 0);
	assert_untouched(harbour->scene->target.pid, "/libc.so.6");
	assert_untouched(container_pid(stranger), "/ld-musl");
	assert_true(code_changes(container_pid(sibling), "/libc.so.6") > 0);
	dialogue_pair_ns(&sibling->dialogue); /* its calls trap, and lead to nothing that is recorded */
	detach(harbour);
	dialogue_close(&host);
	assert_exact(harbour, traced, 42);
	assert_int_equal(population_count(&harbour->scene->session, "target_outside"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harbour_setup, harbour_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_container_glibc_by_name_equals_shim),
		TEST(test_container_glibc_by_short_id_equals_shim),
		TEST(test_container_glibc_by_cgroup_equals_shim),
		TEST(test_container_musl_by_name_equals_shim),
		TEST(test_container_musl_by_cgroup_equals_shim),
		TEST(test_container_is_sampled_inside),
		TEST(test_container_restart_is_traced_on),
		TEST(test_container_all_has_every_container_and_a_file_for_each),
		TEST(test_container_others_are_absent_and_have_no_probes_but_in_the_same_image),
	};

	(void)argc;
	root_own(argv);
	return cmocka_run_group_tests_name("container", tests, images_setup, images_teardown);
}
