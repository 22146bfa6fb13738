/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbol_names.c: one name of each language, strings that are no names, and names that expand enormously. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/symbol_names.h"

static void check(const char *mangled, const char *wanted)
{
	char *readable = symbol_names_demangle(mangled);

	if (wanted) {
		assert_non_null(readable);
		assert_string_equal(readable, wanted);
	} else {
		assert_null(readable);
	}
	free(readable);
}

static void test_mangled_name_of_each_language_is_readable(void **state)
{
	(void)state;
	check("_ZN2ns6Widget4makeEi", "ns::Widget::make(int)");
	check("_Znwm", "operator new(unsigned long)");
	check("_Z3fooi.part.0", "foo(int) [clone .part.0]");
	check("_ZN3foo3bar17h0123456789abcdefE", "foo::bar");
	check("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	check("_D2ab3foo3barFiZv", "ab.foo.bar(int)");
	check("_Dmain", "D main");
}

static void test_mangled_of_plain_name_is_nothing(void **state)
{
	(void)state;
	check("main", NULL);
	check("", NULL);
	check("_", NULL);
	check("_Z", NULL);
	check("_Do_it", NULL);
	check("__libc_start_main", NULL);
}

/* f<B<int, int>, B<S, S>, B<S', S'> ...>: each type twice the one before. */
static void test_mangled_name_that_unfolds_without_end_is_given_up(void **state)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char name[1024] = "_Z1f1BIiiE";

	(void)state;
	for (int i = 0; i < 30; i++) {
		char reference[8], type[32];

		snprintf(reference, sizeof(reference), "S%c_", digit[i]);
		snprintf(type, sizeof(type), "S_I%s%sE", reference, reference);
		strcat(name, type);
	}
	check(name, NULL);
}

static void test_mangled_d_name_with_many_references_is_given_up(void **state)
{
	char name[256] = "_D1a1bF";

	(void)state;
	for (int i = 0; i < 40; i++)
		strcat(name, "Qb");
	check(strcat(name, "Zv"), NULL);
}

static void test_mangled_overlong_name_is_given_up(void **state)
{
	static char name[1 << 20];

	(void)state;
	memset(name, 'P', sizeof(name) - 1);
	memcpy(name, "_Z1f", 4);
	check(name, NULL);
	memcpy(name, "_D1a", 4);
	check(name, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mangled_name_of_each_language_is_readable),
		cmocka_unit_test(test_mangled_of_plain_name_is_nothing),
		cmocka_unit_test(test_mangled_name_that_unfolds_without_end_is_given_up),
		cmocka_unit_test(test_mangled_d_name_with_many_references_is_given_up),
		cmocka_unit_test(test_mangled_overlong_name_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
