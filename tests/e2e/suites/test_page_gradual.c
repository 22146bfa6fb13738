/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page while its data come, in Debian's Chromium: of one profile, and of two. Nothing here is recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/view/wide_profile.h"

#include "e2e/kit/browser.h"
#include "e2e/kit/session.h"
#include "format/pprof_write.h"

static void write_wide(const char *path, uint32_t sites)
{
	struct wide_profile wide;
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	wide_profile_make(&wide, sites, 12);
	wide_profile_add_lifetimes(&wide);
	assert_int_equal(pprof_write(&wide.profile, out), 0);
	assert_int_equal(fclose(out), 0);
	wide_profile_release(&wide);
}

/* Half of the sites are gone in the second one of two. */
static void test_page_that_comes_gradually_keeps_what_is_chosen(void **state)
{
	struct scene *scene = *state;
	const char *before = format("%s/before.pb.gz", scene->dir), *after = format("%s/after.pb.gz", scene->dir);
	const char *single = format("%s/single.html", scene->dir), *pair = format("%s/pair.html", scene->dir);

	write_wide(before, 4000);
	write_wide(after, 2000);
	browser_make_page(format("--html '%s' '%s'", single, before));
	browser_make_page(format("--html '%s' --base '%s' '%s'", pair, before, after));
	browser_run("gradual.mjs", single, pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_page_that_comes_gradually_keeps_what_is_chosen, scene_setup,
						scene_teardown),
	};

	return cmocka_run_group_tests_name("page_gradual", tests, NULL, NULL);
}
