/* SPDX-License-Identifier: GPL-2.0-or-later */
/* include/config.h: what user space packs into the attach cookie is what the programs unpack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "include/config.h"
#include "bpf_stub.h"

/* Widths of the cookie's fields in the order of cookie_make's parameters. */
static const u32 field_max[6] = {15, 15, 15, 63, 0x3ff, 0xffffffff};

static void unpack(u64 cookie, u32 field[6])
{
	field[0] = cookie_kind(cookie);
	field[1] = cookie_arg1(cookie);
	field[2] = cookie_arg2(cookie);
	field[3] = cookie_scope(cookie);
	field[4] = cookie_allocator(cookie);
	field[5] = cookie_site(cookie);
}

static u64 pack(const u32 field[6])
{
	return cookie_make(field[0], field[1], field[2], field[3], field[4], field[5]);
}

static void assert_round_trip(const u32 field[6])
{
	u32 back[6];

	unpack(pack(field), back);
	assert_memory_equal(back, field, sizeof(back));
}

static void test_cookie_one_field_full_others_stay_empty(void **state)
{
	(void)state;
	for (u32 i = 0; i < 6; i++) {
		u32 field[6] = {0};

		field[i] = field_max[i];
		assert_round_trip(field);
	}
}

static void test_cookie_one_field_empty_others_stay_full(void **state)
{
	(void)state;
	for (u32 i = 0; i < 6; i++) {
		u32 field[6];

		memcpy(field, field_max, sizeof(field));
		field[i] = 0;
		assert_round_trip(field);
	}
}

static void test_cookie_random_fields_round_trip(void **state)
{
	(void)state;
	stub_reset(4096);
	for (u32 n = 0; n < 100000; n++) {
		u32 field[6];

		for (u32 i = 0; i < 6; i++)
			field[i] = (u32)stub_random() & field_max[i];
		assert_round_trip(field);
	}
}

static void test_cookie_value_too_wide_does_not_reach_its_neighbours(void **state)
{
	u32 wide[6], back[6];

	(void)state;
	for (u32 i = 0; i < 6; i++) {
		memset(wide, 0, sizeof(wide));
		wide[i] = field_max[i] + 1;
		unpack(pack(wide), back);
		for (u32 j = 0; j < 6; j++)
			assert_int_equal(back[j], 0);
	}
}

static void test_cookie_fields_leave_four_bits(void **state)
{
	(void)state;
	assert_true(pack(field_max) == ~(15ULL << 28));
	assert_int_equal(SCOPE_BY_PID, field_max[3]);
	assert_true(ALLOCATORS_MAX <= field_max[4] + 1);
	assert_true(CALL_NEW_ARRAY <= field_max[0]);
	assert_true(ARG_R15 <= field_max[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cookie_one_field_full_others_stay_empty),
		cmocka_unit_test(test_cookie_one_field_empty_others_stay_full),
		cmocka_unit_test(test_cookie_random_fields_round_trip),
		cmocka_unit_test(test_cookie_value_too_wide_does_not_reach_its_neighbours),
		cmocka_unit_test(test_cookie_fields_leave_four_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
