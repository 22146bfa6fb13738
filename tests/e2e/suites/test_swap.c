/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libraries that come and go at one address, faster than heaptap can follow: every allocation is named by the library
 * that made it, its stack whole, or cut and counted; never wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define ROUNDS	     400
#define OF_EACH_SIZE (2 * ROUNDS)
#define BUSY	     3 /* processes that want all the time there is */

static const char *const colours[] = {"red", "green", "blue"};

#define COLOURS (sizeof(colours) / sizeof(*colours))

struct verdict {
	uint64_t whole, cut, wrong;
};

/* Is what the record has, innermost function first, how the chain begins? */
static bool begins(const struct text_record *record, const char *const *chain)
{
	for (unsigned int i = 0; i < record->frame_count && chain[i]; i++) {
		if (strcmp(record->frames[i].function, chain[i]) != 0) {
			print_message("frame %u of %lu bytes: '%s' instead of '%s'\n", i,
				      record->alloc_bytes / record->alloc_objects, record->frames[i].function,
				      chain[i]);
			return false;
		}
	}
	return record->frame_count > 0;
}

static unsigned int length(const char *const *chain)
{
	unsigned int count = 0;

	while (chain[count])
		count++;
	return count;
}

static void judge(const struct text_profile *profile, uint64_t size, const char *const *chain, struct verdict *verdict)
{
	uint64_t objects = 0;

	for (size_t i = 0; i < profile->count; i++) {
		const struct text_record *record = &profile->records[i];

		if (!record->alloc_objects || record->alloc_bytes != size * record->alloc_objects)
			continue;
		objects += record->alloc_objects;
		if (!begins(record, chain))
			verdict->wrong += record->alloc_objects;
		else if (record->frame_count < length(chain))
			verdict->cut += record->alloc_objects;
		else
			verdict->whole += record->alloc_objects;
	}
	assert_int_equal(objects, OF_EACH_SIZE);
}

static struct verdict judge_all(const struct text_profile *profile)
{
	struct verdict verdict = {0};

	for (size_t i = 0; i < COLOURS; i++) {
		const char *inner = format("%s_inner", colours[i]), *outer = format("%s_outer", colours[i]);

		judge(profile, 1000 + i, (const char *const[]){inner, outer, "allocate_in", "main", NULL}, &verdict);
		judge(profile, 2000 + i,
		      (const char *const[]){"called_back", inner, outer, "allocate_in", "main", NULL}, &verdict);
	}
	return verdict;
}

/* Stacks of which the ledger says that they do not reach the root. */
static uint64_t counted_short(const cJSON *process)
{
	static const char *const ends[] = {"truncated",	 "too_deep", "no_mapping", "no_rule", "no_table",
					   "unreadable", "stuck",    "cut",	   "stale"};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sum += index_number(process, format("ledger.stack_%s", ends[i]));
	return sum;
}

static void assert_swaps_right(struct scene *scene, const char *kind)
{
	const char *args[6 + 3 + COLOURS] = {"-R", "1", "-f", "text,pprof", "--", beside("target_swap")};
	const cJSON *process;
	struct verdict verdict, of_proto;
	struct text_profile text, proto;
	cJSON *index;

	args[6] = format("%d", ROUNDS);
	for (size_t i = 0; i < COLOURS; i++)
		args[7 + i] = beside(format("swap_%s%s.so", colours[i], kind));
	assert_int_equal(session_run(&scene->session, scene, args), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_swap");
	ledger_assert_balanced(process);
	assert_int_equal(text_profile_read(index_file(&scene->session, process, ".txt"), &text), 0);
	assert_int_equal(pprof_profile_read(index_file(&scene->session, process, ".pb.gz"), &proto), 0);
	verdict = judge_all(&text);
	of_proto = judge_all(&proto);
	text_profile_release(&text);
	text_profile_release(&proto);
	print_message("%lu whole, %lu cut, %lu wrong; %lu stale, %lu cut short for all reasons, %lu raw\n",
		      verdict.whole, verdict.cut, verdict.wrong, index_number(process, "ledger.stack_stale"),
		      counted_short(process), index_number(process, "ledger.stack_raw"));
	assert_int_equal(verdict.wrong, 0);
	assert_memory_equal(&of_proto, &verdict, sizeof(verdict));
	assert_true(verdict.cut <= counted_short(process));
	assert_int_equal(index_number(process, "ledger.map_lost"), 0);
	cJSON_Delete(index);
}

static void test_libraries_at_one_address_named_right_or_counted(void **state)
{
	assert_swaps_right(*state, "");
}

static void test_libraries_without_build_id_named_right_or_counted(void **state)
{
	assert_swaps_right(*state, "_plain");
}

static void test_libraries_on_a_busy_machine_named_right_or_counted(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < BUSY; i++)
		scene->more[i].pid = child_start(&(struct child_launch){
			(const char *const[]){"/bin/sh", "-c", "while :; do :; done", NULL}, NULL, -1, -1, -1, 0});
	assert_swaps_right(scene, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_libraries_at_one_address_named_right_or_counted),
		TEST(test_libraries_without_build_id_named_right_or_counted),
		TEST(test_libraries_on_a_busy_machine_named_right_or_counted),
	};

	return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
