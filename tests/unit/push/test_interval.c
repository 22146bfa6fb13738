/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interval.c: each process's samples are in the pair of its series, in no other, and their sums are those of the profile. */
#include "unit/profile/made_profile.h"

#include <stdlib.h>
#include <string.h>

#include "push/interval.h"
#include "unit/system/scratch.h"

#define ID	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LOG	 "web-5d9_shop_front-" ID ".log"
#define END_NS	 1700000000000000000
#define SENT_MAX 8

/* What was encoded. */
static struct {
	char service[32], pid[16], executable[32];
	enum measure first;
	u64 time_ns, duration_ns, value[MEASURE_MAX];
} sent[SENT_MAX];
static u32 sent_count;

static const struct label_list no_labels;
static struct push_series_table table;
static struct source_listing listing;
static struct made made[3];
static struct merge *merge;

static void note(char *text, size_t size, const struct label_list *labels, const char *name)
{
	const char *value = label_list_find(labels, name);

	snprintf(text, size, "%s", value ? value : "");
}

static int encode(const struct push_profile *profiles, u32 count, unsigned char **ret_body, size_t *ret_size)
{
	for (u32 i = 0; i < count; i++) {
		const struct pprof_stacks *stacks = &profiles[i].stacks;

		assert_true(sent_count < SENT_MAX);
		note(sent[sent_count].service, sizeof(sent->service), profiles[i].labels, "service_name");
		note(sent[sent_count].pid, sizeof(sent->pid), profiles[i].labels, "pid");
		note(sent[sent_count].executable, sizeof(sent->executable), profiles[i].labels, "executable");
		sent[sent_count].first = stacks->first;
		sent[sent_count].time_ns = stacks->time_unix_ns;
		sent[sent_count].duration_ns = stacks->duration_ns;
		for (u32 n = 0; n < stacks->count; n++)
			for (unsigned int m = stacks->first; m < stacks->end; m++)
				sent[sent_count].value[m] += stacks->rows[n].value[m];
		sent_count++;
	}
	*ret_body = calloc(1, 1);
	*ret_size = 1;
	return 0;
}

static int take(const struct push_request *request, void *arg)
{
	(void)request, (void)arg;
	return 0;
}

static void forget_sent(void)
{
	memset(sent, 0, sizeof(sent));
	sent_count = 0;
}

static void list(const struct made *process)
{
	struct profile *facts = profile_copy_facts(&process->profile);

	facts->exe = strdup("/usr/bin/program");
	assert_int_equal(index_table_add(&listing.processes, facts, NULL), 0);
}

/* Three processes: two of one name, 7 and 8, and 9 that is not listed any more. */
static int setup(void **state)
{
	forget_sent();
	listing = (struct source_listing){0};
	table = (struct push_series_table){.store = STORE_PYROSCOPE, .own = &no_labels};
	merge = new_merge();
	for (u32 i = 0; i < 3; i++) {
		make(&made[i], 7 + i, 0x10000 * (i + 1), "jit");
		made[i].profile.sample_bytes = 1;
		sample(&made[i], 0, 10, 10 + i, 2);
		sample(&made[i], 1, 100, 1, 0);
	}
	made[2].profile.comm = (char *)"gone";
	for (u32 i = 0; i < 2; i++)
		list(&made[i]);
	return scratch_setup(state);
}

static int teardown(void **state)
{
	merge_free(merge);
	source_listing_release(&listing);
	push_series_release(&table);
	return scratch_teardown(state);
}

static const struct profile *merge_made(u32 count)
{
	for (u32 i = 0; i < count; i++)
		assert_int_equal(source_merge(merge, &made[i].profile), 0);
	return merge_profile(merge);
}

static void send(const struct profile *profile)
{
	static const struct push_store store = {"/", "", encode, NULL};
	const struct interval interval = {&listing, profile, "here", ".", END_NS};
	struct batch batch = {.store = &store, .send = take};

	assert_int_equal(interval_sort(&interval, &table), 0);
	assert_int_equal(interval_send(&interval, &table, &batch), 0);
	assert_int_equal(batch.lost.taken.requests, 0);
}

/* The only one of that series and measure; fails where there are none or two. */
static u64 value_of(const char *service, const char *pid, enum measure measure)
{
	u64 found = UINT64_MAX;

	for (u32 i = 0; i < sent_count; i++)
		if (!strcmp(sent[i].service, service) && !strcmp(sent[i].pid, pid) &&
		    sent[i].first == (measure < INUSE_OBJECTS ? ALLOC_OBJECTS : INUSE_OBJECTS)) {
			assert_int_equal(found, UINT64_MAX);
			found = sent[i].value[measure];
		}
	return found;
}

