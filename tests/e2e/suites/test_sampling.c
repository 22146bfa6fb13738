/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler is unbiased. First the scenario of the Go runtime's own sampling test: 50 000 objects of each size at
 * interval 16 384 must be estimated within 10 %. The worst line, 256 bytes, has 775 samples and a standard deviation
 * of 3.6 %, so a single try fails once in 200; a line fails only when three tries fall outside on the same side, which
 * chance does less than once in ten million runs. Then 16 bytes beside 32 MiB from one stack, within 5.5 standard
 * errors: once in 26 million. All by probes, and by the sampler in the process.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define INTERVAL 16384
#define ROUNDS	 50000
#define TRIES	 3

static bool inlined; /* the samples are taken in the process */

static int probes_setup(void **state)
{
	inlined = false;
	return scene_setup(state);
}

static int inline_setup(void **state)
{
	inlined = true;
	return scene_setup(state);
}

static double objects_per_sample(uint64_t size)
{
	return 1 / -expm1(-(double)size / INTERVAL);
}

static void record_text(struct scene *scene, const char *comm, const char *which, struct text_profile *ret_text,
			cJSON **ret_index)
{
	const char *const args[] = {"-R", "16K",	"-f",  "text,pprof", inlined ? "--inline" : "-q",
				    "--", beside(comm), which, NULL};

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	*ret_index = session_index(&scene->session);
	assert_int_equal(index_number(index_process(*ret_index, comm), "ledger.inline"),
			 inlined ? index_number(index_process(*ret_index, comm), "ledger.sampled") : 0);
	assert_int_equal(
		text_profile_read(index_file(&scene->session, index_process(*ret_index, comm), ".txt"), ret_text), 0);
}

/* Estimated objects of each size, told apart by size and by line: both must agree, for each size has a line of its own.
 */
static void estimate(const struct text_profile *text, const uint64_t *sizes, double *ret_objects, unsigned int count)
{
	unsigned int lines[16] = {0};

	for (size_t i = 0; i < text->count; i++) {
		const struct text_record *record = &text->records[i];
		unsigned int which = 0;

		while (which < count && record->alloc_bytes != sizes[which] * record->alloc_objects)
			which++;
		if (which == count || !record->frame_count)
			continue;
		if (lines[which] && lines[which] != record->frames[0].line)
			fail_msg("size %" PRIu64 " comes from lines %u and %u", sizes[which], lines[which],
				 record->frames[0].line);
		lines[which] = record->frames[0].line;
		ret_objects[which] += (double)record->alloc_objects * objects_per_sample(sizes[which]);
	}
	for (unsigned int i = 1; i < count; i++)
		assert_int_equal(lines[i], lines[i - 1] + 2);
}

static void check_experiment(struct scene *scene, const char *which, const uint64_t *sizes, unsigned int count)
{
	double low[16], high[16];
	bool outside = true;

	for (unsigned int i = 0; i <= count; i++)
		low[i] = INFINITY, high[i] = 0;
	for (int try = 0; try < TRIES && outside; try++) {
		double objects[16] = {0};
		struct text_profile text;
		cJSON *index;

		record_text(scene, "target_sampling", which, &text, &index);
		estimate(&text, sizes, objects, count);
		for (unsigned int i = 0; i < count; i++)
			objects[count] += objects[i] / count;
		outside = false;
		for (unsigned int i = 0; i <= count; i++) {
			low[i] = fmin(low[i], objects[i]);
			high[i] = fmax(high[i], objects[i]);
			outside |= low[i] > 1.1 * ROUNDS || high[i] < 0.9 * ROUNDS;
		}
		text_profile_release(&text);
		cJSON_Delete(index);
	}
	for (unsigned int i = 0; outside && i <= count; i++)
		print_error("%s: size %" PRIu64 ": estimates from %.0f to %.0f\n", which, i < count ? sizes[i] : 0,
			    low[i], high[i]);
	assert_false(outside);
}

static void test_sampling_interleaved_sizes_each_within_ten_percent(void **state)
{
	static const uint64_t sizes[] = {17 * 1024, 1024, 18 * 1024, 512, 16 * 1024, 256};

	check_experiment(*state, "large", sizes, 6);
}

static void test_sampling_small_sizes_each_within_ten_percent(void **state)
{
	static const uint64_t sizes[] = {1024, 512, 256};

	check_experiment(*state, "small", sizes, 3);
}

#define SMALL_COUNT 400000
#define LARGE_COUNT 16

struct expected {
	double objects, bytes, objects_error, bytes_error;
};

/* target_bias's own arithmetic: which of its blocks are large, and which it frees. */
static struct expected expect_mixed(bool in_use)
{
	struct expected expected = {0};

	for (int i = 0; i < SMALL_COUNT + LARGE_COUNT; i++) {
		bool large = i % (SMALL_COUNT / LARGE_COUNT + 1) == 0;
		double size = large ? 32 << 20 : 16, p = -expm1(-size / INTERVAL);

		if (in_use && i < SMALL_COUNT && i % 2 == 0)
			continue;
		expected.objects += 1;
		expected.bytes += size;
		expected.objects_error += (1 - p) / p;
		expected.bytes_error += size * size * (1 - p) / p;
	}
	expected.objects_error = sqrt(expected.objects_error);
	expected.bytes_error = sqrt(expected.bytes_error);
	return expected;
}

static void assert_within(const char *what, double value, double expected, double error)
{
	if (fabs(value - expected) > 5.5 * error)
		fail_msg("%s: %.0f, expected %.0f +- %.0f (%.1f standard errors)", what, value, expected, error,
			 (value - expected) / error);
}

static void test_sampling_sixteen_bytes_beside_32_mib_is_unbiased(void **state)
{
	struct expected allocated = expect_mixed(false), in_use = expect_mixed(true);
	struct scene *scene = *state;
	struct text_profile text;
	const cJSON *process;
	cJSON *index;

	record_text(scene, "target_bias", NULL, &text, &index);
	process = index_process(index, "target_bias");
	assert_within("alloc_objects", (double)index_number(process, "alloc_objects"), allocated.objects,
		      allocated.objects_error);
	assert_within("alloc_space", (double)index_number(process, "alloc_space"), allocated.bytes,
		      allocated.bytes_error);
	assert_within("inuse_objects", (double)index_number(process, "inuse_objects"), in_use.objects,
		      in_use.objects_error);
	assert_within("inuse_space", (double)index_number(process, "inuse_space"), in_use.bytes, in_use.bytes_error);
	text_profile_release(&text);
	cJSON_Delete(index);
}

#define TEST(name)                                                                                                     \
	cmocka_unit_test_setup_teardown(name, probes_setup, scene_teardown),                                           \
	{                                                                                                              \
#name "_inline", name, inline_setup, scene_teardown, NULL                                              \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sampling_interleaved_sizes_each_within_ten_percent),
		TEST(test_sampling_small_sizes_each_within_ten_percent),
		TEST(test_sampling_sixteen_bytes_beside_32_mib_is_unbiased),
	};

	return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}
