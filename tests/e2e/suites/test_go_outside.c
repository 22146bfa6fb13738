/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Go's own heap profile, read from outside: each record is held against what the same program's runtime/pprof says of itself
 * as of the same garbage collection, for two releases of Go and for programs that are stripped, position-independent or linked with C.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define KEY_MAX	    32768
#define RECORDS_MIN 10

/* --- records --- */

/* What one size and one stack have, without the frames that Go leaves out of its text. */
struct row {
	char *key;
	uint64_t values[4];
};

struct rows {
	struct row *rows;
	size_t count;
};

static bool is_hidden(const struct text_frame *frame, bool leading)
{
	return !strcmp(frame->function, "runtime.goexit") ||
	       (leading &&
		(!strncmp(frame->function, "runtime.", 8) || !strncmp(frame->function, "internal/runtime/", 17)));
}

static bool is_all_hidden(const struct text_record *record)
{
	for (unsigned int i = 0; i < record->frame_count; i++)
		if (!is_hidden(&record->frames[i], true))
			return false;
	return true;
}

static char *key_of(const struct text_record *record)
{
	static char key[KEY_MAX];
	size_t length =
		(size_t)snprintf(key, sizeof(key), "%" PRIu64 " bytes", record->alloc_bytes / record->alloc_objects);
	bool leading = !is_all_hidden(record);

	for (unsigned int i = 0; i < record->frame_count && length < sizeof(key); i++) {
		const struct text_frame *frame = &record->frames[i];

		if (is_hidden(frame, leading))
			continue;
		leading = false;
		length += (size_t)snprintf(key + length, sizeof(key) - length, " < %s %s:%u", frame->function,
					   frame->file, frame->line);
	}
	assert_true(length < sizeof(key));
	return strdup(key);
}

static int by_key(const void *left, const void *right)
{
	return strcmp(((const struct row *)left)->key, ((const struct row *)right)->key);
}

/* Buckets whose stacks differ in hidden frames alone are one row. */
static void merge(struct rows *rows)
{
	size_t merged = 0;

	qsort(rows->rows, rows->count, sizeof(*rows->rows), by_key);
	for (size_t i = 1; i < rows->count; i++) {
		if (strcmp(rows->rows[merged].key, rows->rows[i].key)) {
			rows->rows[++merged] = rows->rows[i];
			continue;
		}
		for (unsigned int v = 0; v < 4; v++)
			rows->rows[merged].values[v] += rows->rows[i].values[v];
		free(rows->rows[i].key);
	}
	rows->count = rows->count ? merged + 1 : 0;
}

static struct rows rows_of(const char *path, uint64_t *ret_twice_interval)
{
	struct text_profile profile;
	struct rows rows = {0};

	assert_int_equal(text_profile_read(path, &profile), 0);
	*ret_twice_interval = profile.twice_interval;
	rows.rows = calloc(profile.count + 1, sizeof(*rows.rows));
	assert_non_null(rows.rows);
	for (size_t i = 0; i < profile.count; i++) {
		const struct text_record *record = &profile.records[i];

		if (record->alloc_objects)
			rows.rows[rows.count++] = (struct row){key_of(record),
							       {record->inuse_objects, record->inuse_bytes,
								record->alloc_objects, record->alloc_bytes}};
	}
	text_profile_release(&profile);
	merge(&rows);
	return rows;
}

static void rows_release(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->rows[i].key);
	free(rows->rows);
}

static void assert_same(const char *program, const char *own, const char *outside)
{
	uint64_t own_interval, outside_interval;
	struct rows expected = rows_of(own, &own_interval), found = rows_of(outside, &outside_interval);

	assert_int_equal(own_interval, outside_interval);
	assert_true(expected.count >= RECORDS_MIN);
	for (size_t i = 0; i < expected.count && i < found.count; i++) {
		assert_string_equal(found.rows[i].key, expected.rows[i].key);
		for (unsigned int v = 0; v < 4; v++)
			assert_int_equal(found.rows[i].values[v], expected.rows[i].values[v]);
	}
	assert_int_equal(found.count, expected.count);
	printf("%s: %zu records\n", program, found.count);
	rows_release(&expected);
	rows_release(&found);
}

