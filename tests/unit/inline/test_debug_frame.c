/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inline/debug_frame: it says of the sampler's functions what the .eh_frame that it was made from says. The sampler is taken to lie
 * where libc has code, so that its entries can be read as the file's own are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "inline/debug_frame.h"
#include "inline/sampler_image.h"
#include "unit/inline/grafted_file.h"
#include "unwind/cfi_entries.h"

#define RULES_MAX 64
#define AWAY	  0x10000

/* What is said of one function. */
struct told {
	u32 count;
	struct {
		u64 distance;
		struct unwind_rule rule;
	} rules[RULES_MAX];
};

static int note(void *arg, u64 distance, const struct unwind_rule *rule, bool is_lost)
{
	struct told *told = arg;

	assert_false(is_lost);
	assert_true(told->count < RULES_MAX);
	told->rules[told->count].distance = distance;
	told->rules[told->count++].rule = *rule;
	return 0;
}

static struct told told_of(const struct cfi_entries *entries, u32 number)
{
	const struct cfi_function *function = &entries->functions[number];
	struct told told;

	memset(&told, 0, sizeof(told));
	assert_int_equal(cfi_function_run(function, &entries->commons[function->common], note, &told), 0);
	return told;
}

static u64 text_address(const struct elf *elf)
{
	u64 address;

	assert_int_equal(elf_offset_to_vaddr(elf, 0x30000, &address), 0);
	return address;
}

/* The sampler's .eh_frame at that address; they point to `ret_sections`. */
static struct cfi_entries entries_of_eh_frame(const struct elf *elf, u64 address,
					      struct cfi_section ret_sections[CFI_SECTION_COUNT])
{
	const struct sampler_header *sampler = sampler_image_header();
	struct cfi_entries entries;

	ret_sections[CFI_EH_FRAME] = (struct cfi_section){
		.bytes = (u8 *)sampler + sampler->eh_frame,
		.size = sampler->eh_frame_bytes,
		.address = address,
		.is_eh_frame = true,
	};
	assert_int_equal(cfi_entries_read(elf, ret_sections, &entries), 0);
	assert_true(entries.function_count > 8);
	return entries;
}

/* `distance`: from where `expected` has the functions. */
static void assert_told_alike(const struct cfi_entries *made, u32 number, const struct cfi_entries *expected, u32 other,
			      u64 distance)
{
	struct told told = told_of(made, number), should = told_of(expected, other);

	assert_int_equal(made->functions[number].address, expected->functions[other].address + distance);
	assert_int_equal(made->functions[number].size, expected->functions[other].size);
	assert_memory_equal(&told, &should, sizeof(told));
}

/* Twice, the second time for another place: entries that are there already stay as they are. */
static void test_the_same_is_told_of_each_function(void **state)
{
	const struct sampler_header *sampler = sampler_image_header();
	const u8 *eh_frame = (const u8 *)sampler + sampler->eh_frame;
	struct elf *elf = open_elf(libc_path());
	u64 address = text_address(elf) + sampler->eh_frame;
	struct cfi_section before[CFI_SECTION_COUNT] = {0}, after[CFI_SECTION_COUNT] = {0};
	struct cfi_entries made, expected = entries_of_eh_frame(elf, address, before);
	struct debug_frame frame = {0};
	u32 count = expected.function_count;

	(void)state;
	assert_int_equal(debug_frame_add(&frame, eh_frame, sampler->eh_frame_bytes, address), 0);
	assert_int_equal(debug_frame_add(&frame, eh_frame, sampler->eh_frame_bytes, address + AWAY), 0);
	after[CFI_DEBUG_FRAME] = (struct cfi_section){.bytes = frame.bytes, .size = frame.size};
	assert_int_equal(cfi_entries_read(elf, after, &made), 0);
	assert_int_equal(made.function_count, 2 * count);
	for (u32 i = 0; i < count; i++) {
		assert_told_alike(&made, i, &expected, i, 0);
		assert_told_alike(&made, count + i, &expected, i, AWAY);
	}
	cfi_entries_release(&made);
	cfi_entries_release(&expected);
	debug_frame_release(&frame);
	elf_free(elf);
}

/* --- what is none --- */

/* A common entry, and one of a function. */
static const u8 two[] = {
	16, 0, 0, 0, 0,	   0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b, 0, 0, 0, /* common */
	20, 0, 0, 0, 0x18, 0, 0, 0, 0, 1,   0,	 0, 8, 0,    0,	 0, 0,	  0, 0, 0, 0, 0, 0, 0,
};

static int add(const u8 *bytes, size_t size)
{
	struct debug_frame frame = {0};
	int err = debug_frame_add(&frame, bytes, size, 0x1000);

	debug_frame_release(&frame);
	return err;
}

static void test_other_forms_and_references_to_nothing_are_noticed(void **state)
{
	static const u8 places[] = {8, 9, 10, 15, 16, 24, 36};

	(void)state;
	assert_int_equal(add(two, sizeof(two)), 0);
	for (size_t i = 0; i < sizeof(places); i++) {
		u8 other[sizeof(two)];

		memcpy(other, two, sizeof(two));
		other[places[i]] += 8;
		if (add(other, sizeof(other)) != -EBADMSG)
			fail_msg("byte %u", places[i]);
	}
}

static void test_bytes_that_are_missing_are_noticed(void **state)
{
	(void)state;
	for (size_t size = 1; size < sizeof(two); size++)
		assert_int_equal(add(two, size), size == 20 ? 0 : -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_is_told_of_each_function),
		cmocka_unit_test(test_other_forms_and_references_to_nothing_are_noticed),
		cmocka_unit_test(test_bytes_that_are_missing_are_noticed),
	};

	return cmocka_run_group_tests_name("debug_frame", tests, NULL, NULL);
}