static void test_interval_of_named_processes_has_their_pids(void **state)
{
	(void)state;
	listing.named = true;
	send(merge_made(3));
	assert_int_equal(sent_count, 6);
	assert_int_equal(value_of("made", "7", ALLOC_OBJECTS), 11);
	assert_int_equal(value_of("made", "8", ALLOC_SPACE), 210);
	assert_int_equal(value_of("made", "8", INUSE_SPACE), 20);
	assert_int_equal(value_of("gone", "9", ALLOC_OBJECTS), 13);
	assert_string_equal(sent[0].executable, "program");
}

static void test_interval_adds_up_what_has_equal_labels(void **state)
{
	(void)state;
	send(merge_made(3));
	assert_int_equal(sent_count, 4);
	assert_int_equal(value_of("made", "", ALLOC_OBJECTS), 23);
	assert_int_equal(value_of("made", "", INUSE_OBJECTS), 4);
	assert_int_equal(value_of("gone", "", INUSE_SPACE), 20);
}

static void test_interval_of_one_process_has_no_labels_to_go_by(void **state)
{
	(void)state;
	listing.named = true;
	send(&made[1].profile);
	assert_int_equal(sent_count, 2);
	assert_int_equal(value_of("made", "8", ALLOC_OBJECTS), 12);
	/* The second time the sums are not added to those of the first. */
	forget_sent();
	send(&made[1].profile);
	assert_int_equal(value_of("made", "8", ALLOC_OBJECTS), 12);
}

static void test_interval_times_tell_a_moment_from_a_difference(void **state)
{
	(void)state;
	send(&made[0].profile);
	for (u32 i = 0; i < sent_count; i++) {
		u64 duration = sent[i].first == INUSE_OBJECTS ? 0 : made[0].profile.duration_ns;

		assert_int_equal(sent[i].duration_ns, duration);
		assert_int_equal(sent[i].time_ns, END_NS - duration);
	}
	assert_int_equal(sent_count, 2);
}

static void test_interval_without_frees_says_nothing_of_what_is_in_use(void **state)
{
	(void)state;
	made[0].profile.alloc_only = true;
	send(&made[0].profile);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0].first, ALLOC_OBJECTS);
}

static void test_interval_sends_nothing_of_who_has_nothing(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++)
		made[0].samples[i].alloc_count = made[0].samples[i].inuse_count = 0;
	send(&made[0].profile);
	assert_int_equal(sent_count, 0);
}

/* Labels are all there is of processes that ended long ago. */
static void test_interval_takes_series_only_of_who_has_something(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++)
		made[2].samples[i].alloc_count = made[2].samples[i].inuse_count = 0;
	listing.named = true;
	send(merge_made(3));
	assert_int_equal(sent_count, 4);
	assert_int_equal(HASH_COUNT(table.rows), 2);
}

/* kubelet removes the log's link before the last samples come. */
static void test_interval_keeps_the_namespace_of_a_container_whose_log_went(void **state)
{
	(void)state;
	source_listing_release(&listing);
	made[0].profile.container = (char *)ID;
	made[0].profile.container_name = (char *)"web-5d9/front";
	list(&made[0]);
	scratch_file(LOG, "", 0600);
	send(merge_made(1));
	assert_int_equal(value_of("shop/front", "", ALLOC_OBJECTS), 11);
	assert_int_equal(unlink(LOG), 0);
	forget_sent();
	send(merge_profile(merge));
	assert_int_equal(value_of("shop/front", "", ALLOC_OBJECTS), 11);
	/* Its last samples may come when it is not listed any more. */
	source_listing_release(&listing);
	forget_sent();
	send(merge_profile(merge));
	assert_int_equal(value_of("shop/front", "", ALLOC_OBJECTS), 11);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_interval_of_named_processes_has_their_pids),
		TEST(test_interval_adds_up_what_has_equal_labels),
		TEST(test_interval_of_one_process_has_no_labels_to_go_by),
		TEST(test_interval_times_tell_a_moment_from_a_difference),
		TEST(test_interval_without_frees_says_nothing_of_what_is_in_use),
		TEST(test_interval_sends_nothing_of_who_has_nothing),
		TEST(test_interval_takes_series_only_of_who_has_something),
		TEST(test_interval_keeps_the_namespace_of_a_container_whose_log_went),
	};

	return cmocka_run_group_tests_name("interval", tests, NULL, NULL);
}
