/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the resident memory of a process consists of: every part of a program with known parts within 2 %, and their sum, to the
 * page, what the kernel itself sums up. The same in index.json, in the .json profile, and read back from the .pb.gz by `report`.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/memory_group.h"
#include "e2e/kit/session.h"

#define MIB   (1ULL << 20)
#define HUGE  (16 * MIB)
#define PAGES "/proc/sys/vm/nr_hugepages"
#define READ  "the memory of pid"

/* --- the target --- */

static bool write_number(const char *path, unsigned long number)
{
	FILE *file = fopen(path, "we");
	bool written = file && fprintf(file, "%lu\n", number) > 0;

	return file && !fclose(file) && written;
}

static unsigned long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long number = 0;

	if (file && fscanf(file, "%lu", &number) != 1)
		number = 0;
	if (file)
		fclose(file);
	return number;
}

static struct {
	unsigned long before;
	bool changed;
} huge_pages;

/* Have more HugeTLB pages until the end of the test. False: the machine has no room for them. */
static bool reserve_huge(void)
{
	unsigned long wanted;

	huge_pages.before = read_number(PAGES);
	wanted = huge_pages.before + HUGE / (2 * MIB);
	huge_pages.changed = true;
	return write_number(PAGES, wanted) && read_number(PAGES) == wanted;
}

/* Once the target, which has them, is gone. */
static int huge_teardown(void **state)
{
	int error = scene_teardown(state);

	if (huge_pages.changed && !write_number(PAGES, huge_pages.before))
		error = -1;
	return error;
}

/* Rss of all mappings together, as the kernel sums it up. */
static uint64_t rollup_of(pid_t pid)
{
	FILE *file = fopen(format("/proc/%d/smaps_rollup", pid), "re");
	unsigned long kb = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Rss: %lu", &kb) == 1)
			break;
	fclose(file);
	assert_true(kb > 0);
	return kb * 1024ULL;
}

/* Rss of the files that it runs from: as many pages as the page cache has beside those that it touches. */
static uint64_t code_of(pid_t pid)
{
	FILE *file = fopen(format("/proc/%d/smaps", pid), "re");
	unsigned long kb, inode, sum = 0;
	bool counted = false;
	char line[4096];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*x-%*x %*s %*x %*s %lu", &inode) == 1)
			counted = strstr(line, " /usr/") || strstr(line, "/target_memory\n");
		else if (counted && sscanf(line, "Rss: %lu", &kb) == 1)
			sum += kb;
	fclose(file);
	return sum * 1024ULL;
}

/* It has said that it is ready; code that it runs on its way into the wait may have to come into memory once more. */
static void await_rest(struct scene *scene)
{
	target_ready(&scene->target);
	child_await_state(scene->target.pid, 'S');
}

/* Recorded from when it stands ready until it has done what it does; it still lives. */
static void record(struct scene *scene, const char *interval, bool huge, const char *const *more)
{
	const char *args[16] = {"-R", interval, "-f", "pprof,json"};
	unsigned int count = 4;

	target_start(&scene->target, NULL,
		     (const char *const[]){beside("target_memory"), format("%s/file", scene->dir), huge ? "huge" : NULL,
					   NULL});
	target_ready(&scene->target);
	while (more && *more)
		args[count++] = *more++;
	args[count++] = "-p";
	args[count++] = format("%d", scene->target.pid);
	args[count] = NULL;
	session_start(&scene->session, scene, args);
	session_attached(&scene->session);
	target_go(&scene->target);
	await_rest(scene);
}

