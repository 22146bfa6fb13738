/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pprof_read.c on small files that say very much: millions of entries that gzip packs a thousand times. Each is refused
 * before much memory has been taken for it, or read; and the same unpacked is read as far as it is a profile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include "pprof_file.h"

#include "pprof.pb-c.h"

#define ENTRIES	      10000000u
#define FILE_MAX      (256 << 10)
#define GROWTH_KB_MAX (384 << 10) /* of the process at its largest; 3 GiB before there was a limit */

static const char *const strings[] = {"",      "alloc_objects", "count",       "alloc_space",
				      "bytes", "inuse_objects", "inuse_space", "deep_in_code"};

static gzFile out;

static void put(const void *bytes, size_t size)
{
	assert_int_equal(gzwrite(out, bytes, (unsigned int)size), (int)size);
}

static void put_number(u64 number)
{
	u8 bytes[10];
	size_t size = 0;

	do {
		bytes[size++] = (u8)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
		number >>= 7;
	} while (number);
	put(bytes, size);
}

static void put_field(u32 field, const void *bytes, size_t size)
{
	put_number(field << 3 | 2);
	put_number(size);
	put(bytes, size);
}

static void put_many(const void *bytes, size_t size, u32 count)
{
	enum {
		AT_ONCE = 10000
	};
	u8 *chunk = malloc(size * AT_ONCE);

	assert_non_null(chunk);
	for (u32 i = 0; i < AT_ONCE; i++)
		memcpy(chunk + i * size, bytes, size);
	for (u32 i = 0; i < count; i += AT_ONCE)
		put(chunk, size * AT_ONCE);
	free(chunk);
}

/* What every profile has: types and strings, one function and one location. */
static void begin_file(const char *mode)
{
	static const u8 types[4][4] = {{8, 1, 16, 2}, {8, 3, 16, 4}, {8, 5, 16, 2}, {8, 6, 16, 4}};

	out = gzopen(path, mode);
	assert_non_null(out);
	for (size_t i = 0; i < 4; i++)
		put_field(1, types[i], 4);
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		put_field(6, strings[i], strlen(strings[i]));
	put_field(5, "\x08\x01\x10\x07", 4);
	put_field(4, "\x08\x01\x22\x02\x08\x01", 6);
}

/* Fails when reading the file takes much memory. */
static int read_file(void)
{
	struct profile *profile = NULL;
	struct rusage before, after;
	int err;

	assert_int_equal(gzclose(out), Z_OK);
	getrusage(RUSAGE_SELF, &before);
	err = pprof_read(path, &profile);
	getrusage(RUSAGE_SELF, &after);
	profile_free(profile);
	assert_true(after.ru_maxrss - before.ru_maxrss < GROWTH_KB_MAX);
	return err;
}

static int read_many(const char *entry, size_t size)
{
	begin_file("wb9");
	put_many(entry, size, ENTRIES);
	return read_file();
}

/* One entry of table `field` that begins with `begin` and then has nothing but `part`. */
static int read_one_of_many(u32 field, const char *begin, size_t begin_size, const char *part, size_t size)
{
	begin_file("wb9");
	put_number(field << 3 | 2);
	put_number(begin_size + size * (u64)ENTRIES);
	put(begin, begin_size);
	put_many(part, size, ENTRIES);
	return read_file();
}

static void assert_refused(int err)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size < FILE_MAX);
	assert_true(err == -EFBIG || err == -EBADMSG || err == -EPROTO);
}

static void test_read_pprof_of_millions_of_empty_entries_is_refused(void **state)
{
	(void)state;
	for (char field = 1; field <= 6; field++)
		assert_refused(read_many((const char[]){(char)(field << 3 | 2), 0}, 2));
}

static void test_read_pprof_of_millions_of_entries_is_refused(void **state)
{
	(void)state;
	assert_refused(read_many("\x12\x06\x12\x04\0\0\0\0", 8)); /* samples without a stack */
	assert_refused(read_many("\x12\x08\x0a\x00\x12\x04\1\1\1\1", 10));
	assert_refused(read_many("\x68\0", 2));	    /* comments */
	assert_refused(read_many("\xa2\x06\0", 3)); /* a field that nobody knows */
}

static void test_read_pprof_of_entry_with_millions_of_parts_is_refused(void **state)
{
	(void)state;
	assert_refused(read_one_of_many(4, "\x08\x02", 2, "\x22\0", 2));	   /* empty lines */
	assert_refused(read_one_of_many(4, "\x08\x02", 2, "\x22\x02\x08\x01", 4)); /* lines */
	assert_refused(read_one_of_many(2, "", 0, "\x1a\0", 2));		   /* labels */
	assert_refused(read_one_of_many(2, "\x12\x04\1\1\1\1", 6, "\x08\x01", 2)); /* frames */
	assert_refused(read_one_of_many(3, "", 0, "\x28\0", 2));
}

/* Unpacked, the file itself is large, and so may be what is made of it. */
static void test_read_pprof_of_the_same_unpacked_is_read(void **state)
{
	struct profile *profile;

	(void)state;
	begin_file("wbT");
	put_many("\x12\x09\x0a\x01\x01\x12\x04\1\1\1\1", 11, 1000000);
	assert_int_equal(gzclose(out), Z_OK);
	assert_int_equal(pprof_read(path, &profile), 0);
	assert_int_equal(profile->sample_count, 1000000);
	assert_ptr_equal(profile->locations[0].lines[0].function, profile->locations[0].lines[0].system_name);
	profile_free(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_pprof_of_millions_of_empty_entries_is_refused),
		cmocka_unit_test(test_read_pprof_of_millions_of_entries_is_refused),
		cmocka_unit_test(test_read_pprof_of_entry_with_millions_of_parts_is_refused),
		cmocka_unit_test(test_read_pprof_of_the_same_unpacked_is_read),
	};

	return cmocka_run_group_tests(tests, make_file, close_file);
}
