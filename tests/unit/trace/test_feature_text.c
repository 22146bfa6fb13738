/* SPDX-License-Identifier: GPL-2.0-or-later */
/* feature_text.c, capability.c: what counts as missing, and that the sentence names it and the next step. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/feature_text.h"

#define BIT(number) (1ULL << (number))

static void assert_missing(u64 effective, bool perf_uprobes, const char *names, unsigned int count)
{
	const struct privileges privileges = {.effective = effective};
	char missing[64] = "x";

	assert_int_equal(privileges_missing(&privileges, perf_uprobes, missing, sizeof(missing)), count);
	assert_string_equal(missing, names);
}

static void test_kernels_that_rewrite_nops_are_known_by_release(void **state)
{
	(void)state;
	assert_true(feature_text_rewrites_nops("6.18.44"));
	assert_true(feature_text_rewrites_nops("6.19.0-rc1+deb14-amd64"));
	assert_true(feature_text_rewrites_nops("7.2.13"));
	assert_false(feature_text_rewrites_nops("6.1.0-37-amd64"));
	assert_false(feature_text_rewrites_nops("6.17.9"));
	assert_false(feature_text_rewrites_nops("7.3.0"));
	assert_false(feature_text_rewrites_nops("8.0"));
	assert_false(feature_text_rewrites_nops("unknown"));
}

static void test_privileges_missing_names_the_required_ones(void **state)
{
	(void)state;
	assert_missing(0, false, "CAP_BPF, CAP_PERFMON", 2);
	assert_missing(BIT(CAP_BPF), false, "CAP_PERFMON", 1);
	assert_missing(BIT(CAP_PERFMON), false, "CAP_BPF", 1);
	assert_missing(BIT(CAP_BPF) | BIT(CAP_PERFMON), false, "", 0);
	assert_missing(BIT(CAP_SYS_PTRACE), false, "CAP_BPF, CAP_PERFMON", 2);
}

static void test_privileges_missing_perf_uprobes_take_sys_admin(void **state)
{
	(void)state;
	assert_missing(BIT(CAP_BPF) | BIT(CAP_PERFMON), true, "CAP_SYS_ADMIN", 1);
	assert_missing(BIT(CAP_SYS_ADMIN), true, "", 0);
}

static void test_privileges_missing_small_buffer_is_cut(void **state)
{
	const struct privileges privileges = {.effective = 0};
	char missing[4];

	(void)state;
	assert_int_equal(privileges_missing(&privileges, false, missing, sizeof(missing)), 2);
	assert_string_equal(missing, "CAP");
}

static const struct capability *find(unsigned int number)
{
	unsigned int count, i;
	const struct capability *table = capability_table(&count);

	for (i = 0; i < count; i++)
		if (table[i].number == number)
			return &table[i];
	return NULL;
}

static void test_privileges_have_sys_admin_includes_what_was_split_off(void **state)
{
	const struct privileges admin = {.effective = BIT(CAP_SYS_ADMIN)};

	(void)state;
	assert_true(privileges_have(&admin, find(CAP_BPF)));
	assert_true(privileges_have(&admin, find(CAP_PERFMON)));
	assert_true(privileges_have(&admin, find(CAP_CHECKPOINT_RESTORE)));
	assert_false(privileges_have(&admin, find(CAP_SYS_PTRACE)));
}

static void test_privileges_read_of_ourselves_succeeds(void **state)
{
	struct privileges privileges;

	(void)state;
	memset(&privileges, 0xff, sizeof(privileges));
	assert_int_equal(privileges_read(&privileges), 0);
	assert_int_equal(privileges.effective >> 63, 0);
}

static void test_feature_text_every_feature_has_its_words(void **state)
{
	enum feature_id id;

	(void)state;
	for (id = FEATURE_NONE + 1; id < FEATURE_MAX; id++) {
		assert_non_null(feature_text_find(id)->name);
		assert_non_null(feature_text_find(id)->purpose);
		assert_non_null(strstr(feature_text_find(id)->source, "CONFIG_"));
	}
}

static void test_feature_text_missing_base_comes_first(void **state)
{
	struct features features = {.error = {[FEATURE_BTF] = -ENOENT, [FEATURE_TP_BTF] = -ESRCH}};

	(void)state;
	assert_int_equal(feature_text_missing(&features), FEATURE_BTF);
	features.error[FEATURE_BPF] = -EPERM;
	assert_int_equal(feature_text_missing(&features), FEATURE_BPF);
}

static void test_feature_text_missing_one_way_of_attaching_is_enough(void **state)
{
	struct features features = {.error = {0}};

	(void)state;
	assert_int_equal(feature_text_missing(&features), FEATURE_NONE);
	features.error[FEATURE_SESSION] = -EINVAL;
	features.error[FEATURE_PERF] = -EACCES;
	assert_int_equal(feature_text_missing(&features), FEATURE_NONE);
	features.error[FEATURE_MULTI_FILTER] = -EPROTO; /* 6.6 to 6.9 */
	assert_int_equal(feature_text_missing(&features), FEATURE_PERF);
	features.error[FEATURE_PERF] = 0;
	assert_int_equal(feature_text_missing(&features), FEATURE_NONE);
}

