/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hotspot.c: this program has the variable, and takes itself for the library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "binary/hotspot.h"
#include "system/proc_maps.h"

bool PreserveFramePointer;

static struct elf *elf;

/* The mapping of this program's code. */
static int keep_own(struct mapping *mapping, void *arg)
{
	struct mapping *kept = arg;

	if ((uintptr_t)keep_own < mapping->start || (uintptr_t)keep_own >= mapping->end)
		return 0;
	*kept = *mapping;
	return 1;
}

static struct mapping own_mapping(const char *path)
{
	struct mapping mapping;

	assert_int_equal(proc_maps_for_each(getpid(), keep_own, &mapping), 1);
	mapping.path = (char *)path;
	mapping.elf = elf;
	return mapping;
}

static int setup(void **state)
{
	static const char self[] = "/proc/self/exe";

	(void)state;
	return elf_open(open(self, O_RDONLY | O_CLOEXEC), self, &elf);
}

static int teardown(void **state)
{
	(void)state;
	elf_free(elf);
	return 0;
}

static void test_hotspot_is_known_by_its_librarys_name(void **state)
{
	struct mapping library = own_mapping("/usr/lib/jvm/java-17/lib/server/libjvm.so");
	struct mapping other = own_mapping("/usr/lib/notlibjvm.so"), made = own_mapping(MAPPING_ANONYMOUS);

	(void)state;
	assert_true(hotspot_has(&library));
	assert_false(hotspot_has(&other));
	assert_false(hotspot_has(&made));
	library.elf = NULL;
	assert_false(hotspot_has(&library));
}

static void test_hotspot_option_is_as_the_process_has_it_now(void **state)
{
	struct mapping library = own_mapping("/libjvm.so");
	struct hotspot hotspot = {0};

	(void)state;
	PreserveFramePointer = true;
	assert_int_equal(hotspot_keeps_frame_pointers(&hotspot, getpid(), &library), 1);
	PreserveFramePointer = false;
	assert_int_equal(hotspot_keeps_frame_pointers(&hotspot, getpid(), &library), 0);
}

static void test_hotspot_without_its_process_is_not_known(void **state)
{
	struct mapping library = own_mapping("/libjvm.so");
	struct hotspot hotspot = {0};

	(void)state;
	PreserveFramePointer = true;
	assert_int_equal(hotspot_keeps_frame_pointers(&hotspot, 0, &library), -ENOENT);
}

static void test_variable_is_found_by_name(void **state)
{
	u64 vaddr = 0;

	(void)state;
	assert_int_equal(elf_find_variable(elf, "PreserveFramePointer", &vaddr), 0);
	assert_int_equal(vaddr % 4096, (uintptr_t)&PreserveFramePointer % 4096);
	assert_int_equal(elf_find_variable(elf, "keep_own", &vaddr), -ENOENT); /* a function */
	assert_int_equal(elf_find_variable(elf, "Preserve", &vaddr), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hotspot_is_known_by_its_librarys_name),
		cmocka_unit_test(test_hotspot_option_is_as_the_process_has_it_now),
		cmocka_unit_test(test_hotspot_without_its_process_is_not_known),
		cmocka_unit_test(test_variable_is_found_by_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
