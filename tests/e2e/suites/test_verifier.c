/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's verifier follows a million instructions of a program. How many it takes depends on the compiler as much as on the source,
 * so each program must do with a quarter of them: one that comes near is noticed before another compiler, or kernel, refuses it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "base/status.h"
#include "trace/attach_method.h"
#include "trace/bpf_internal.h"
#include "unit/base/capture.h"

#define VERIFIED_MAX 250000

static void check_program(struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	u32 size = sizeof(info);

	if (bpf_program__fd(program) < 0)
		return;
	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	printf("%s: %u instructions verified\n", bpf_program__name(program), info.verified_insns);
	assert_in_range(info.verified_insns, 1, VERIFIED_MAX);
}

/* Whatever programs there are, the more the better. */
static void check(enum attach_kind kind)
{
	const struct kernel_options options = {
		.sample_bytes = 524288,
		.pools = true,
		.inlined = true,
		.processes = 1,
		.population = POPULATION_CGROUP,
		.kind = kind,
		.footprint = footprint_choose(false, 1, UINT64_MAX),
	};
	struct bpf_program *program = NULL;
	struct kernel *kernel;
	int err = kernel_open(&options, &kernel);

	if (err == -EINVAL && kind != ATTACH_PERF) {
		print_message("this kernel has no %s links\n", attach_kind_name(kind));
		skip();
	}
	if (err)
		fail_msg("%s: the programs could not be loaded: %s", attach_kind_name(kind), strerror(-err));
	while ((program = bpf_object__next_program(kernel->skeleton->obj, program)))
		check_program(program);
	kernel_close(kernel);
}

static void test_verifier_has_room_for_session_links(void **state)
{
	(void)state;
	check(ATTACH_SESSION);
}

static void test_verifier_has_room_for_multi_links(void **state)
{
	(void)state;
	check(ATTACH_MULTI);
}

static void test_verifier_has_room_for_perf_events(void **state)
{
	(void)state;
	check(ATTACH_PERF);
}

static void test_verifier_that_gives_up_is_named(void **state)
{
	struct capture capture;
	const char *text;
	int status;

	(void)state;
	capture_begin(&capture, stderr);
	status = attach_method_explain("probe", -E2BIG);
	text = capture_end(&capture);
	assert_int_equal(status, STATUS_FAILED);
	assert_non_null(
		strstr(text, "cannot probe: the kernel's verifier finds the BPF programs of this build too complex"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verifier_has_room_for_session_links),
		cmocka_unit_test(test_verifier_has_room_for_multi_links),
		cmocka_unit_test(test_verifier_has_room_for_perf_events),
		cmocka_unit_test(test_verifier_that_gives_up_is_named),
	};

	return cmocka_run_group_tests_name("verifier", tests, NULL, NULL);
}