/* --- programs --- */

static const char *own_profile(const struct scene *scene)
{
	return format("%s/own.txt", scene->dir);
}

/* It has written its own profile, and waits. */
static void start(struct scene *scene, const char *program, const char *rate)
{
	target_start(&scene->target, NULL, (const char *const[]){beside(program), own_profile(scene), rate, NULL});
	target_ready(&scene->target);
}

static void finish(struct scene *scene)
{
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

static void record(struct scene *scene)
{
	const char *pid = format("%d", scene->target.pid);

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-f", "pprof,text", "-d", "0.2", "-p", pid, NULL}),
			 0);
}

/* NULL: the process has none. */
static const char *file_with(const struct scene *scene, const cJSON *process, const char *part)
{
	const cJSON *file;

	cJSON_ArrayForEach (file, cJSON_GetObjectItem(process, "files"))
		if (strstr(file->valuestring, part))
			return format("%s/%s", scene->session.output, file->valuestring);
	return NULL;
}

/* That of the last process in the index that has such a file. */
static const char *go_file(const struct scene *scene, const char *suffix)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process;
	const char *found = NULL;

	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes"))
		found = file_with(scene, process, suffix) ? file_with(scene, process, suffix) : found;
	cJSON_Delete(index);
	if (!found)
		fail_msg("no file %s", suffix);
	return found;
}

/* The only object "go" of the index. */
static cJSON *go_of(const struct scene *scene)
{
	cJSON *index = session_index(&scene->session), *process, *go = NULL;

	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes"))
		if (cJSON_GetObjectItem(process, "go"))
			go = cJSON_DetachItemFromObject(process, "go");
	cJSON_Delete(index);
	assert_non_null(go);
	return go;
}

/* --- tests --- */

static void check_program(struct scene *scene, const char *program)
{
	struct text_profile pprof, text;

	start(scene, program, "1");
	record(scene);
	assert_same(program, own_profile(scene), go_file(scene, ".go.txt"));
	assert_int_equal(text_profile_read(go_file(scene, ".go.txt"), &text), 0);
	assert_int_equal(pprof_profile_read(go_file(scene, ".go.pb.gz"), &pprof), 0);
	assert_int_equal(pprof.alloc_bytes, text.alloc_bytes);
	assert_int_equal(pprof.inuse_bytes, text.inuse_bytes);
	text_profile_release(&pprof);
	text_profile_release(&text);
	finish(scene);
}

static void test_sampled_records_are_go_s_own(void **state)
{
	struct scene *scene = *state;

	start(scene, "go_heap/own_plain", "4096");
	record(scene);
	assert_same("at one sample in 4096 bytes", own_profile(scene), go_file(scene, ".go.txt"));
	finish(scene);
}

/* Its own heap is in mappings that are no allocator's. */
static void test_memory_of_a_pure_program_has_its_parts(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	start(scene, "go_heap/own_plain", "4096");
	record(scene);
	session_assert_said(&scene->session, "\n  resident   ");
	session_assert_said(&scene->session, " others");
	index = session_index(&scene->session);
	process = cJSON_GetArrayItem(cJSON_GetObjectItem(index, "processes"), 0);
	assert_true(index_number(process, "memory.parts.others.resident_bytes") > 0);
	assert_true(index_number(process, "memory.resident_bytes") >
		    index_number(process, "memory.parts.others.resident_bytes"));
	cJSON_Delete(index);
	finish(scene);
}

