/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack_arguments.c: functions as compilers make them, with and without arguments on the stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "binary/elf_symbols.h"
#include "inline/stack_arguments.h"
#include "unit/binary/shell.h"
#include "unit/system/scratch.h"

struct wanted {
	const char *name;
	struct elf_symbol symbol;
};

static int find(const struct elf_symbol *symbol, void *arg)
{
	struct wanted *wanted = arg;

	if (!strcmp(symbol->name, wanted->name))
		wanted->symbol = *symbol;
	return 0;
}

static struct elf *open_program(void)
{
	struct elf *elf;

	assert_int_equal(elf_open(open("program", O_RDONLY | O_CLOEXEC), "program", &elf), 0);
	return elf;
}

static bool may_have(struct elf *elf, const char *name)
{
	struct wanted wanted = {.name = name};
	struct stack_arguments *file;
	bool may;

	assert_int_equal(elf_for_each_function(elf, find, &wanted), 0);
	assert_true(wanted.symbol.offset && wanted.symbol.size);
	assert_int_equal(stack_arguments_new(elf, &file), 0);
	may = stack_arguments_may_have(file, wanted.symbol.offset, wanted.symbol.size);
	stack_arguments_free(file);
	return may;
}

static void compile(const char *compiler)
{
	run("%s -D_GNU_SOURCE -o program %s/tests/fixture/stack_arguments.c", compiler, SOURCE_DIR);
}

static void assert_each(bool wanted, const char *const *names)
{
	struct elf *elf = open_program();

	for (; *names; names++)
		if (may_have(elf, *names) != wanted)
			fail_msg("%s", *names);
	elf_free(elf);
}

static const char *const without[] = {"six",	"saves",  "locals", "chooses",	   "fails",
				      "clears", "passes", "array",  "asks_malloc", NULL};
static const char *const with[] = {"seven", "eight_later", "passes_seven", "varies", "whose", "goes_anywhere", NULL};

static void test_functions_as_compilers_make_them(void **state)
{
	static const char *const compilers[] = {
		"cc -O2",
		"cc -O2 -fno-omit-frame-pointer",
		"cc -O0",
		"cc -O2 -fcf-protection",
		"cc -O1 -static-pie",
		"clang -w -O2",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(compilers) / sizeof(*compilers); i++) {
		compile(compilers[i]);
		assert_each(true, with);
		assert_each(false, without);
	}
}

/* Without it nobody knows where the caller's frame is. */
static void test_functions_without_call_frame_information(void **state)
{
	(void)state;
	compile("cc -O2 -fno-asynchronous-unwind-tables");
	assert_each(true, without);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_functions_as_compilers_make_them),
		TEST(test_functions_without_call_frame_information),
	};

	return cmocka_run_group_tests_name("stack arguments", tests, NULL, NULL);
}
