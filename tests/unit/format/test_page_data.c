/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_data.c and what it is made of: its numbers are those of the summary, the .json profile, index.json and the .pb.gz. */
#include "page_scene.h"
#include "pprof_file.h"

#include "format/json_profile.h"
#include "format/table_summary.h"
#include "format/table_view.h"

/* What is written of one profile. */
static cJSON *written_of(const struct profile *profile, char *(*write)(const struct page *page))
{
	struct index_entry entry = index_entry_of(profile, NULL);
	struct page page = {.title = "title", .entries = &entry, .entry_count = 1, .alloc_only = profile->alloc_only};
	char *text;

	add(&page, PAGE_VIEW_PROCESS, profile, 0);
	text = write(&page);
	page_data_release(&page);
	return parse(text);
}

static cJSON *document_of(const struct profile *profile)
{
	return written_of(profile, write_document);
}

static cJSON *glance_of(const struct profile *profile)
{
	return written_of(profile, write_glance);
}

static void check_totals(const struct profile *profile, const cJSON *totals, const u64 total[MEASURE_MAX])
{
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		const cJSON *item = member(totals, profile_measure_names[m]);

		if (profile->alloc_only && measure_is_inuse(m))
			assert_true(cJSON_IsNull(item));
		else
			assert_int_equal(number(member(item, "value")), total[m]);
	}
}

/* The words of the terminal, line by line. */
static void check_summary(const struct profile *profile, const cJSON *view)
{
	struct overview overview;
	struct printed printed;
	char *text, *rest, *line;
	u32 i = 0;

	assert_int_equal(overview_make(profile, &overview), 0);
	table_summary_print(&overview, TABLE_VIEW_COLUMNS, printed_open(&printed));
	overview_release(&overview);
	rest = text = printed_close(&printed);
	while ((line = strsep(&rest, "\n")) && rest)
		assert_string_equal(at(member(view, "summary"), i++)->valuestring, line);
	assert_int_equal(count(member(view, "summary")), i);
	free(text);
}

static void check_index(const struct profile *profile, const cJSON *document)
{
	struct recording recording = {.version = "1"};
	struct index_entry entry = index_entry_of(profile, NULL);
	const cJSON *process, *row = at(member(document, "processes"), 0);
	struct printed printed;
	cJSON *index;

	assert_int_equal(index_write(&recording, &entry, 1, printed_open(&printed)), 0);
	index = parse(printed_close(&printed));
	process = at(member(index, "processes"), 0);
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		if (!profile->alloc_only || !measure_is_inuse(m))
			assert_true(cJSON_Compare(member(process, profile_measure_names[m]),
						  member(row, profile_measure_names[m]), true));
	assert_true(cJSON_Compare(member(process, "samples"), member(row, "samples"), true));
	assert_true(cJSON_Compare(member(process, "verdict"), member(row, "verdict"), true));
	assert_true(cJSON_Compare(member(process, "growth_bytes_per_second"), member(row, "growth"), true));
	cJSON_Delete(index);
}

/* Sites of the .json profile are those of the page, in all that both have. */
static void check_json_profile(const struct profile *profile, const cJSON *view)
{
	struct printed printed;
	const cJSON *site;
	cJSON *json;
	u32 i = 0;

	assert_int_equal(json_profile_write(profile, printed_open(&printed)), 0);
	json = parse(printed_close(&printed));
	assert_true(cJSON_Compare(member(json, "rss"), member(member(view, "facts"), "rss"), true));
	assert_true(cJSON_Compare(member(json, "peak"), member(member(view, "facts"), "peak"), true));
	assert_int_equal(count(member(json, "sites")), count(member(view, "sites")));
	cJSON_ArrayForEach (site, member(json, "sites")) {
		const cJSON *shown = at(member(view, "sites"), i++);

		for (unsigned int m = 0; m < MEASURE_MAX; m++) {
			if (profile->alloc_only && measure_is_inuse(m))
				continue;
			assert_true(cJSON_Compare(member(site, profile_measure_names[m]), at(member(shown, "value"), m),
						  true));
			assert_true(cJSON_Compare(member(member(site, "standard_error"), profile_measure_names[m]),
						  at(member(shown, "error"), m), true));
		}
		assert_true(cJSON_Compare(member(site, "alloc_samples"), at(member(shown, "samples"), 0), true));
	}
	cJSON_Delete(json);
}

