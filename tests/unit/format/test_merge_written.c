/* SPDX-License-Identifier: GPL-2.0-or-later */
/* merge.c: sums that are exact, what a merge of merges keeps, and input that contradicts itself. */
#include "unit/profile/made_profile.h"

#include <errno.h>
#include <stdlib.h>

#include "format/json_profile.h"
#include "format/pprof_write.h"
#include "format/text.h"
#include "unit/unwind/random.h"

static void test_merge_of_nothing_is_an_empty_profile(void **state)
{
	struct merge *merge = new_merge();

	(void)state;
	assert_int_equal(merge_profile(merge)->sample_count, 0);
	assert_string_equal(merge_profile(merge)->stem, "all");
	merge_free(merge);
	merge_free(NULL);
}

/* Truncated estimates: only apart do they add up. Fixed seed. */
static void test_merge_totals_are_the_sums_of_the_parts_at_odd_sizes(void **state)
{
	struct merge *merge = new_merge();
	u64 sum[MEASURE_MAX] = {0}, total[MEASURE_MAX];

	(void)state;
	random_state = 42;
	for (u32 pid = 1; pid <= 50; pid++) {
		struct made made;

		make(&made, pid, 0x400000 + 0x100000 * (u64)(random_number() % 5), "jit");
		for (u32 i = 0; i < 8; i++) {
			u64 alloc = 1 + random_number() % 5;

			sample(&made, i % 2, 1 + random_number() % 3000, alloc, random_number() % (alloc + 1));
		}
		/* What was two stacks of one process can be one once it is moved. */
		made.samples[6] = made.samples[7];
		profile_totals(&made.profile, total);
		for (int m = 0; m < MEASURE_MAX; m++)
			sum[m] += total[m];
		add(merge, &made);
	}
	profile_totals(merge_profile(merge), total);
	assert_memory_equal(total, sum, sizeof(sum));
	merge_free(merge);
}

static void test_merge_without_a_pid_adds_up_equal_samples(void **state)
{
	struct profile_labels labels = {.comm = (char *)"sh", .group = 1}, other = {.comm = (char *)"sh", .group = 2};
	struct merge *merge = new_merge();
	const struct profile *all;
	struct made one, two;

	(void)state;
	make(&one, 1, 0x400000, "jit");
	make(&two, 2, 0x500000, "jit");
	sample(&one, 0, 64, 2, 1);
	sample(&two, 0, 64, 3, 3);
	sample(&two, 0, 65, 1, 0);
	assert_int_equal(merge_add(merge, &one.profile, &labels), 0);
	assert_int_equal(merge_add(merge, &two.profile, &labels), 0);
	assert_int_equal(merge_add(merge, &two.profile, &other), 0);
	all = merge_profile(merge);
	assert_int_equal(all->sample_count, 4);
	assert_int_equal(all->samples[0].alloc_count, 5);
	assert_int_equal(all->samples[0].inuse_count, 4);
	assert_int_equal(all->label_count, 2);
	merge_free(merge);
}

static void test_merge_facts_add_up(void **state)
{
	struct merge *merge = new_merge();
	const struct profile *all = merge_profile(merge);
	struct made one, two;

	(void)state;
	make(&one, 1, 0x400000, "jit");
	make(&two, 3, 0x500000, "jit");
	add(merge, &two);
	add(merge, &one);
	assert_int_equal(all->processes, 2);
	assert_int_equal(all->start_unix_ns, 1000);
	assert_int_equal(all->duration_ns, 2500);
	assert_int_equal(all->ledger[COUNTER_LOST_RING], 4);
	assert_int_equal(all->cpu_ns, 200);
	assert_true(all->hit_cost_ns > 1.99 && all->hit_cost_ns < 2.01);
	assert_true(all->slowdown_percent > 19.9 && all->slowdown_percent < 20.1);
	assert_false(all->model.known);
	merge_free(merge);
}

static void test_merge_of_a_merge_keeps_labels_and_numbers(void **state)
{
	struct merge *merge = new_merge(), *again = new_merge();
	struct made one, two;
	u64 total[MEASURE_MAX], sum[MEASURE_MAX];

	(void)state;
	make(&one, 1, 0x400000, "jit");
	make(&two, 2, 0x500000, "jit");
	sample(&one, 0, 63, 3, 1);
	sample(&two, 0, 63, 3, 1);
	add(merge, &one);
	add(merge, &two);
	assert_int_equal(merge_add(again, merge_profile(merge), NULL), 0);
	profile_totals(merge_profile(merge), total);
	profile_totals(merge_profile(again), sum);
	assert_memory_equal(total, sum, sizeof(sum));
	assert_int_equal(merge_profile(again)->label_count, 2);
	assert_int_equal(merge_profile(again)->processes, 2);
	merge_free(merge);
	assert_string_equal(frame(merge_profile(again), 1, 0)->lines[0].file, "/src/leaf.c");
	merge_free(again);
}

