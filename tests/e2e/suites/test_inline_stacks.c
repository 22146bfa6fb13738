/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks of samples that are taken in the process, call for call, against libunwind in the same run: of all that makes a stack
 * hard to walk, as test_unwind has it for probes. The target must not notice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/truestack.h"

#define SCENE(name, word)                                                                                              \
	static void test_inline_##name##_right_or_counted(void **state)                                                \
	{                                                                                                              \
		stacks_inline_scene(*state, "target_unwind_scenes", word, 99);                                         \
	}                                                                                                              \
	static void test_inline_##name##_with_cf_protection_right_or_counted(void **state)                             \
	{                                                                                                              \
		stacks_inline_scene(*state, "target_unwind_scenes_cet", word, 99);                                     \
	}

SCENE(signal_handler, "signal")
SCENE(alternate_stack, "altstack")
SCENE(longjmp_out_of_handler, "longjmp")
SCENE(longjmp, "jump")
SCENE(thread_key_destructor, "thread-end")
SCENE(alloca, "alloca")
SCENE(ucontext, "ucontext")
SCENE(realigned_stack, "realign")
SCENE(vfork, "vfork")

#define TEST(name)                                                                                                     \
	cmocka_unit_test_setup_teardown(test_inline_##name##_right_or_counted, scene_setup, scene_teardown),           \
		cmocka_unit_test_setup_teardown(test_inline_##name##_with_cf_protection_right_or_counted, scene_setup, \
						scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signal_handler), TEST(alternate_stack), TEST(longjmp_out_of_handler),
		TEST(longjmp),	      TEST(alloca),	     TEST(thread_key_destructor),
		TEST(ucontext),	      TEST(realigned_stack), TEST(vfork),
	};

	return cmocka_run_group_tests_name("inline_stacks", tests, NULL, NULL);
}
