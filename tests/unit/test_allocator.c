/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allocator.c: what the table says, and that the libc this test runs with is recognised by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <string.h>

#include "../../user/allocator.h"
#include "../../user/elf.h"

static const struct allocator *family(const char *name)
{
	unsigned int count;
	const struct allocator *table = allocator_table(&count);

	for (unsigned int i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	fail_msg("no family \"%s\"", name);
	return NULL;
}

static void assert_function(const char *symbol, enum call_kind kind, unsigned int arg_count, bool passes)
{
	const struct allocator_function *function = allocator_find(family("glibc"), symbol);

	assert_non_null(function);
	assert_string_equal(function->symbol, symbol);
	assert_int_equal(function->kind, kind);
	assert_int_equal(function->arg_count, arg_count);
	assert_int_equal(function->passes, passes);
}

static void test_allocator_glibc_allocating_functions_have_their_kind(void **state)
{
	(void)state;
	assert_function("malloc", CALL_MALLOC, 1, false);
	assert_function("calloc", CALL_CALLOC, 2, false);
	assert_function("realloc", CALL_REALLOC, 2, false);
	assert_function("aligned_alloc", CALL_ALIGNED, 2, false);
	assert_function("memalign", CALL_ALIGNED, 2, false);
	assert_function("posix_memalign", CALL_POSIX_MEMALIGN, 3, false);
	assert_function("valloc", CALL_MALLOC, 1, false);
	assert_function("pvalloc", CALL_MALLOC, 1, false);
}

static void test_allocator_glibc_freeing_functions_read_the_pointer_alone(void **state)
{
	(void)state;
	assert_function("free", CALL_FREE, 1, false);
	assert_function("cfree", CALL_FREE, 1, false);
}

static void test_allocator_glibc_forwarding_functions_need_no_probe(void **state)
{
	(void)state;
	assert_function("reallocarray", CALL_REALLOC, 3, true);
	assert_function("free_sized", CALL_FREE, 1, true);
	assert_function("free_aligned_sized", CALL_FREE, 1, true);
}

static void test_allocator_find_of_other_functions_is_null(void **state)
{
	(void)state;
	assert_null(allocator_find(family("glibc"), ""));
	assert_null(allocator_find(family("glibc"), "mallo"));
	assert_null(allocator_find(family("glibc"), "malloc_usable_size"));
	assert_null(allocator_find(family("glibc"), "_Znwm"));
}

static void test_allocator_table_every_family_fits_the_kernel_side(void **state)
{
	unsigned int count;
	const struct allocator *table = allocator_table(&count);

	(void)state;
	for (unsigned int i = 0; i < count; i++) {
		assert_true(table[i].marker && table[i].marker[0]);
		assert_true(table[i].function_count > 0 && table[i].function_count <= RANGES_MAX);
		for (unsigned int j = 0; j < table[i].function_count; j++) {
			const struct allocator_function *function = &table[i].functions[j];

			assert_ptr_equal(allocator_find(&table[i], function->symbol), function);
			assert_true(function->kind > CALL_NONE && function->kind <= CALL_FREE);
			assert_in_range(function->arg_count, 1, 3);
		}
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(table[i].marker, table[j].marker);
	}
}

struct sightings {
	unsigned int markers, malloc, free;
};

static int sight(const struct elf_symbol *symbol, void *arg)
{
	const struct allocator *glibc = family("glibc");
	const struct allocator_function *function = allocator_find(glibc, symbol->name);
	struct sightings *sightings = arg;

	sightings->markers += strcmp(symbol->name, glibc->marker) == 0;
	sightings->malloc += function && function->kind == CALL_MALLOC;
	sightings->free += function && function->kind == CALL_FREE;
	return 0;
}

static struct sightings look_into(const char *path)
{
	struct sightings sightings = {0};
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	assert_int_equal(elf_for_each_function(elf, sight, &sightings), 0);
	elf_free(elf);
	return sightings;
}

static void test_allocator_glibc_marker_is_in_libc_and_not_in_a_program_using_it(void **state)
{
	struct sightings sightings;
	Dl_info info;

	(void)state;
	assert_true(dladdr((const void *)(uintptr_t)gnu_get_libc_version, &info));
	sightings = look_into(info.dli_fname);
	assert_true(sightings.markers > 0);
	assert_true(sightings.malloc >= 3);
	assert_true(sightings.free >= 1);
	assert_int_equal(look_into("/proc/self/exe").markers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allocator_glibc_allocating_functions_have_their_kind),
		cmocka_unit_test(test_allocator_glibc_freeing_functions_read_the_pointer_alone),
		cmocka_unit_test(test_allocator_glibc_forwarding_functions_need_no_probe),
		cmocka_unit_test(test_allocator_find_of_other_functions_is_null),
		cmocka_unit_test(test_allocator_table_every_family_fits_the_kernel_side),
		cmocka_unit_test(test_allocator_glibc_marker_is_in_libc_and_not_in_a_program_using_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