static const char *explain(enum feature_id id, int error, u64 effective, bool user_namespace, bool root)
{
	static char sentence[512];
	const struct privileges privileges = {.effective = effective, .user_namespace = user_namespace, .root = root};

	feature_text_explain(id, error, &privileges, sentence, sizeof(sentence));
	assert_null(strchr(sentence, '\n'));
	return sentence;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

static void test_feature_text_explain_names_capability_and_sudo(void **state)
{
	const char *sentence = explain(FEATURE_BPF, -EPERM, BIT(CAP_BPF), false, false);

	(void)state;
	assert_has(sentence, "CAP_PERFMON missing");
	assert_null(strstr(sentence, "CAP_BPF"));
	assert_has(sentence, "try 'sudo heaptap ...'");
	sentence = explain(FEATURE_PERF, -EACCES, BIT(CAP_BPF) | BIT(CAP_PERFMON), false, false);
	assert_has(sentence, "CAP_SYS_ADMIN missing");
}

static void test_feature_text_explain_root_is_not_sent_to_sudo(void **state)
{
	const char *sentence = explain(FEATURE_BPF, -EPERM, 0, false, true);

	(void)state;
	assert_has(sentence, "CAP_BPF, CAP_PERFMON missing");
	assert_has(sentence, "--privileged --pid=host");
	assert_null(strstr(sentence, "sudo"));
}

static void test_feature_text_explain_user_namespace_is_told(void **state)
{
	(void)state;
	assert_has(explain(FEATURE_BPF, -EPERM, ~0ULL, true, true), "user namespace");
}

static void test_feature_text_explain_refusal_with_all_capabilities_names_other_guards(void **state)
{
	const char *sentence = explain(FEATURE_BPF, -EPERM, ~0ULL, false, true);

	(void)state;
	assert_has(sentence, "seccomp");
	assert_has(sentence, "lockdown");
}

static void test_feature_text_explain_names_the_config_option(void **state)
{
	(void)state;
	assert_has(explain(FEATURE_BTF, -ENOENT, ~0ULL, false, true), "CONFIG_DEBUG_INFO_BTF");
	assert_has(explain(FEATURE_BPF, -ENOSYS, ~0ULL, false, true), "CONFIG_BPF_SYSCALL");
	assert_has(explain(FEATURE_PERF, -EOPNOTSUPP, ~0ULL, false, true), "CONFIG_UPROBE_EVENTS");
	assert_has(explain(FEATURE_PERF, -EOPNOTSUPP, ~0ULL, false, true), "CONFIG_UPROBES");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernels_that_rewrite_nops_are_known_by_release),
		cmocka_unit_test(test_privileges_missing_names_the_required_ones),
		cmocka_unit_test(test_privileges_missing_perf_uprobes_take_sys_admin),
		cmocka_unit_test(test_privileges_missing_small_buffer_is_cut),
		cmocka_unit_test(test_privileges_have_sys_admin_includes_what_was_split_off),
		cmocka_unit_test(test_privileges_read_of_ourselves_succeeds),
		cmocka_unit_test(test_feature_text_every_feature_has_its_words),
		cmocka_unit_test(test_feature_text_missing_base_comes_first),
		cmocka_unit_test(test_feature_text_missing_one_way_of_attaching_is_enough),
		cmocka_unit_test(test_feature_text_explain_names_capability_and_sudo),
		cmocka_unit_test(test_feature_text_explain_root_is_not_sent_to_sudo),
		cmocka_unit_test(test_feature_text_explain_user_namespace_is_told),
		cmocka_unit_test(test_feature_text_explain_refusal_with_all_capabilities_names_other_guards),
		cmocka_unit_test(test_feature_text_explain_names_the_config_option),
	};

	return cmocka_run_group_tests_name("requirement", tests, NULL, NULL);
}
