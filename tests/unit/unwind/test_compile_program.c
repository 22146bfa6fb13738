/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile.c and the cfi_* files: every instruction, what no rule can express, and programs cut off anywhere. */
#include "cfi_image.h"

/* --- rules --- */

struct sample {
	const char *augmentation;
	u8 program[80];
	size_t size;
	struct unwind_rule rule;
	bool is_lost;
};

#define PROGRAM(...)	       .program = {__VA_ARGS__}, .size = sizeof((u8[]){__VA_ARGS__})
#define SP(distance)	       .rule = {.cfa = CFA_SP, .offset = (distance)}
#define SP_BP(distance, saved) .rule = {.cfa = CFA_SP, .offset = (distance), .bp = SAVED_AT_CFA, .bp_offset = (saved)}
#define LOST		       .is_lost = true

#define PLT(number)                                                                                                    \
	DW_CFA_def_cfa_expression, 11, DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit0 + (number), \
		DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus
#define REALIGNED  DW_CFA_expression, 6, 2, DW_OP_breg6, 0
#define SIGNAL_CFA DW_CFA_def_cfa_expression, 4, DW_OP_breg7, 0xa0, 1, DW_OP_deref
#define SIGNAL_IP  DW_CFA_expression, 16, 3, DW_OP_breg7, 0xa8, 1
#define SIGNAL_BP  DW_CFA_expression, 6, 3, DW_OP_breg7, 0xf8, 0

#define SIGNALED(greg) .rule = {.cfa = CFA_SIGNALED, .offset = 8, .at = 40 + 8 * (greg)}

