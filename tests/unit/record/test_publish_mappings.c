/* SPDX-License-Identifier: GPL-2.0-or-later */
/* publish.c, aggregate.c and merged_rows.c, on several processes of which mappings are known too. */
#include "publication_scene.h"

#include "format/pprof_read.h"

#define PAGE 4096ULL

static void send_map(u32 number, u64 page, u64 pages)
{
	struct event_region event = {.header = {.kind = EVENT_REGION, .process = number, .time_ns = 100},
				     .call = REGION_MMAP,
				     .addr = 0x7f0000000000 + page * PAGE,
				     .size = pages * PAGE,
				     .stack = number};

	assert_int_equal(apply_event(recorder, &event.header, sizeof(event)), 0);
}

/* 5 and 2 pages, at one stack. */
static struct image *begin_mapper(u32 number, u32 pid, const char *comm, const char *container)
{
	struct image *image = begin_sampled(number, pid, comm, container);

	send_map(number, 0, 5);
	send_map(number, 10, 2);
	return image;
}

/* The same without a sample. */
static struct image *begin_bare_mapper(u32 number, u32 pid, const char *comm)
{
	struct image *image = begin(number, pid);

	image_set_comm(image, comm);
	image->exe = strdup("/usr/bin/program");
	assert_int_equal(send_stack(number, number, 2, stack_size(2)), 0);
	send_map(number, 0, 5);
	send_map(number, 10, 2);
	return image;
}

static void assert_mappers(const char *path, u32 processes, u32 labels)
{
	struct profile *profile;
	u64 totals[MEASURE_MAX];

	assert_int_equal(pprof_read(path, &profile), 0);
	assert_int_equal(profile->kind, PROFILE_REGIONS);
	profile_totals(profile, totals);
	assert_int_equal(totals[ALLOC_OBJECTS], 2 * processes);
	assert_int_equal(totals[ALLOC_SPACE], 7 * PAGE * processes);
	assert_int_equal(totals[INUSE_SPACE], 7 * PAGE * processes);
	assert_int_equal(profile->label_count, labels);
	profile_free(profile);
}

static const cJSON *mapped_by_program(const cJSON *row)
{
	return cJSON_GetObjectItem(cJSON_GetObjectItem(row, "mappings"), "program");
}

static void test_publish_mappings_are_merged_by_container_and_of_all(void **state)
{
	cJSON *index;
	const cJSON *merged, *files;

	(void)state;
	options.whole_tables = false;
	recorder_end(recorder, begin_mapper(1, 501, "gone", "c0ffee"), 500);
	begin_mapper(2, 502, "lives", "c0ffee");
	begin_mapper(3, 503, "outside", NULL);
	begin_sampled(4, 504, "plain", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_mappers("mappings/501.gone.pb.gz", 1, 0);
	assert_mappers("merged/mappings/container.c0ffee.pb.gz", 2, 2);
	assert_mappers("merged/mappings/all.pb.gz", 3, 3);
	assert_non_null(strstr(printed.text, "mappings: 84.0 KiB in 6 by 3 processes, "));
	index = read_index_file();
	merged = cJSON_GetArrayItem(cJSON_GetObjectItem(index, "merged"), 1);
	assert_true(number(mapped_by_program(merged), "mapped_space") == 21.0 * PAGE);
	files = cJSON_GetObjectItem(merged, "files");
	assert_string_equal(cJSON_GetArrayItem(files, 0)->valuestring, "merged/all.pb.gz");
	assert_string_equal(cJSON_GetArrayItem(files, 1)->valuestring, "merged/mappings/all.pb.gz");
	cJSON_Delete(index);
}

/* Processes with mappings alone have files, of which --keep is the limit as well. */
static void test_publish_mappings_beyond_keep_are_merged_by_executable(void **state)
{
	enum {
		KEEP = 2,
		MORE = 5
	};
	const cJSON *last;
	cJSON *index;

	(void)state;
	options.keep = KEEP;
	options.whole_tables = false;
	for (u32 i = 1; i <= KEEP + MORE; i++) {
		recorder_end(recorder, begin_bare_mapper(i, 500 + i, "short"), 500);
		take_ended();
	}
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_false(scratch_has("501.short.pb.gz"));
	assert_mappers("mappings/502.short.pb.gz", 1, 0);
	assert_false(scratch_has("mappings/503.short.pb.gz"));
	assert_mappers("mappings/merged.program.pb.gz", MORE, 1);
	assert_mappers("merged/mappings/all.pb.gz", KEEP + MORE, KEEP + 1);
	assert_false(scratch_has("merged/all.pb.gz"));
	index = read_index_file();
	last = cJSON_GetArrayItem(cJSON_GetObjectItem(index, "processes"), KEEP);
	assert_int_equal(number(last, "processes"), MORE);
	assert_true(number(mapped_by_program(last), "map_objects") == 2 * MORE);
	cJSON_Delete(index);
	assert_non_null(strstr(printed.text, " by 7 processes, "));
}

static void test_publish_mappings_are_in_snapshots_with_those_that_have_ended(void **state)
{
	(void)state;
	recorder_end(recorder, begin_mapper(1, 501, "gone", "c0ffee"), 500);
	begin_mapper(2, 502, "living", "c0ffee");
	capture_begin(&printed, stderr);
	publish_now(&publication, 1000, true);
	finish_batches();
	capture_end(&printed);
	assert_mappers("snapshots/0001/mappings/502.living.pb.gz", 1, 0);
	assert_mappers("snapshots/0001/merged/mappings/container.c0ffee.pb.gz", 2, 2);
	assert_mappers("snapshots/0001/merged/mappings/all.pb.gz", 2, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_publish_mappings_are_merged_by_container_and_of_all, open_all,
						close_all),
		cmocka_unit_test_setup_teardown(test_publish_mappings_beyond_keep_are_merged_by_executable, open_all,
						close_all),
		cmocka_unit_test_setup_teardown(test_publish_mappings_are_in_snapshots_with_those_that_have_ended,
						open_all, close_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
