/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inline/landing: padding that is never run, has room for a near jump and is reached by a short one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inline/landing.h"

#define RET 0xc3
#define NOP 0x90

static void assert_landing(const u8 *code, size_t size, u32 expected)
{
	assert_int_equal(landing_find(code, size), expected);
}

static void test_landing_of_real_functions(void **state)
{
	/* jemalloc's _ZdlPvm from its je on, mimalloc's mi_heap_malloc_aligned_at from its jmp on (Debian 12) */
	static const u8 delete[] = {0x74, 0x13, 0x48, 0x83, 0xec, 0x08, 0xe8, 0x12, 0x33, 0xf8, 0xff, 0x48, 0x83,
				    0xc4, 0x08, 0xc3, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0xc3, 0x0f, 0x1f, 0x80};
	static const u8 aligned[] = {0xeb, 0x8b, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00};

	(void)state;
	assert_landing(delete, sizeof(delete), 16);
	assert_landing(aligned, sizeof(aligned), 2);
}

static void test_landing_has_room(void **state)
{
	static const u8 four[] = {RET, NOP, NOP, NOP, NOP, RET}, five[] = {RET, NOP, NOP, NOP, NOP, NOP};
	/* the first padding is too small, and int3 is padding too */
	static const u8 second[] = {RET, NOP, RET, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc};

	(void)state;
	assert_landing(four, sizeof(four), 0);
	assert_landing(five, sizeof(five), 1);
	assert_landing(second, sizeof(second), 3);
}

/* As loops are aligned. */
static void test_landing_is_not_run(void **state)
{
	static const u8 run[] = {0x31, 0xc0, NOP, NOP, NOP, NOP, NOP, RET};
	static const u8 called[] = {0xe8, 0, 0, 0, 0, NOP, NOP, NOP, NOP, NOP, RET};
	static const u8 skipped[] = {0x74, 5, NOP, NOP, NOP, NOP, NOP, RET};

	(void)state;
	assert_landing(run, sizeof(run), 0);
	assert_landing(called, sizeof(called), 0);
	assert_landing(skipped, sizeof(skipped), 0);
}

static void test_landing_is_within_reach(void **state)
{
	u8 code[LANDING_BEHIND];

	(void)state;
	for (u32 at = 120; at < 140; at++) {
		memset(code, 0x50, sizeof(code));
		code[at - 1] = RET;
		memset(code + at, NOP, LANDING_BYTES);
		assert_landing(code, sizeof(code), at <= 129 ? at : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_landing_of_real_functions),
		cmocka_unit_test(test_landing_has_room),
		cmocka_unit_test(test_landing_is_not_run),
		cmocka_unit_test(test_landing_is_within_reach),
	};

	return cmocka_run_group_tests_name("landing", tests, NULL, NULL);
}
