/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foreign_heap.c: by the names that each allocator's own header declares, and on the programs that Debian has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "probe/foreign_heap.h"
#include "probe/plan.h"
#include "unit/system/scratch.h"

#define CHROMIUM "/usr/lib/chromium/chromium"

static void assert_heap(const struct foreign_heap *heap, const char *name)
{
	assert_non_null(heap);
	assert_string_equal(heap->name, name);
}

static void test_allocators_are_known_by_their_interfaces(void **state)
{
	(void)state;
	assert_heap(foreign_heap_of_symbol("__scudo_print_stats"), "scudo");
	assert_heap(foreign_heap_of_symbol("__asan_init"), "AddressSanitizer");
	assert_heap(foreign_heap_of_symbol("__hwasan_init"), "HWAddressSanitizer");
	assert_heap(foreign_heap_of_symbol("__msan_init"), "MemorySanitizer");
	assert_heap(foreign_heap_of_symbol("__tsan_init"), "ThreadSanitizer");
	assert_heap(foreign_heap_of_symbol("MallocExtension_Internal_GetStats"), "Google's tcmalloc");
}

/* gperftools' too, which has a family of its own. */
static void test_other_names_are_not(void **state)
{
	static const char *const names[] = {"malloc", "MallocExtension_GetStats", "mallctl", "mi_malloc", "", "scudo"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_null(foreign_heap_of_symbol(names[i]));
}

static void assert_no_sections_of_chromium(const char *path)
{
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	assert_null(foreign_heap_of_sections(elf));
	elf_free(elf);
}

static void test_chromium_is_known_by_a_section(void **state)
{
	struct elf *elf;

	(void)state;
	assert_no_sections_of_chromium("/proc/self/exe");
	assert_no_sections_of_chromium("/bin/sh");
	if (access(CHROMIUM, R_OK)) {
		print_message("no %s: install chromium\n", CHROMIUM);
		skip();
	}
	assert_int_equal(elf_open(open(CHROMIUM, O_RDONLY | O_CLOEXEC), CHROMIUM, &elf), 0);
	assert_heap(foreign_heap_of_sections(elf), "Chromium");
	elf_free(elf);
}

static int plan_of(const char *path, struct plan *ret_plan)
{
	struct elf *elf;
	int err;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	err = plan_make(elf, NULL, ret_plan);
	elf_free(elf);
	return err;
}

static void build(const char *path, const char *options)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "echo 'int main(void) { return !__builtin_malloc(1); }' | clang -O1 -x c %s -o '%s' - 2>/dev/null",
		 options, path);
	if (system(command)) {
		print_message("clang does not build with %s\n", options);
		skip();
	}
}

/* A program that is built so has that heap, and its functions are probed. */
static void assert_built_heap(const char *options, const char *name, struct plan *ret_plan)
{
	build("program", options);
	assert_int_equal(plan_of("program", ret_plan), 0);
	assert_heap(ret_plan->heap, name);
	assert_true(ret_plan->probe_count > 5);
}

/* It asks for other mallocs by dlsym, as a wrapper does, and has one of its own all the same. */
static void test_scudo_is_probed_and_named(void **state)
{
	struct plan plan;

	(void)state;
	assert_built_heap("-fsanitize=scudo", "scudo", &plan);
	assert_false(plan.hands_on);
}

static void test_address_sanitizer_is_probed_and_named(void **state)
{
	struct plan plan;

	(void)state;
	assert_built_heap("-fsanitize=address", "AddressSanitizer", &plan);
}

static void test_libc_is_not(void **state)
{
	struct plan plan;

	(void)state;
	assert_int_equal(plan_of("/lib/x86_64-linux-gnu/libc.so.6", &plan), 0);
	assert_null(plan.heap);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allocators_are_known_by_their_interfaces),
		cmocka_unit_test(test_other_names_are_not),
		cmocka_unit_test(test_chromium_is_known_by_a_section),
		cmocka_unit_test_setup_teardown(test_scudo_is_probed_and_named, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_address_sanitizer_is_probed_and_named, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(test_libc_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
