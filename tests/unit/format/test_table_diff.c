/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_diff.c: two profiles of one run, of two runs, and of nothing. */
#include <sys/resource.h>

#include "unit/profile/golden.h"
#include "printed.h"

#include "format/table_diff.h"

static char *print(const struct profile *before, const struct profile *after, unsigned int top)
{
	struct printed printed;

	assert_int_equal(table_diff_print(before, after, &(struct table_view){.top = top}, printed_open(&printed)), 0);
	return printed_close(&printed);
}

/* Fields are told apart by blanks alone. */
static void assert_line(const char *text, const char *wanted)
{
	char *flat = strdup(text), *to = flat;

	for (const char *from = text; *from; from++)
		if (*from != ' ' || (to > flat && to[-1] != ' '))
			*to++ = *from;
	*to = '\0';
	if (!strstr(flat, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
	free(flat);
}

static void test_difference_of_equal_profiles_is_nothing(void **state)
{
	struct profile profile = golden_small();
	char *text = print(&profile, &profile, 20);

	(void)state;
	assert_line(text, "by change in use, 4 of 4");
	assert_line(text, "+0 B +0 in all");
	free(text);
}

/* With every allocation recorded: 7 more of 1024 bytes in use, of 10 allocated. */
static void test_difference_counts_what_came_and_what_went(void **state)
{
	struct profile before = golden_all_live(), after = golden_all_live();
	struct profile_sample changed[2];
	char *text;

	(void)state;
	before.sample_bytes = after.sample_bytes = 1;
	memcpy(changed, before.samples, sizeof(changed));
	changed[0].alloc_count += 10;
	changed[0].inuse_count += 7;
	after.samples = changed;
	text = print(&before, &after, 20);
	assert_line(text, "+7.0 KiB 0 B +10.0 KiB +3.0 KiB +7 make_node");
	assert_line(text, "+7.0 KiB 0 B +10.0 KiB +3.0 KiB +7 in all");
	free(text);
	text = print(&after, &before, 20);
	assert_line(text, "-7.0 KiB 0 B -10.0 KiB -3.0 KiB -7 make_node");
	free(text);
}

/* In another run the same code is at another address. */
static void test_difference_matches_sites_by_name(void **state)
{
	struct profile before = golden_small(), after = golden_small();
	struct profile_location moved[LOCATIONS];
	char *text;

	(void)state;
	memcpy(moved, before.locations, sizeof(moved));
	for (u32 i = 0; i < LOCATIONS; i++)
		if (moved[i].line_count)
			moved[i].address += 0x10000;
	after.locations = moved;
	text = print(&before, &after, 20);
	assert_line(text, "by change in use, 4 of 4");
	assert_line(text, "+0 B +0 in all");
	free(text);
}

static void test_difference_site_in_one_alone_has_come_or_gone(void **state)
{
	struct profile none = golden_empty(), some = golden_small();
	char *came = print(&none, &some, 1), *went = print(&some, &none, 1);

	(void)state;
	assert_line(came, "by change in use, 1 of 4");
	assert_line(came, "+5.0 MiB 1.6 MiB +5.0 MiB +0 B +163845 ns::list::grow");
	assert_line(went, "-5.0 MiB 1.6 MiB -5.0 MiB +0 B -163845 ns::list::grow");
	free(came);
	free(went);
}

static void test_difference_of_empty_profiles_has_no_site(void **state)
{
	struct profile none = golden_empty();
	char *text = print(&none, &none, 20);

	(void)state;
	assert_line(text, "by change in use, 0 of 0");
	free(text);
}

/* Frees of one were not recorded: what is in use is not known of the two together, and neither is what was freed. */
static void check_allocations_alone(struct profile before, struct profile after)
{
	struct profile_sample changed[2];
	char *text;

	before.sample_bytes = after.sample_bytes = 1;
	memcpy(changed, before.samples, sizeof(changed));
	changed[0].alloc_count += 10;
	after.samples = changed;
	text = print(&before, &after, 20);
	assert_line(text, "\nSites by change of what was allocated, 2 of 2\n");
	assert_line(text, "\n - - +10.0 KiB - +10 make_node");
	assert_line(text, "\n - - +0 B - +0 main");
	assert_line(text, "\n - - +10.0 KiB - +10 in all\n");
	free(text);
}

static void test_difference_of_allocations_says_nothing_of_what_is_in_use(void **state)
{
	struct profile full = golden_all_live(), allocations = golden_all_live();
	static u32 elsewhere[] = {MAIN, START};
	struct profile_sample samples[2];

	(void)state;
	memcpy(samples, full.samples, sizeof(samples));
	samples[1].location = elsewhere;
	samples[1].depth = 2;
	full.samples = allocations.samples = samples;
	allocations.alloc_only = true;
	check_allocations_alone(allocations, allocations);
	check_allocations_alone(full, allocations);
	check_allocations_alone(allocations, full);
}

/* One long name in very many sites: it is not copied for each of them. */
static void test_difference_of_long_names_takes_little_memory(void **state)
{
	enum {
		SITES = 20000,
		NAME = 100000
	};
	static struct profile_location locations[SITES];
	static struct profile_line lines[SITES];
	static struct profile_sample samples[SITES];
	static u32 stacks[SITES];
	static char name[NAME];
	struct profile profile = golden_empty();
	struct rusage before, after;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	for (u32 i = 0; i < SITES; i++) {
		lines[i] = (struct profile_line){.function = name, .system_name = name, .line = i + 1};
		locations[i] = (struct profile_location){
			.address = i, .mapping = MAPPING_UNKNOWN, .line_count = 1, .lines = &lines[i]};
		stacks[i] = i;
		samples[i] = (struct profile_sample){.location = &stacks[i], .depth = 1, .size = 8, .alloc_count = 1};
	}
	profile.locations = locations;
	profile.samples = samples;
	profile.location_count = profile.sample_count = SITES;
	getrusage(RUSAGE_SELF, &before);
	free(print(&profile, &profile, 20));
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 256 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_difference_of_equal_profiles_is_nothing),
		cmocka_unit_test(test_difference_counts_what_came_and_what_went),
		cmocka_unit_test(test_difference_matches_sites_by_name),
		cmocka_unit_test(test_difference_site_in_one_alone_has_come_or_gone),
		cmocka_unit_test(test_difference_of_empty_profiles_has_no_site),
		cmocka_unit_test(test_difference_of_allocations_says_nothing_of_what_is_in_use),
		cmocka_unit_test(test_difference_of_long_names_takes_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
