/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inline/incoming_branch: branches of every form and distance are found, and what only looks like one is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inline/incoming_branch.h"

#define NOP 0x90

/* --- near ones --- */

static void test_near_branches_are_found(void **state)
{
	const struct branch_range ranges[] = {{0x10001, 0x10006}, {0x20001, 0x20005}};
	u8 text[64];
	s32 displacement;

	(void)state;
	memset(text, NOP, sizeof(text));
	assert_int_equal(incoming_branch_near(text, sizeof(text), 0x30000, ranges, 2), -1);
	text[11] = 0xe8;
	displacement = 0x20000 - (0x30000 + 16); /* to the function itself */
	memcpy(text + 12, &displacement, 4);
	assert_int_equal(incoming_branch_near(text, sizeof(text), 0x30000, ranges, 2), -1);
	displacement++;
	memcpy(text + 12, &displacement, 4);
	assert_int_equal(incoming_branch_near(text, sizeof(text), 0x30000, ranges, 2), 1);
	text[11] = 0x85;
	assert_int_equal(incoming_branch_near(text, sizeof(text), 0x30000, ranges, 2), -1);
	text[10] = 0x0f;
	assert_int_equal(incoming_branch_near(text, sizeof(text), 0x30000, ranges, 2), 1);
	assert_int_equal(incoming_branch_near(text, 15, 0x30000, ranges, 2), -1);
}

static void test_near_branch_between_two_ranges_is_none(void **state)
{
	const struct branch_range ranges[] = {{0x10001, 0x10006}, {0x20001, 0x20005}};
	const s32 places[] = {0x10000, 0x10001, 0x10005, 0x10006, 0x18000, 0x20000, 0x20001, 0x20004, 0x20005};
	const int found[] = {-1, 0, 0, -1, -1, -1, 1, 1, -1};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		u8 jump[5] = {0xe9};
		s32 displacement = places[i] - 0x30005;

		memcpy(jump + 1, &displacement, 4);
		assert_int_equal(incoming_branch_near(jump, sizeof(jump), 0x30000, ranges, 2), found[i]);
	}
}

/* --- short ones --- */

#define TEXT_BYTES (INCOMING_BRANCH_BEFORE + 8 + INCOMING_BRANCH_BEHIND)
#define ADDRESS	   0x40000ULL

static const struct branch_range eight = {ADDRESS + INCOMING_BRANCH_BEFORE, ADDRESS + INCOMING_BRANCH_BEFORE + 8};

/* Nops, and `size` bytes at that distance from the range's first byte. */
static int find_short(long distance, const void *instruction, size_t size)
{
	u8 text[TEXT_BYTES];

	memset(text, NOP, sizeof(text));
	memcpy(text + INCOMING_BRANCH_BEFORE + distance, instruction, size);
	return incoming_branch_short(text, sizeof(text), ADDRESS, &eight);
}

static void test_short_branches_of_all_forms_are_found(void **state)
{
	static const struct {
		u8 bytes[4];
		u8 size;
	} forms[] = {
		{{0xeb, 0x20}, 2},	       /* jmp */
		{{0x70, 0x20}, 2},	       /* jo */
		{{0x7f, 0x20}, 2},	       /* jg */
		{{0xe0, 0x20}, 2},	       /* loopne */
		{{0xe2, 0x20}, 2},	       /* loop */
		{{0xe3, 0x20}, 2},	       /* jrcxz */
		{{0x67, 0xe3, 0x1f}, 3},       /* jecxz */
		{{0x2e, 0x74, 0x1f}, 3},       /* je, expected not to be taken */
		{{0xf2, 0xeb, 0x1f}, 3},       /* bnd jmp */
		{{0xf2, 0x2e, 0x75, 0x1e}, 4}, /* both */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (find_short(-0x22, forms[i].bytes, forms[i].size) != 1)
			fail_msg("form %zu", i);
}

static void test_short_branches_are_found_as_far_as_they_reach(void **state)
{
	(void)state;
	for (int displacement = -128; displacement < 128; displacement++)
		for (long to = -1; to <= 8; to++) {
			const u8 jump[] = {0xeb, (u8)displacement};
			long distance = to - 2 - displacement;
			bool into = to >= 0 && to < 8;

			if (find_short(distance, jump, 2) != into)
				fail_msg("jump of %d to %ld", displacement, to);
		}
}

/* mov $0x20eb, %eax, whose last bytes but two would be a jump; and what stands before and behind it. */
static void test_operand_that_looks_like_a_short_branch_is_none(void **state)
{
	static const u8 move[] = {0xb8, 0xeb, 0x20, 0x00, 0x00};

	(void)state;
	assert_int_equal(find_short(-0x23, move, sizeof(move)), 0);
	assert_int_equal(find_short(-0x22, move + 1, 2), 1);
}

/* The first instruction of what is read may begin before it. */
static void test_short_branch_is_found_wherever_reading_begins(void **state)
{
	u8 text[TEXT_BYTES];

	(void)state;
	for (size_t skip = 0; skip < 10; skip++) {
		/* movabs $, %rax, over and over: ten bytes. */
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = i % 10 == 0 ? 0x48 : i % 10 == 1 ? 0xb8 : 0xeb;
		text[200] = 0xeb;
		text[201] = INCOMING_BRANCH_BEFORE - 202;
		assert_int_equal(incoming_branch_short(text + skip, sizeof(text) - skip, ADDRESS + skip, &eight), 1);
		text[200] = 0x48;
		text[201] = 0xb8;
		assert_int_equal(incoming_branch_short(text + skip, sizeof(text) - skip, ADDRESS + skip, &eight), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near_branches_are_found),
		cmocka_unit_test(test_near_branch_between_two_ranges_is_none),
		cmocka_unit_test(test_short_branches_of_all_forms_are_found),
		cmocka_unit_test(test_short_branches_are_found_as_far_as_they_reach),
		cmocka_unit_test(test_operand_that_looks_like_a_short_branch_is_none),
		cmocka_unit_test(test_short_branch_is_found_wherever_reading_begins),
	};

	return cmocka_run_group_tests_name("incoming_branch", tests, NULL, NULL);
}
