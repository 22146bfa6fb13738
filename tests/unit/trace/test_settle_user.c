/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settle.c: whose a process is, is read again only of one with code that it made itself, and as long as it may change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "heap/image.h"
#include "trace/settle.h"

#define SECOND	 1000000000ULL
#define START_NS (100 * SECOND)

static struct image *image;

static int setup(void **state)
{
	(void)state;
	image = image_new(1, (u32)getpid(), 1, 4096, START_NS);
	return !image || root_fs_open(getpid(), &image->root);
}

static int teardown(void **state)
{
	(void)state;
	image_free(image);
	return 0;
}

static void maps(const char *path)
{
	const struct mapping mapping = {.start = 0x10000, .end = 0x20000, .path = (char *)path};

	assert_int_equal(address_map_add(image->mappings, &mapping), 0);
}

static bool reads_at(u64 now_ns)
{
	image->root.inner_pid = 0;
	settle_look(image, now_ns);
	return image->root.inner_pid == getpid();
}

static void test_code_of_files_and_of_the_kernel_does_not_ask(void **state)
{
	(void)state;
	maps("[vdso]");
	maps("[vsyscall]");
	assert_false(reads_at(START_NS + SECOND));
	assert_true(image->rss_end_bytes > 0);
}

static void test_made_code_asks_while_young_and_once_a_minute(void **state)
{
	(void)state;
	maps(*state);
	assert_true(reads_at(START_NS + SECOND));
	assert_true(reads_at(START_NS + 2 * SECOND));
	assert_true(reads_at(START_NS + 30 * SECOND)); /* the first look behind the window, however late */
	assert_false(reads_at(START_NS + 31 * SECOND));
	assert_false(reads_at(START_NS + 89 * SECOND));
	assert_true(reads_at(START_NS + 90 * SECOND));
}

#define MADE(path)                                                                                                     \
	{                                                                                                              \
		"made code in " path, test_made_code_asks_while_young_and_once_a_minute, setup, teardown, (void *)path \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_code_of_files_and_of_the_kernel_does_not_ask, setup, teardown),
		MADE("//anon"),
		MADE("[anon:Ruby:rb_yjit_reserve_addr_space]"),
		MADE("/memfd:code"),
	};

	return cmocka_run_group_tests_name("settle user", tests, NULL, NULL);
}
