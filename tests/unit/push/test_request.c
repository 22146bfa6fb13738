/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request.c: what is packed is what was given, and no larger than it may be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "push/request.h"

static struct push_request make(const void *body, size_t size, bool gzip)
{
	return (struct push_request){(char *)"/ingest", "text/plain", gzip, (unsigned char *)body, size, 2, 30, 7, 0};
}

/* Bytes that do not compress. */
static unsigned char *noise(size_t size)
{
	unsigned char *bytes = malloc(size);
	uint64_t seed = 20261130;

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (unsigned char)(seed >> 56);
	}
	return bytes;
}

static void assert_unpacks(const struct push_request *packed, const void *body, size_t size)
{
	unsigned char *bytes = malloc(size + 1);
	z_stream stream = {.next_in = packed->body,
			   .avail_in = (uInt)packed->size,
			   .next_out = bytes,
			   .avail_out = (uInt)size + 1};

	assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	assert_int_equal(stream.total_out, size);
	assert_memory_equal(bytes, body, size);
	inflateEnd(&stream);
	free(bytes);
}

static void test_request_is_copied(void **state)
{
	struct push_request request = make("abc", 3, false), packed;

	(void)state;
	assert_int_equal(push_request_pack(&request, &packed), 0);
	assert_ptr_not_equal(packed.path, request.path);
	assert_string_equal(packed.path, "/ingest");
	assert_string_equal(packed.content_type, "text/plain");
	assert_int_equal(packed.size, 3);
	assert_memory_equal(packed.body, "abc", 3);
	assert_int_equal(packed.profiles, 2);
	assert_int_equal(packed.samples, 30);
	assert_int_equal(packed.taken_ns, 7);
	push_request_free(&packed);
	assert_null(packed.body);
	request = make(NULL, 0, false);
	assert_int_equal(push_request_pack(&request, &packed), 0);
	assert_int_equal(packed.size, 0);
	push_request_free(&packed);
}

static void test_request_is_gzipped(void **state)
{
	static unsigned char zeros[PUSH_BODY_MAX + 1];
	struct push_request request = make(zeros, sizeof(zeros), true), packed;
	unsigned char *bytes = noise(100000);

	(void)state;
	assert_int_equal(push_request_pack(&request, &packed), 0);
	assert_true(packed.size < sizeof(zeros) / 100);
	assert_true(packed.gzip);
	assert_unpacks(&packed, zeros, sizeof(zeros));
	push_request_free(&packed);
	request = make(bytes, 100000, true);
	assert_int_equal(push_request_pack(&request, &packed), 0);
	assert_unpacks(&packed, bytes, 100000);
	push_request_free(&packed);
	free(bytes);
}

static void test_request_too_large_is_refused(void **state)
{
	unsigned char *bytes = noise(PUSH_BODY_MAX + 1);
	struct push_request request = make(bytes, PUSH_BODY_MAX + 1, false), packed;

	(void)state;
	assert_int_equal(push_request_pack(&request, &packed), -EFBIG);
	request.gzip = true;
	assert_int_equal(push_request_pack(&request, &packed), -EFBIG);
	request = make(bytes, PUSH_BODY_MAX, false);
	assert_int_equal(push_request_pack(&request, &packed), 0);
	push_request_free(&packed);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_is_copied),
		cmocka_unit_test(test_request_is_gzipped),
		cmocka_unit_test(test_request_too_large_is_refused),
	};

	return cmocka_run_group_tests_name("push_request", tests, NULL, NULL);
}
