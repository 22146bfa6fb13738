/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A publication of a population, in a directory for one test: images with samples, and what is written of them. */
#include "unit/heap/recorder_event.h"

#include <fcntl.h>
#include <poll.h>

#include <cjson/cJSON.h>

#include "unit/base/capture.h"
#include "unit/profile/golden.h"
#include "unit/system/scratch.h"

#include "format/output_file.h"
#include "record/publish.h"

#define INTERVAL 1000

static struct record_options options;
static struct output_dir output;
static struct publication publication;
static struct capture printed;

/* Beside the three samples that had events: one lost and one refused, without events; and one under way. */
static inline int peek_tally(const struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX])
{
	(void)kernel;
	(void)process;
	ledger[COUNTER_SAMPLED] += 3;
	ledger[COUNTER_LOST_RING]++;
	ledger[COUNTER_REFUSED]++;
	return 0;
}

static inline int open_all(void **state)
{
	static char *argv[] = {NULL};
	struct recorder_options recording = {.sample_bytes = INTERVAL};

	if (scratch_setup(state))
		return -1;
	recorder = recorder_new(&recording);
	options = (struct record_options){.tracing.target.population = POPULATION_FOLLOW,
					  .keep = 1000,
					  .formats = FORMAT_PPROF,
					  .tracing.sample_bytes = INTERVAL,
					  .whole_tables = true,
					  .argv = argv};
	snprintf(output.path, sizeof(output.path), "%s", scratch_path);
	output.fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	publication = (struct publication){.options = &options,
					   .recorder = recorder,
					   .output = &output,
					   .attach = "session",
					   .peek_tally = peek_tally,
					   .start_unix_ns = 1000000};
	return recorder && output.fd >= 0 ? 0 : -1;
}

static inline int close_all(void **state)
{
	publish_release(&publication);
	close(output.fd);
	recorder_free(recorder);
	return scratch_teardown(state);
}

/* An image with a stack of its own and some samples of odd sizes. */
static inline struct image *begin_sampled(u32 number, u32 pid, const char *comm, const char *container)
{
	struct image *image = begin(number, pid);
	struct mapping mapping = {.start = 0x3ff000,
				  .end = 0x500000,
				  .path = (char *)"/usr/bin/program",
				  .build_id = {1},
				  .build_id_size = 1};

	image_set_comm(image, comm);
	image->exe = strdup("/usr/bin/program");
	image->container_id = container ? strdup(container) : NULL;
	image->container_name = container ? strdup("shop") : NULL;
	assert_int_equal(recorder_map(recorder, pid, &mapping), 0);
	assert_int_equal(send_stack(number, number, 2, stack_size(2)), 0);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(send_alloc(number, 100 * number + i, 77 + number % 7 * 13 + i, number, 0), 0);
	image->ledger[COUNTER_SAMPLED] = 3;
	assert_int_equal(send_object(EVENT_FREE, number, 100 * number), 0);
	return image;
}

static inline void finish_batches(void)
{
	while (publish_busy(&publication))
		poll(NULL, 0, 1);
}

static inline void take_ended(void)
{
	publish_ended(&publication);
	finish_batches();
}

static inline int publish_everything(void)
{
	int status;

	publication.duration_ns = 1000000;
	capture_begin(&printed, stderr);
	status = publish_finish(&publication);
	capture_end(&printed);
	return status;
}

static inline double number(const cJSON *row, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(row, name);

	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

static inline cJSON *read_index_file(void)
{
	char *text = golden_read("index.json");
	cJSON *json = cJSON_Parse(text);

	assert_non_null(json);
	free(text);
	return json;
}
