/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.c: the same bytes as protobuf-c packs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/wire.h"
#include "pprof.pb-c.h"

#define NUMBERS 20000

static struct wire wire;

static int setup(void **state)
{
	(void)state;
	wire = (struct wire){0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wire_release(&wire);
	return 0;
}

static void put_packed(u32 field, const u64 *numbers, size_t count)
{
	size_t begin = wire_begin(&wire, field);

	for (size_t i = 0; i < count; i++)
		wire_put_varint(&wire, numbers[i]);
	wire_end(&wire, begin);
}

static void put_label(s64 key, s64 num)
{
	size_t begin = wire_begin(&wire, 3);

	wire_put_number(&wire, 1, (u64)key);
	wire_put_number(&wire, 2, 0);
	wire_put_number(&wire, 3, (u64)num);
	wire_end(&wire, begin);
}

/* A profile of one sample with `count` frames. */
static void assert_as_packed(u64 *numbers, size_t count)
{
	s64 values[] = {0, 1, -1, INT64_MAX, INT64_MIN, 127, 128};
	Pprof__Label label = PPROF__LABEL__INIT, *labels = &label;
	Pprof__Sample sample = PPROF__SAMPLE__INIT, *samples = &sample;
	Pprof__Profile profile = PPROF__PROFILE__INIT;
	u8 *packed;
	size_t begin;

	label.key = 300;
	label.num = 5;
	sample.location_id = numbers;
	sample.n_location_id = count;
	sample.value = values;
	sample.n_value = sizeof(values) / sizeof(*values);
	sample.label = &labels;
	sample.n_label = 1;
	profile.sample = &samples;
	profile.n_sample = 1;

	begin = wire_begin(&wire, 2);
	put_packed(1, numbers, count);
	put_packed(2, (u64 *)values, sizeof(values) / sizeof(*values));
	put_label(300, 5);
	wire_end(&wire, begin);

	assert_false(wire.failed);
	assert_int_equal(wire.size, pprof__profile__get_packed_size(&profile));
	packed = malloc(wire.size);
	pprof__profile__pack(&profile, packed);
	assert_memory_equal(wire.bytes, packed, wire.size);
	free(packed);
	wire.size = 0;
}

/* The lengths of the message and of its stack get two bytes, then three. */
static void test_wire_writes_what_protobuf_c_packs(void **state)
{
	static u64 numbers[NUMBERS];

	(void)state;
	for (u64 i = 0; i < NUMBERS; i++)
		numbers[i] = i * i + 1;
	for (size_t count = 1; count < 300; count++)
		assert_as_packed(numbers, count);
	assert_as_packed(numbers, NUMBERS);
	for (u64 i = 0; i < 64; i++)
		numbers[i] = 1ULL << i;
	assert_as_packed(numbers, 64);
}

static void test_wire_writes_indices_as_ids(void **state)
{
	const u32 indices[] = {0, 126, 127, UINT32_MAX};
	const u8 expected[] = {0x01, 0x7f, 0x80, 0x01, 0x80, 0x80, 0x80, 0x80, 0x10};

	(void)state;
	wire_put_indices(&wire, indices, 0);
	assert_int_equal(wire.size, 0);
	wire_put_indices(&wire, indices, 4);
	assert_int_equal(wire.size, sizeof(expected));
	assert_memory_equal(wire.bytes, expected, sizeof(expected));
}

/* Fields of more than one byte of tag, and a message without any: as an empty lifetime is. */
static void test_wire_writes_an_empty_message(void **state)
{
	const u8 expected[] = {0xca, 0x3e, 0x00};

	(void)state;
	wire_end(&wire, wire_begin(&wire, 1001));
	assert_int_equal(wire.size, sizeof(expected));
	assert_memory_equal(wire.bytes, expected, sizeof(expected));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wire_writes_what_protobuf_c_packs),
		TEST(test_wire_writes_indices_as_ids),
		TEST(test_wire_writes_an_empty_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