static const struct sample samples[] = {
	{SP(8), PROGRAM(DW_CFA_nop)},
	{SP(300), PROGRAM(DW_CFA_def_cfa_offset, 0xac, 2)},
	{SP(16), PROGRAM(DW_CFA_def_cfa_offset_sf, 0x7e)},
	{SP(24), PROGRAM(DW_CFA_def_cfa_sf, 7, 0x7d)},
	{.rule = {.cfa = CFA_BP, .offset = 16}, PROGRAM(DW_CFA_def_cfa, 6, 16)},
	{.rule = {.cfa = CFA_BP, .offset = 8}, PROGRAM(DW_CFA_def_cfa_register, 6)},
	{SP_BP(8, -16), PROGRAM(DW_CFA_offset | 6, 2)},
	{SP_BP(8, -16), PROGRAM(DW_CFA_offset_extended, 6, 2)},
	{SP_BP(8, 8), PROGRAM(DW_CFA_offset_extended_sf, 6, 0x7f)},
	{SP_BP(8, 16), PROGRAM(DW_CFA_GNU_negative_offset_extended, 6, 2)},
	{SP(8), PROGRAM(DW_CFA_offset | 6, 2, DW_CFA_restore | 6)},
	{SP(8), PROGRAM(DW_CFA_offset | 6, 2, DW_CFA_restore_extended, 6)},
	{SP(8), PROGRAM(DW_CFA_offset | 6, 2, DW_CFA_same_value, 6)},
	{.rule = {.cfa = CFA_SP, .offset = 8, .bp = SAVED_LOST}, PROGRAM(DW_CFA_offset | 6, 2, DW_CFA_undefined, 6)},
	{.rule = {.cfa = CFA_SP, .offset = 8, .bx = SAVED_AT_CFA, .bx_offset = -16}, PROGRAM(DW_CFA_offset | 3, 2)},
	{SP(8), PROGRAM(DW_CFA_offset | 3, 2, DW_CFA_restore | 3)},
	{.rule = {.cfa = CFA_SP, .offset = 8, .bx = SAVED_LOST}, PROGRAM(DW_CFA_undefined, 3)},
	{.rule = {.cfa = CFA_SP, .offset = 8, .bx = SAVED_LOST}, PROGRAM(DW_CFA_register, 3, 12)},
	{.rule = {.cfa = CFA_SP, .offset = 8, .bx = SAVED_LOST}, PROGRAM(DW_CFA_offset | 3, 0x81, 0x20)},
	{.rule = {.cfa = CFA_SP, .offset = 8, .bx = SAVED_AT_BP, .bx_offset = -48},
	 PROGRAM(DW_CFA_expression, 3, 2, DW_OP_breg6, 0x50)},
	{.rule = {.cfa = CFA_BX, .offset = 16}, PROGRAM(DW_CFA_def_cfa, 3, 16)},
	{SIGNALED(13), PROGRAM(DW_CFA_def_cfa, 0, 8)},
	{SIGNALED(12), PROGRAM(DW_CFA_def_cfa, 1, 8)},
	{SIGNALED(14), PROGRAM(DW_CFA_def_cfa, 2, 8)},
	{SIGNALED(9), PROGRAM(DW_CFA_def_cfa, 4, 8)},
	{SIGNALED(8), PROGRAM(DW_CFA_def_cfa, 5, 8)},
	{SIGNALED(0), PROGRAM(DW_CFA_def_cfa, 8, 8)},
	{SIGNALED(7), PROGRAM(DW_CFA_def_cfa, 15, 8)},
	{.rule = {.cfa = CFA_SP_DEREF, .at = 40, .offset = 8},
	 PROGRAM(DW_CFA_def_cfa_expression, 5, DW_OP_breg7, 40, DW_OP_deref, DW_OP_plus_uconst, 8)},
	{.rule = {.cfa = CFA_BP_DEREF, .at = -8},
	 PROGRAM(DW_CFA_def_cfa_expression, 3, DW_OP_breg6, 0x78, DW_OP_deref)},
	{.rule = {.cfa = CFA_BP_DEREF, .at = -65536, .bp = SAVED_AT_BP},
	 PROGRAM(REALIGNED, DW_CFA_def_cfa_expression, 5, DW_OP_breg6, 0x80, 0x80, 0x7c, DW_OP_deref)},
	{SP(8), PROGRAM(DW_CFA_register, 12, 13, DW_CFA_val_offset, 12, 1)},
	{SP(8), PROGRAM(DW_CFA_val_expression, 12, 1, DW_OP_lit0, DW_CFA_val_offset_sf, 12, 1)},
	{SP(8), PROGRAM(DW_CFA_GNU_args_size, 16)},
	{SP(8), PROGRAM(DW_CFA_remember_state, DW_CFA_def_cfa_offset, 99, DW_CFA_restore_state)},
	{SP(32), PROGRAM(DW_CFA_advance_loc1, 1, DW_CFA_def_cfa_offset, 32)},
	{SP(32), PROGRAM(DW_CFA_advance_loc2, 1, 0, DW_CFA_def_cfa_offset, 32)},
	{SP(32), PROGRAM(DW_CFA_advance_loc4, 1, 0, 0, 0, DW_CFA_def_cfa_offset, 32)},
	{SP(8), PROGRAM(DW_CFA_advance_loc4, 0, 0, 0, 1, DW_CFA_def_cfa_offset, 32)},
	{SP(32), PROGRAM(DW_CFA_MIPS_advance_loc8, 1, 0, 0, 0, 0, 0, 0, 0, DW_CFA_def_cfa_offset, 32)},
	{SP(32), PROGRAM(DW_CFA_set_loc, 2, 0, 0x41, 0, 0, 0, 0, 0, DW_CFA_def_cfa_offset, 32)},
	{.rule = {.cfa = CFA_END}, PROGRAM(DW_CFA_undefined, 16)},
	{.rule = {.cfa = CFA_PLT, .offset = 11}, PROGRAM(PLT(11))},
	{.rule = {.cfa = CFA_PLT, .offset = 10}, PROGRAM(PLT(10))},
	{.rule = {.cfa = CFA_BP_DEREF, .at = -8, .bp = SAVED_AT_BP},
	 PROGRAM(REALIGNED, DW_CFA_def_cfa_expression, 3, DW_OP_breg6, 0x78, DW_OP_deref)},
	{.rule = {.cfa = CFA_BP_DEREF, .at = -8, .bp = SAVED_AT_BP, .offset = 8},
	 PROGRAM(REALIGNED, DW_CFA_def_cfa_expression, 5, DW_OP_breg6, 0x78, DW_OP_deref, DW_OP_plus_uconst, 8)},
	{.augmentation = "zRS", .rule = {.cfa = CFA_SIGNAL}, PROGRAM(SIGNAL_CFA, SIGNAL_IP, SIGNAL_BP)},
	{.augmentation = "zRS", SP(8), PROGRAM(DW_CFA_nop)},
	/* OCaml 5: from C's stack, and from a fiber's. */
	{.augmentation = "zRS",
	 .rule = {.cfa = CFA_SP_DEREF, .at = 8, .offset = 8, .switches = 1},
	 PROGRAM(DW_CFA_def_cfa_expression, 5, DW_OP_breg7, 8, DW_OP_deref, DW_OP_plus_uconst, 8)},
	{.augmentation = "zRS",
	 .rule = {.cfa = CFA_SP_DEREF_TWICE, .at = 56, .offset = 8, .switches = 1},
	 PROGRAM(DW_CFA_def_cfa_expression, 8, DW_OP_breg7, 56, DW_OP_deref, DW_OP_plus_uconst, 0, DW_OP_deref,
		 DW_OP_plus_uconst, 8)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 8, DW_OP_breg7, 56, DW_OP_deref, DW_OP_plus_uconst, 8, DW_OP_deref,
		       DW_OP_plus_uconst, 8)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 6, DW_OP_breg7, 56, DW_OP_deref, DW_OP_plus_uconst, 0, DW_OP_deref)},
	/* What a rule cannot say. */
	{LOST, PROGRAM(SIGNAL_CFA, SIGNAL_IP, SIGNAL_BP)},
	{.augmentation = "zRS", LOST, PROGRAM(SIGNAL_CFA, SIGNAL_IP)},
	{LOST, PROGRAM(DW_CFA_def_cfa, 16, 0)},
	{LOST, PROGRAM(DW_CFA_def_cfa_offset, 0x80, 0x80, 0x80, 0x80, 0x10)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 2, DW_OP_breg7, 8)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 0)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 3, DW_OP_breg10, 8, DW_OP_deref)},
	{LOST, PROGRAM(DW_CFA_register, 16, 5)},
	{LOST, PROGRAM(DW_CFA_register, 6, 5)},
	{LOST, PROGRAM(DW_CFA_same_value, 16)},
	{LOST, PROGRAM(DW_CFA_offset | 16, 2)},
	{LOST, PROGRAM(DW_CFA_offset | 6, 0x81, 0x20)},
	/* What is no program. */
	{LOST, PROGRAM(0x3f)},
	{LOST, PROGRAM(DW_CFA_restore_state)},
	{LOST, PROGRAM(DW_CFA_def_cfa, 7)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 100, DW_OP_breg7)},
	{LOST, PROGRAM(DW_CFA_advance_loc4, 0)},
	{LOST, PROGRAM(PLT(11), DW_CFA_def_cfa_register, 7)},
	{LOST, PROGRAM(DW_CFA_set_loc, 0, 0, 0x3f, 0, 0, 0, 0, 0)},
	{LOST, PROGRAM(DW_CFA_remember_state, DW_CFA_remember_state, DW_CFA_remember_state, DW_CFA_remember_state,
		       DW_CFA_restore_state, DW_CFA_restore_state, DW_CFA_restore_state, DW_CFA_restore_state,
		       DW_CFA_restore_state)},
};