static bool has_pid(const struct profile_labels *labels, const void *pid)
{
	return labels->pid == *(const u32 *)pid;
}

static void test_merge_select_takes_what_is_wanted_and_is_described(void **state)
{
	struct merge *merge = new_merge(), *part = new_merge();
	struct profile facts = {.comm = (char *)"part", .stem = (char *)"part.2", .sample_bytes = 1000, .processes = 1};
	struct made one, two;
	u32 pid = 2;

	(void)state;
	make(&one, 1, 0x400000, "jit");
	make(&two, 2, 0x500000, "jit");
	sample(&one, 0, 63, 3, 1);
	sample(&two, 0, 65, 7, 1);
	add(merge, &one);
	add(merge, &two);
	assert_int_equal(merge_select(part, merge_profile(merge), has_pid, &pid), 0);
	merge_describe(part, &facts);
	assert_int_equal(merge_profile(part)->sample_count, 1);
	assert_int_equal(merge_profile(part)->samples[0].alloc_count, 7);
	assert_string_equal(merge_profile(part)->stem, "part.2");
	assert_int_equal(merge_profile(part)->ledger[COUNTER_LOST_RING], 0);
	merge_free(part);
	merge_free(merge);
}

static void test_merge_refuses_another_interval(void **state)
{
	struct merge *merge = new_merge();
	struct made one, two, three;

	(void)state;
	make(&one, 1, 0x400000, "jit");
	make(&two, 2, 0x400000, "jit");
	make(&three, 3, 0x400000, "jit");
	two.profile.sample_bytes = 2000;
	three.profile.alloc_only = true;
	add(merge, &one);
	assert_int_equal(merge_add(merge, &two.profile, NULL), -EINVAL);
	assert_int_equal(merge_add(merge, &three.profile, NULL), -EINVAL);
	assert_int_equal(merge_profile(merge)->processes, 1);
	merge_free(merge);
}

/* Indices beyond tables, mappings that end before they begin or cover everything, stacks of nothing. */
static void test_merge_of_what_contradicts_itself_stays_within_bounds(void **state)
{
	struct merge *merge = new_merge();
	struct made one, two;
	char *text;
	size_t size;
	FILE *out;

	(void)state;
	make(&one, 1, 0x400000, "jit");
	one.mappings[0].end = 0;
	one.mappings[1].path = (char *)"/everything";
	one.mappings[1].start = 0;
	one.mappings[1].end = UINT64_MAX;
	one.locations[LEAF].mapping = 77;
	one.locations[ROOT].line_count = 0;
	sample(&one, 0, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	sample(&one, 1, 0, 1, 1);
	one.samples[1].depth = 0;
	add(merge, &one);
	make(&two, 2, 0x400000, "jit");
	sample(&two, 1, 8, 1, 1);
	add(merge, &two);
	two.stacks[1][0] = 1000;
	assert_int_equal(merge_add(merge, &two.profile, NULL), -EINVAL);
	two.stacks[1][0] = 0;
	two.samples[0].labels = 5;
	assert_int_equal(merge_add(merge, &two.profile, NULL), -EINVAL);
	assert_int_equal(merge_profile(merge)->sample_count, 3);
	out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(json_profile_write(merge_profile(merge), out), 0);
	assert_int_equal(pprof_write(merge_profile(merge), out), 0);
	assert_int_equal(text_write(merge_profile(merge), out), 0);
	fclose(out);
	free(text);
	merge_free(merge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_of_nothing_is_an_empty_profile),
		cmocka_unit_test(test_merge_totals_are_the_sums_of_the_parts_at_odd_sizes),
		cmocka_unit_test(test_merge_without_a_pid_adds_up_equal_samples),
		cmocka_unit_test(test_merge_facts_add_up),
		cmocka_unit_test(test_merge_of_a_merge_keeps_labels_and_numbers),
		cmocka_unit_test(test_merge_select_takes_what_is_wanted_and_is_described),
		cmocka_unit_test(test_merge_refuses_another_interval),
		cmocka_unit_test(test_merge_of_what_contradicts_itself_stays_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
