/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf_object.c: HEAPTAP_LIVE_MAX and HEAPTAP_RING_BYTES make maps smaller than heaptap would, which a control group has room for; never larger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/bpf_object.c"

#define NAME "HEAPTAP_LIVE_MAX"

static void test_size_from_the_environment_is_never_larger(void **state)
{
	(void)state;
	unsetenv(NAME);
	assert_int_equal(environment_size(NAME, 1000), 1000);
	setenv(NAME, "", 1);
	assert_int_equal(environment_size(NAME, 1000), 1000);
	setenv(NAME, "10", 1);
	assert_int_equal(environment_size(NAME, 1000), 10);
	setenv(NAME, "1001", 1);
	assert_int_equal(environment_size(NAME, 1000), 1000);
	/* More than 64 bits. */
	setenv(NAME, "99999999999999999999999", 1);
	assert_int_equal(environment_size(NAME, 1000), 1000);
}

/* What the kernel is asked for. */
static void test_maps_have_those_sizes(void **state)
{
	const struct kernel_options options = {
		.processes = 1,
		.footprint = {.live_rows = 65536, .ring_bytes = 1 << 20, .unwind_rows = 1 << 19},
	};
	struct kernel kernel = {.skeleton = heaptap__open()};

	(void)state;
	assert_non_null(kernel.skeleton);
	setenv("HEAPTAP_LIVE_MAX", "524288", 1);
	setenv("HEAPTAP_RING_BYTES", "65536", 1);
	assert_int_equal(configure(&kernel, &options), 0);
	assert_int_equal(bpf_map__max_entries(kernel.skeleton->maps.live), 65536);
	assert_int_equal(bpf_map__max_entries(kernel.skeleton->maps.ring), 65536);
	assert_int_equal(kernel.skeleton->rodata->config.ring_bytes, 65536);
	heaptap__destroy(kernel.skeleton);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_from_the_environment_is_never_larger),
		cmocka_unit_test(test_maps_have_those_sizes),
	};

	return cmocka_run_group_tests_name("map sizes", tests, NULL, NULL);
}