static void test_cfi_compile_every_instruction_makes_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		const struct sample *sample = &samples[i];
		struct cfi_rules *rules = cfi_rules_new();
		struct unwind_rule rule;
		struct cfi_table table;
		struct image image;

		image_init(&image);
		section_begin(&image, true);
		put_common(&image, sample->augmentation ? sample->augmentation : "zR");
		put_function(&image, 0x10000, 0x100, sample->program, sample->size);
		section_end(&image);
		assert_int_equal(image_compile(&image, rules, &table), 0);
		rule = rule_at(rules, &table, 0x100ff);
		if (memcmp(&rule, &sample->rule, sizeof(rule)) != 0 || table.lost_count != sample->is_lost)
			fail_msg("sample %zu: cfa %u %+d bp %u %+d, %u lost", i, rule.cfa, rule.offset, rule.bp,
				 rule.bp_offset, (unsigned int)table.lost_count);
		cfi_table_release(&table);
		cfi_rules_free(rules);
	}
}

static void test_cfi_compile_too_much_remembered_is_lost(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table;
	struct image image;
	u8 program[1000];

	(void)state;
	memset(program, DW_CFA_remember_state, sizeof(program));
	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "zR");
	put_function(&image, 0x100, 0x100, program, sizeof(program));
	section_end(&image);
	assert_int_equal(image_compile(&image, rules, &table), 0);
	assert_int_equal(table.lost_count, 1);
	assert_int_equal(kind_at(rules, &table, 0x100), CFA_UNKNOWN);
	cfi_table_release(&table);
	cfi_rules_free(rules);
}