static void stop(struct scene *scene)
{
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* --- checks --- */

static void assert_near(const char *what, uint64_t found, uint64_t wanted)
{
	if (fabs((double)found - (double)wanted) > 0.02 * (double)wanted)
		fail_msg("%s: %.2f MiB, expected %.2f", what, (double)found / MIB, (double)wanted / MIB);
}

static uint64_t part(const cJSON *process, const char *name, const char *field)
{
	return index_number(process, format("memory.parts.%s.%s", name, field));
}

static void assert_parts(const cJSON *process, uint64_t code)
{
	static const char *const names[] = {"heap", "stacks", "files", "shared", "others", NULL};
	uint64_t sum = 0;

	for (unsigned int i = 0; names[i]; i++)
		sum += part(process, names[i], "resident_bytes");
	assert_int_equal(sum, index_number(process, "memory.resident_bytes"));
	assert_int_equal(index_number(process, "memory.inuse_space"), 10 * MIB);
	assert_near("kept", index_number(process, "memory.kept_bytes"), 96 * MIB);
	assert_near("free", index_number(process, "memory.free_bytes"), 64 * MIB);
	assert_near("heap", part(process, "heap", "resident_bytes"), 106 * MIB);
	assert_near("stacks", part(process, "stacks", "resident_bytes"), 20 * MIB);
	assert_near("files", part(process, "files", "resident_bytes"), 50 * MIB + code);
	assert_near("shared", part(process, "shared", "resident_bytes"), 4 * MIB);
	assert_near("others", part(process, "others", "resident_bytes"), 8 * MIB);
}

/*
 * Its profile of a moment at which it has *ret_rollup. At any time the kernel may take pages of files away, and put others beside one
 * that is asked for: a reading counts if it stands between two equal sums.
 */
static cJSON *profile_between_equal_sums(struct scene *scene, uint64_t *ret_rollup)
{
	for (unsigned int seq = 1; seq <= 100; seq++) {
		uint64_t before = rollup_of(scene->target.pid);

		session_signal(&scene->session, SIGUSR1);
		session_await(&scene->session, format("profiles %04u written", seq));
		*ret_rollup = rollup_of(scene->target.pid);
		if (*ret_rollup == before)
			return json_read(format("%s/snapshots/%04u/%d.target_memory.json", scene->session.output, seq,
						scene->target.pid));
	}
	fail_msg("its pages came and went around each of 100 readings");
	return NULL;
}

static void test_resident_parts_are_what_the_program_has_and_sum_up_to_the_page(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index, *profile;
	uint64_t rollup;

	record(scene, "1", false, NULL);
	profile = profile_between_equal_sums(scene, &rollup);
	assert_parts(profile, code_of(scene->target.pid));
	assert_int_equal(index_number(profile, "memory.resident_bytes"), rollup);
	cJSON_Delete(profile);
	stop(scene);
	index = session_index(&scene->session);
	process = index_process(index, "target_memory");
	assert_parts(process, code_of(scene->target.pid));
	profile = json_read(index_file(&scene->session, process, ".json"));
	assert_true(
		cJSON_Compare(cJSON_GetObjectItem(profile, "memory"), cJSON_GetObjectItem(process, "memory"), true));
	cJSON_Delete(profile);
	cJSON_Delete(index);
}

/* HugeTLB pages are in no resident size. A machine whose memory has no room for whole ones left has nothing to show. */
static void test_resident_huge_pages_stand_beside_the_resident_memory(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	uint64_t code;
	cJSON *index;

	if (!reserve_huge()) {
		print_message("the kernel has no HugeTLB page to give\n");
		skip();
	}
	record(scene, "1", true, NULL);
	stop(scene);
	code = code_of(scene->target.pid);
	index = session_index(&scene->session);
	process = index_process(index, "target_memory");
	assert_parts(process, code);
	assert_int_equal(part(process, "others", "hugetlb_bytes"), HUGE);
	assert_int_equal(index_number(process, "memory.hugetlb_bytes"), HUGE);
	cJSON_Delete(index);
}

/* What a process had when it was last read is all that is known of one that has ended; `report` says how long before that was. */
static void test_resident_parts_of_a_process_that_ended_are_those_last_read(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	uint64_t code;
	cJSON *index;
	char *text;

	record(scene, "1", false, NULL);
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, "profiles 0001 written");
	code = code_of(scene->target.pid);
	target_go(&scene->target);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_memory");
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(process, "exited")));
	assert_parts(process, code);
	text = session_report(&scene->session, "");
	assert_non_null(strstr(text, " resident\n  (as it was "));
	assert_non_null(strstr(text, " before the end)\n"));
	assert_non_null(strstr(text, "      10.0 MiB  in use\n"));
	free(text);
	cJSON_Delete(index);
}

/* The last size that -v says was read; 0: none has been. */
static double last_read_mib(const struct session *session)
{
	const char *at = session->words;
	double mib = 0;

	while ((at = strstr(at, READ))) {
		at += strlen(READ);
		sscanf(strstr(at, ", at "), ", at %lf MiB resident", &mib);
	}
	return mib;
}