/* What C allocates is in a file of its own, in the same recording: 100 blocks, which it asks for when it goes on. */
static void test_c_is_beside_go(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	uint64_t objects = 0;
	cJSON *index;

	start(scene, "go_heap/own_cgo", "1");
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", "1", "-f", "pprof,text", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	finish(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_same("beside C", own_profile(scene), go_file(scene, ".go.txt"));
	index = session_index(&scene->session);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(index, "processes")), 2);
	assert_int_equal(index_number(cJSON_GetObjectItem(index, "ended"), "processes"), 1);
	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes"))
		if (!cJSON_GetObjectItem(process, "go"))
			objects += index_number(process, "inuse_objects");
	assert_true(objects >= 100);
	cJSON_Delete(index);
}

static void test_program_that_ends_has_its_last_reading(void **state)
{
	struct scene *scene = *state;
	cJSON *go;

	start(scene, "go_heap/own_plain", "1");
	session_start(&scene->session, scene,
		      (const char *const[]){"-f", "text", "-p", format("%d", scene->target.pid), NULL});
	session_await(&scene->session, "its own heap profile is read");
	session_attached(&scene->session);
	finish(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_same("after its end", own_profile(scene), go_file(scene, ".go.txt"));
	session_assert_said(&scene->session, "before its end");
	go = go_of(scene);
	assert_memory_equal(cJSON_GetObjectItem(go, "version")->valuestring, "go1.", 4);
	assert_true(cJSON_GetObjectItem(go, "cycle")->valuedouble >= 4);
	assert_true(cJSON_GetObjectItem(go, "age_ns")->valuedouble > 0);
	cJSON_Delete(go);
}

static void test_snapshots_have_it(void **state)
{
	struct scene *scene = *state;

	start(scene, "go_heap/own_stripped", "1");
	session_start(&scene->session, scene,
		      (const char *const[]){"-f", "text", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, "profiles 0001 written");
	finish(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_same("in a snapshot", own_profile(scene), go_file(scene, "snapshots/0001/"));
	assert_same("and at the end", own_profile(scene), go_file(scene, ".go.txt"));
}

/* The shell's child is found, its profile read while it waits. */
static void test_child_is_followed(void **state)
{
	struct scene *scene = *state;
	const char *command = format("%s %s 1; :", beside("go_heap/own_pie"), own_profile(scene));

	target_start(&scene->target, NULL, (const char *const[]){"/bin/sh", "-c", command, NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-f", "text", "--follow", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	session_signal(&scene->session, SIGUSR1);
	session_await(&scene->session, "profiles 0001 written");
	finish(scene);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_same("of a child", own_profile(scene), go_file(scene, ".go.txt"));
}

static void test_profiler_that_is_off_is_named(void **state)
{
	struct scene *scene = *state;

	start(scene, "go_heap/own_plain", "0");
	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL}),
		4);
	session_assert_said(&scene->session, "whose own heap profiler is off: runtime.MemProfileRate is 0");
	session_assert_said(&scene->session, "no allocator heaptap knows");
	finish(scene);
}

static void test_doctor_says_that_it_is_read(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(system(format("%s doctor -- %s > %s/doctor", heaptap_path(), beside("go_heap/own_stripped"),
				       scene->dir)),
			 0);
	assert_int_equal(
		system(format(
			"grep -q 'the heap profile that Go keeps itself is read from its memory; two probes, for what it samples, tell its ages' "
			"%s/doctor",
			scene->dir)),
		0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

static const char *const programs[] = {
	"own_plain",  "own_stripped",  "own_pie",  "own_cgo",  "own_cgo_pie_stripped",
	"1.24_plain", "1.24_stripped", "1.24_pie", "1.24_cgo", "1.24_cgo_pie_stripped",
};

static void test_records_are_go_s_own(void **state)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		check_program(*state, format("go_heap/%s", programs[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_records_are_go_s_own),
		TEST(test_sampled_records_are_go_s_own),
		TEST(test_memory_of_a_pure_program_has_its_parts),
		TEST(test_c_is_beside_go),
		TEST(test_program_that_ends_has_its_last_reading),
		TEST(test_snapshots_have_it),
		TEST(test_child_is_followed),
		TEST(test_profiler_that_is_off_is_named),
		TEST(test_doctor_says_that_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