/* What was written as .pb.gz and read again makes the same pictures. */
static void check_pprof(const struct profile *profile, const cJSON *view)
{
	static const char *const members[] = {"totals", "growth", "by", "tree", "inverted", "sites", "functions"};
	struct profile *read = read_back(profile);
	cJSON *document = document_of(read);
	const cJSON *again = at(member(document, "views"), 0);

	for (u32 i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!cJSON_Compare(member(view, members[i]), member(again, members[i]), true))
			fail_msg("'%s' differs after reading", members[i]);
	cJSON_Delete(document);
	profile_free(read);
}

/* What is seen at the first glance has the figures of the whole, and its sites are the first of those. */
static void check_glance(const struct profile *profile, const cJSON *whole, const u64 total[MEASURE_MAX])
{
	static const char *const members[] = {"name",	"kind",	  "summary", "verdicts", "facts", "totals",
					      "growth", "losses", "balance", "cost",	 "by",	  "timeline"};
	cJSON *glance = glance_of(profile);
	const cJSON *view = at(member(glance, "views"), 0);

	for (u32 i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!cJSON_Compare(member(whole, members[i]), member(view, members[i]), true))
			fail_msg("'%s' differs at the first glance", members[i]);
	check_tree(view, "tree", total);
	check_sites(view, total);
	for (u32 i = 0; i + 1 < count(member(view, "sites")); i++)
		for (const char *const *name =
			     (const char *const[]){"label", "value", "error", "verdict", "median_ns", NULL};
		     *name; name++)
			assert_true(cJSON_Compare(member(at(member(whole, "sites"), i), *name),
						  member(at(member(view, "sites"), i), *name), true));
	cJSON_Delete(glance);
}

static void check_profile(const struct profile *profile)
{
	cJSON *document = document_of(profile);
	const cJSON *view = at(member(document, "views"), 0);
	u64 total[MEASURE_MAX];

	profile_totals(profile, total);
	check_totals(profile, member(view, "totals"), total);
	check_tree(view, "tree", total);
	check_tree(view, "inverted", total);
	check_sites(view, total);
	check_summary(profile, view);
	check_index(profile, document);
	check_json_profile(profile, view);
	check_pprof(profile, view);
	check_glance(profile, view, total);
	cJSON_Delete(document);
}

static void test_page_data_has_the_numbers_of_every_other_format(void **state)
{
	struct profile small = golden_small(), live = golden_all_live(), allocations = golden_alloc_only();
	struct profile empty = golden_empty(), living = golden_living(), exact = golden_small();

	(void)state;
	exact.sample_bytes = 1;
	check_profile(&small);
	check_profile(&live);
	check_profile(&allocations);
	check_profile(&empty);
	check_profile(&living);
	check_profile(&exact);
}

/* Beside processes of --alloc-only a Go program's row has what is in use, which it says itself. */
static void test_page_data_of_a_row_is_what_is_known_of_it(void **state)
{
	struct profile known = golden_small(), unknown = golden_alloc_only();
	struct index_entry entries[] = {index_entry_of(&known, NULL), index_entry_of(&unknown, NULL)};
	struct page page = {.title = "title", .entries = entries, .entry_count = 2, .alloc_only = true};
	cJSON *document = parse(write_document(&page));
	const cJSON *rows = member(document, "processes");

	(void)state;
	assert_int_equal(number(member(at(rows, 0), "inuse_space")), entries[0].total[INUSE_SPACE]);
	assert_true(cJSON_IsNull(member(at(rows, 1), "inuse_space")));
	cJSON_Delete(document);
}

static void test_page_data_of_a_view_is_as_documented(void **state)
{
	static const struct page_detail detail = {.nodes = 100, .sites = 3, .moments = 10, .rows = 1000};
	struct profile living = golden_living();
	struct page page = {.start_unix_ns = living.start_unix_ns};
	struct page_view view = {.kind = PAGE_VIEW_PROCESS, .name = "4242 small", .profile = &living};
	struct printed printed;
	char *text;

	(void)state;
	assert_int_equal(page_view_write(&page, &view, &detail, printed_open(&printed)), 0);
	text = printed_close(&printed);
	assert_golden(text, "living.page");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_data_has_the_numbers_of_every_other_format),
		cmocka_unit_test(test_page_data_of_a_row_is_what_is_known_of_it),
		cmocka_unit_test(test_page_data_of_a_view_is_as_documented),
	};

	return cmocka_run_group_tests(tests, make_file, close_file);
}