/*
 * One that ends by itself, and of which no snapshot was taken, was read on the way, whenever it had grown by a quarter. The sum of the
 * mappings and what the kernel counts by the way differ by some pages.
 */
static void test_resident_parts_of_a_process_that_grew_and_ended_are_from_near_its_peak(void **state)
{
	struct scene *scene = *state;
	unsigned int readings = 0;
	const cJSON *process;
	cJSON *index;
	char *text;
	double most;

	record(scene, "1", false, (const char *const[]){"-v", NULL});
	most = (double)rollup_of(scene->target.pid) / MIB;
	while (last_read_mib(&scene->session) * 1.25 < most - 4)
		session_await_times(&scene->session, READ, ++readings);
	target_go(&scene->target);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_memory");
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(process, "exited")));
	assert_true((double)index_number(process, "memory.resident_bytes") * 1.25 >= (most - 4) * MIB);
	assert_true(index_number(process, "memory.read_unix_ns") > index_number(process, "start_unix_ns"));
	text = session_report(&scene->session, "");
	assert_non_null(strstr(text, " resident\n  (as it was "));
	session_assert_said(&scene->session, " before the end");
	free(text);
	cJSON_Delete(index);
}

/* --- a control group --- */

static struct group scope,
	charged; /* that is recorded; that memory is charged to: with version 2 the same one may be both */

static int group_teardown(void **state)
{
	int error = scene_teardown(state);

	group_remove(&charged);
	group_remove(&scope);
	return error;
}

static void start_in_groups(struct scene *scene)
{
	const char *into_both =
		format("echo 0 >'%s/cgroup.procs' && echo 0 >'%s/cgroup.procs' && exec \"$@\"", scope.dir, charged.dir);
	const char *const argv[] = {
		"/bin/sh", "-c", into_both, "sh", beside("target_memory"), format("%s/file", scene->dir), NULL};

	target_start(&scene->target, NULL, argv);
	target_ready(&scene->target);
}

static void start_recording(struct scene *scene)
{
	size_t root = strlen(scope.dir) - strlen(scope.path);
	const char *path = strncmp(scope.dir, charged.dir, root + 1) ? scope.path : charged.dir + root;

	session_start(&scene->session, scene, (const char *const[]){"-R", "4K", "--cgroup", path, NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	await_rest(scene);
	stop(scene);
}

/* What is charged to a group is more than what its processes have: files that are cached, and the kernel's own. */
static void test_resident_group_has_what_the_kernel_charges_to_it(void **state)
{
	struct scene *scene = *state;
	cJSON *index;
	char *text;

	group_make(&scope);
	if (!memory_group_make(&charged, 1024 * MIB)) {
		print_message("no control group with a limit on memory can be made here\n");
		skip();
	}
	start_in_groups(scene);
	start_recording(scene);
	index = session_index(&scene->session);
	assert_near("anonymous", index_number(index, "group_memory.anon_bytes"), (106 + 20 + 8) * MIB);
	assert_near("files", index_number(index, "group_memory.file_bytes"), (50 + 4) * MIB);
	assert_int_equal(index_number(index, "group_memory.limit_bytes"), 1024 * MIB);
	assert_true(index_number(index, "group_memory.used_bytes") > (134 + 54) * MIB * 98 / 100);
	assert_int_equal(index_number(index, "memory.processes"), 1);
	assert_near("resident", index_number(index, "memory.resident_bytes"), (134 + 54) * MIB);
	session_assert_said(&scene->session, " limit 1.0 GiB\n");
	text = session_report(&scene->session, "");
	assert_non_null(strstr(text, "\nMemory of the group: "));
	assert_non_null(strstr(text, "\n  of its 1 process with samples: "));
	free(text);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_resident_parts_are_what_the_program_has_and_sum_up_to_the_page),
		cmocka_unit_test_setup_teardown(test_resident_huge_pages_stand_beside_the_resident_memory, scene_setup,
						huge_teardown),
		TEST(test_resident_parts_of_a_process_that_ended_are_those_last_read),
		TEST(test_resident_parts_of_a_process_that_grew_and_ended_are_from_near_its_peak),
		cmocka_unit_test_setup_teardown(test_resident_group_has_what_the_kernel_charges_to_it, scene_setup,
						group_teardown),
	};

	return cmocka_run_group_tests_name("resident", tests, NULL, NULL);
}