static void test_cfi_compile_more_rules_than_fit_become_unknown(void **state)
{
	enum {
		STEP_COUNT = 70000
	};
	struct cfi_rules *rules = cfi_rules_new();
	u8 *program = malloc(STEP_COUNT * 5);
	struct cfi_table table;
	struct image image;
	u32 count;

	(void)state;
	for (u32 i = 0; i < STEP_COUNT; i++) {
		const u8 step[] = {DW_CFA_def_cfa_offset, (u8)(i | 0x80), (u8)(i >> 7 | 0x80), (u8)(i >> 14 & 0x7f),
				   DW_CFA_advance_loc | 1};

		memcpy(program + i * sizeof(step), step, sizeof(step));
	}
	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "zR");
	put_function(&image, 0x100, CODE_SIZE - 0x100, program, STEP_COUNT * 5);
	section_end(&image);
	free(program);
	assert_int_equal(image_compile(&image, rules, &table), 0);
	cfi_rules_get(rules, &count);
	assert_int_equal(count, UNWIND_RULES_MAX);
	assert_int_equal(rule_at(rules, &table, 0x100 + 65534).offset, 65534);
	assert_int_equal(kind_at(rules, &table, 0x100 + 65535), CFA_UNKNOWN);
	assert_true(table.lost_count > STEP_COUNT - UNWIND_RULES_MAX);
	cfi_table_release(&table);
	cfi_rules_free(rules);
}

/* --- damage --- */

static void test_cfi_compile_section_that_ends_anywhere_never_crashes(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct image image;
	size_t size;

	(void)state;
	image_init(&image);
	section_begin(&image, true);
	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		put_common(&image, samples[i].augmentation ? samples[i].augmentation : "zR");
		put_function(&image, 0x100 * i, 0x100, samples[i].program, samples[i].size);
	}
	section_end(&image);
	size = image.size - image.section;
	for (size_t cut = 0; cut < size; cut++) {
		headers_of(&image)->shdr[SHDR_EH_FRAME].sh_size = cut;
		compile_damaged(image.bytes, image.section + cut, rules);
	}
	free(image.bytes);
	cfi_rules_free(rules);
}

/* --- the order in which functions are written --- */

#define WRITTEN 3000

/* Each has 64 bytes, and a distance of its own to its caller's frame. */
static void put_at(struct image *image, u32 place)
{
	const u8 program[] = {DW_CFA_def_cfa_offset, (u8)(0x80 | (place & 0x7f)), (u8)(1 + (place >> 7))};

	put_function(image, 64ull * place, 64, program, sizeof(program));
}

/* `place`: of which function is written when, each once. */
static void assert_order_does_not_matter(u32 (*place)(u32 number))
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table;
	struct image image;

	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "");
	for (u32 i = 0; i < WRITTEN; i++)
		put_at(&image, place(i));
	section_end(&image);
	assert_int_equal(image_compile(&image, rules, &table), 0);
	for (u32 i = 0; i < WRITTEN; i++)
		assert_int_equal(rule_at(rules, &table, 64ull * i + 5).offset, 128 + i);
	cfi_table_release(&table);
	cfi_rules_free(rules);
}

static u32 ascending(u32 number)
{
	return number;
}

static u32 descending(u32 number)
{
	return WRITTEN - 1 - number;
}

/* As compilers do with the parts of functions that run often, rarely and once. */
static u32 in_turn(u32 number)
{
	return number % 3 * (WRITTEN / 3) + number / 3;
}

/* 1207 and WRITTEN have no factor in common. */
static u32 mixed(u32 number)
{
	return number * 1207 % WRITTEN;
}

static void test_compile_functions_in_any_order(void **state)
{
	(void)state;
	assert_order_does_not_matter(ascending);
	assert_order_does_not_matter(descending);
	assert_order_does_not_matter(in_turn);
	assert_order_does_not_matter(mixed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compile_functions_in_any_order),
		cmocka_unit_test(test_cfi_compile_every_instruction_makes_its_rule),
		cmocka_unit_test(test_cfi_compile_too_much_remembered_is_lost),
		cmocka_unit_test(test_cfi_compile_more_rules_than_fit_become_unknown),
		cmocka_unit_test(test_cfi_compile_section_that_ends_anywhere_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
