/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dwarf_scope.c on a function of which the ranges of its blocks are one list. */
#include "symbol_object.h"

#include "binary/range_lists.h"

static const char source[] =
	".text\n.globl outer\n.type outer, @function\nouter: nop\nmark: nop\nnop\nret\nend: .size outer, .-outer\n"
	".section .debug_abbrev\n"
	".byte 1, 0x11, 1, 0x11, 1, 0x12, 7, 0, 0\n"	      /* unit: low, high */
	".byte 2, 0x2e, 1, 0x03, 8, 0x11, 1, 0x12, 7, 0, 0\n" /* function: name, low, high */
	".byte 3, 0x0b, 0, 0x55, 0x17, 0, 0\n"		      /* block: ranges */
	".byte 4, 0x1d, 0, 0x03, 8, 0x11, 1, 0x12, 7, 0, 0\n" /* inlined function: as the other */
	".byte 0\n"
	".section .debug_info\n"
	".long last - first\nfirst: .value 4\n.long 0\n.byte 8\n"
	".byte 1\n.quad outer, end - outer\n"
	".byte 2\n.asciz \"outer\"\n.quad outer, end - outer\n"
	".rept 100\n.byte 3\n.long 0\n.endr\n"
	".byte 4\n.asciz \"inner\"\n.quad mark, 1\n"
	".byte 0, 0\nlast:\n"
	".section .debug_ranges\n";

/* Functions known at the mark, if the list has so many times those entries, and then those. */
static unsigned int functions_behind(unsigned int count, const char *entry, const char *last)
{
	FILE *out = fopen("blocks.s", "we");
	struct symbol_frame frame;
	struct object object;

	assert_non_null(out);
	assert_true(fprintf(out, "%s.rept %u\n.quad %s\n.endr\n.quad %s, 0, 0\n", source, count, entry, last) > 0);
	assert_int_equal(fclose(out), 0);
	run("gcc -shared -nostdlib -o blocks.so blocks.s");
	object = object_open("blocks.so");
	frame = resolve(&object, mark_offset(&object, "blocks.so", "mark"));
	assert_string_equal(frame.lines[frame.line_count - 1].function, "outer");
	if (frame.line_count > 1)
		assert_string_equal(frame.lines[0].function, "inner");
	object_close(&object);
	return frame.line_count;
}

static void test_ranges_that_entries_share_are_paid_for(void **state)
{
	(void)state;
	assert_int_equal(functions_behind(1, "0x100000, 0x100010", "0x100000, 0x100010"), 2);
	assert_int_equal(functions_behind(5000, "0x100000, 0x100010", "0x100000, 0x100010"), 1);
}

/* The block holds the mark and has nothing inside it, while its list is read. */
static void test_lists_of_many_bases_are_not_read(void **state)
{
	(void)state;
	assert_int_equal(functions_behind(RANGE_LISTS_BASES_MAX, "-1, outer", "0, end - outer"), 1);
	assert_int_equal(functions_behind(RANGE_LISTS_BASES_MAX + 1, "-1, outer", "0, end - outer"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ranges_that_entries_share_are_paid_for),
		TEST(test_lists_of_many_bases_are_not_read),
	};

	return cmocka_run_group_tests_name("dwarf_scope", tests, NULL, NULL);
}
