/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_views.c: what the page of a recording says of it as a whole. */
#include "unit/format/recording_scene.h"

#include "live/page_views.h"
#include "live/recorded.h"

/* As the page has it where nothing is compressed, for what is shown at first. */
static bool is_alloc_only(const struct profile *const *profiles, u32 count)
{
	const struct page_views_options options = {.title = "test"};
	struct source *source;
	char *text = NULL, *said;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool alloc_only;

	record(profiles, count, true);
	assert_int_equal(recorded_open(scratch_path, &source), STATUS_DONE);
	assert_int_equal(page_views_write(source, &options, out), 0);
	source_close(source);
	fclose(out);
	said = strstr(text, "\"recording\":{");
	assert_non_null(said);
	*strchr(said, '}') = '\0';
	alloc_only = strstr(said, "\"alloc_only\":true");
	assert_true(alloc_only || strstr(said, "\"alloc_only\":false"));
	free(text);
	return alloc_only;
}

/* A Go program's own profile is never of --alloc-only, whatever the recording is. */
static void test_page_views_of_alloc_only_beside_go(void **state)
{
	struct profile go = one(7, "go"), alone = golden_alloc_only();

	(void)state;
	snprintf(go.go.version, sizeof(go.go.version), "go1.24");
	alone.pid = 800;
	assert_true(is_alloc_only((const struct profile *const[]){&go, &alone}, 2));
	assert_false(is_alloc_only((const struct profile *const[]){&go}, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_views_of_alloc_only_beside_go),
	};

	return cmocka_run_group_tests_name("page_views", tests, scratch_setup, scratch_teardown);
}
