/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocators that check how a block is given back, and others: each way to allocate, with its own counterpart, is seen at both
 * ends. test_matrix has the borders; it gives back in turn, which these do not bear.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/recording.h"

#define TIMES 10
#define TEXT  96 /* of target_pairs, with its end */

/* What asks for whole multiples of its alignment has a size apart. */
static const uint64_t sizes[] = {20001, 20002, 20003, 20004, 20005, 20032, 20006, 20007, TEXT, 20008,
				 20009, 20010, 20011, 20012, 20013, 20096, 20224, 20352, 20480};

static void check(struct scene *scene, const char *preload)
{
	const char *const environment[] = {format("LD_PRELOAD=%s", preload), NULL};

	target_start(&scene->target, environment, (const char *const[]){beside("target_pairs"), NULL});
	target_ready(&scene->target);
	recording_begin(scene);
	recording_end(scene);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct tally_row row = recording_objects(scene, "target_pairs", sizes[i]);

		if (row.allocated != TIMES || row.in_use != TIMES / 2)
			fail_msg("%s: of %d blocks of %lu bytes %lu are seen, and %lu stay instead of %d", preload,
				 TIMES, (unsigned long)sizes[i], (unsigned long)row.allocated,
				 (unsigned long)row.in_use, TIMES / 2);
	}
}

static void test_pairs_of_glibc(void **state)
{
	check(*state, "");
}

static void test_pairs_of_jemalloc(void **state)
{
	check(*state, "libjemalloc.so.2");
}

static void test_pairs_of_tcmalloc(void **state)
{
	check(*state, "libtcmalloc.so.4");
}

static void test_pairs_of_tcmalloc_debug(void **state)
{
	check(*state, "libtcmalloc_debug.so.4");
}

static void test_pairs_of_tcmalloc_minimal_debug(void **state)
{
	check(*state, "libtcmalloc_minimal_debug.so.4");
}

static void test_pairs_of_mimalloc(void **state)
{
	check(*state, "libmimalloc.so");
}

static void test_pairs_of_an_unknown_family(void **state)
{
	check(*state, beside("allocator_own.so"));
}

static void test_pairs_through_the_plt(void **state)
{
	check(*state, beside("allocator_plt.so"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pairs_of_glibc),
		TEST(test_pairs_of_jemalloc),
		TEST(test_pairs_of_tcmalloc),
		TEST(test_pairs_of_tcmalloc_debug),
		TEST(test_pairs_of_tcmalloc_minimal_debug),
		TEST(test_pairs_of_mimalloc),
		TEST(test_pairs_of_an_unknown_family),
		TEST(test_pairs_through_the_plt),
	};

	return cmocka_run_group_tests_name("pairs", tests, NULL, NULL);
}
