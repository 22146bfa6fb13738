/* SPDX-License-Identifier: GPL-2.0-or-later */
/* denial.c: why COMMAND's files are not copied: a capability that is missing, or else what no capability helps against. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>

#define privileges_read privileges_of_test

#include "trace/denial.c"

#define ALL (1ULL << CAP_SYS_ADMIN | 1ULL << CAP_CHOWN | 1ULL << CAP_FOWNER)

static u64 effective;
static int read_err;

int privileges_of_test(struct privileges *ret_privileges)
{
	*ret_privileges = (struct privileges){.effective = effective, .root = true};
	return read_err;
}

static void check(u64 have, const char *expected)
{
	char text[DENIAL_TEXT_MAX];

	effective = have;
	assert_string_equal(denial_explain_copies(text), expected);
}

static void test_copies_name_each_capability_that_is_missing(void **state)
{
	(void)state;
	check(ALL & ~(1ULL << CAP_SYS_ADMIN), "heaptap has no CAP_SYS_ADMIN here");
	check(ALL & ~(1ULL << CAP_CHOWN), "heaptap has no CAP_CHOWN here");
	check(ALL & ~(1ULL << CAP_FOWNER), "heaptap has no CAP_FOWNER here");
	check(0, "heaptap has no CAP_SYS_ADMIN, CAP_CHOWN, CAP_FOWNER here");
}

/* Also where it cannot be told which there are: none is blamed then. */
static void test_copies_blame_no_capability_that_is_there(void **state)
{
	static const char otherwise[] = "a security module, or a user namespace, forbids copies of its files, although "
					"no capability is missing";

	(void)state;
	check(ALL, otherwise);
	read_err = -EACCES;
	check(0, otherwise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies_name_each_capability_that_is_missing),
		cmocka_unit_test(test_copies_blame_no_capability_that_is_there),
	};

	return cmocka_run_group_tests_name("denial", tests, NULL, NULL);
}
