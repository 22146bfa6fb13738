/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sampler_mapping.c: whose a sampler is that a process has, and that it is not said to have none where that cannot be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static int memory = -1;	       /* the file that this process maps */
static int open_err, lock_err; /* with what the calls fail; 0: they do not */

static int open_memory(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Opening what is in map_files takes root, so the same file is opened by another name. */
static int open_mapped(const char *path, int flags)
{
	(void)path;
	(void)flags;
	errno = open_err;
	return open_err ? -1 : open_memory();
}

static int lock(int file, int operation)
{
	errno = lock_err;
	return lock_err ? -1 : flock(file, operation);
}

#define open  open_mapped
#define flock lock

#include "inline/sampler_mapping.c"

static int look(enum sampler_mapping_state *ret_state)
{
	return sampler_mapping_look(getpid(), ret_state);
}

static void *map_sampler(void)
{
	void *mapping;

	memory = memfd_create(SAMPLER_MAPPING_FILE, MFD_CLOEXEC);
	assert_true(memory >= 0);
	assert_int_equal(ftruncate(memory, PAGE), 0);
	mapping = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, memory, 0);
	assert_ptr_not_equal(mapping, MAP_FAILED);
	return mapping;
}

static void test_state_is_whose_lock_it_is(void **state)
{
	enum sampler_mapping_state found;
	void *mapping;
	int holder;

	(void)state;
	assert_int_equal(look(&found), 0);
	assert_int_equal(found, SAMPLER_MAPPING_NONE);
	mapping = map_sampler();
	assert_int_equal(look(&found), 0);
	assert_int_equal(found, SAMPLER_MAPPING_LEFT);
	holder = open_memory();
	assert_int_equal(sampler_mapping_lock(holder), 0);
	assert_int_equal(look(&found), 0);
	assert_int_equal(found, SAMPLER_MAPPING_TAKEN);
	close(holder);
	assert_int_equal(look(&found), 0);
	assert_int_equal(found, SAMPLER_MAPPING_LEFT);
	munmap(mapping, PAGE);
	close(memory);
}

static void test_what_cannot_be_looked_at_is_not_none(void **state)
{
	enum sampler_mapping_state found;
	void *mapping = map_sampler();

	(void)state;
	open_err = EMFILE;
	assert_int_equal(look(&found), -EMFILE);
	open_err = 0;
	lock_err = ENOLCK;
	assert_int_equal(look(&found), -ENOLCK);
	lock_err = 0;
	assert_int_equal(sampler_mapping_look(INT32_MAX, &found), -ESRCH);
	assert_int_equal(found, SAMPLER_MAPPING_NONE);
	munmap(mapping, PAGE);
	close(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_is_whose_lock_it_is),
		cmocka_unit_test(test_what_cannot_be_looked_at_is_not_none),
	};

	return cmocka_run_group_tests_name("sampler mapping", tests, NULL, NULL);
}
