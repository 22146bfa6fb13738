/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pprof_write.c: unpacked and shown as text, then compared with a literal file. Whether the field numbers are right,
 * test_output_file_go.c checks with the real client.
 */
#include <inttypes.h>
#include <zlib.h>

#include "unit/profile/golden.h"
#include "printed.h"
#include "format/pprof_write.h"
#include "pprof.pb-c.h"

static u8 *write_bytes(const struct profile *profile, size_t *ret_size)
{
	struct printed printed;
	char *bytes;

	assert_int_equal(pprof_write(profile, printed_open(&printed)), 0);
	bytes = printed_close(&printed);
	*ret_size = printed.size;
	return (u8 *)bytes;
}

static Pprof__Profile *unpack(u8 *bytes, size_t size)
{
	static u8 plain[1 << 20];
	z_stream stream = {.next_in = bytes, .avail_in = (uInt)size, .next_out = plain, .avail_out = sizeof(plain)};
	Pprof__Profile *message;

	assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	message = pprof__profile__unpack(NULL, stream.total_out, plain);
	inflateEnd(&stream);
	assert_non_null(message);
	return message;
}

static Pprof__Profile *write_and_unpack(const struct profile *profile)
{
	size_t size;
	u8 *bytes = write_bytes(profile, &size);
	Pprof__Profile *message = unpack(bytes, size);

	free(bytes);
	return message;
}

static const char *text_at(const Pprof__Profile *message, s64 index)
{
	assert_in_range(index, 0, message->n_string_table - 1);
	return message->string_table[index];
}

/* --- the message as text --- */

static void show_samples(const Pprof__Profile *message, FILE *out)
{
	for (size_t i = 0; i < message->n_sample; i++) {
		const Pprof__Sample *sample = message->sample[i];

		fputs("sample", out);
		for (size_t j = 0; j < sample->n_location_id; j++)
			fprintf(out, " %" PRIu64, sample->location_id[j]);
		fputs(" =", out);
		for (size_t j = 0; j < sample->n_value; j++)
			fprintf(out, " %" PRId64, sample->value[j]);
		for (size_t j = 0; j < sample->n_label; j++)
			fprintf(out, " {%s: '%s' %" PRId64 " '%s'}", text_at(message, sample->label[j]->key),
				text_at(message, sample->label[j]->str), sample->label[j]->num,
				text_at(message, sample->label[j]->num_unit));
		fputc('\n', out);
	}
}

static void show_mappings(const Pprof__Profile *message, FILE *out)
{
	for (size_t i = 0; i < message->n_mapping; i++) {
		const Pprof__Mapping *mapping = message->mapping[i];

		fprintf(out,
			"mapping %" PRIu64 " 0x%" PRIx64 "-0x%" PRIx64 " 0x%" PRIx64 " '%s' build_id '%s'%s%s%s%s\n",
			mapping->id, mapping->memory_start, mapping->memory_limit, mapping->file_offset,
			text_at(message, mapping->filename), text_at(message, mapping->build_id),
			mapping->has_functions ? " functions" : "", mapping->has_filenames ? " filenames" : "",
			mapping->has_line_numbers ? " line_numbers" : "",
			mapping->has_inline_frames ? " inline_frames" : "");
	}
}

static void show_locations(const Pprof__Profile *message, FILE *out)
{
	for (size_t i = 0; i < message->n_location; i++) {
		const Pprof__Location *location = message->location[i];

		fprintf(out, "location %" PRIu64 " mapping %" PRIu64 " 0x%" PRIx64, location->id, location->mapping_id,
			location->address);
		for (size_t j = 0; j < location->n_line; j++)
			fprintf(out, " {function %" PRIu64 " line %" PRId64 "}", location->line[j]->function_id,
				location->line[j]->line);
		fputc('\n', out);
	}
	for (size_t i = 0; i < message->n_function; i++) {
		const Pprof__Function *function = message->function[i];

		fprintf(out, "function %" PRIu64 " '%s' '%s' '%s' start_line %" PRId64 "\n", function->id,
			text_at(message, function->name), text_at(message, function->system_name),
			text_at(message, function->filename), function->start_line);
	}
}

static void show(const Pprof__Profile *message, FILE *out)
{
	for (size_t i = 0; i < message->n_sample_type; i++)
		fprintf(out, "sample_type %s/%s\n", text_at(message, message->sample_type[i]->type),
			text_at(message, message->sample_type[i]->unit));
	fprintf(out, "period %" PRId64 " %s/%s\n", message->period, text_at(message, message->period_type->type),
		text_at(message, message->period_type->unit));
	fprintf(out, "time_nanos %" PRId64 " duration_nanos %" PRId64 "\n", message->time_nanos,
		message->duration_nanos);
	fprintf(out, "default_sample_type '%s' drop_frames '%s' keep_frames '%s'\n",
		text_at(message, message->default_sample_type), text_at(message, message->drop_frames),
		text_at(message, message->keep_frames));
	for (size_t i = 0; i < message->n_comment; i++)
		fprintf(out, "comment '%s'\n", text_at(message, message->comment[i]));
	show_samples(message, out);
	show_mappings(message, out);
	show_locations(message, out);
}

/* What the format demands of every profile. */
static void assert_valid(const Pprof__Profile *message)
{
	assert_true(message->n_mapping >= 1);
	assert_string_equal(text_at(message, 0), "");
	for (size_t i = 0; i < message->n_string_table; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(message->string_table[i], message->string_table[j]);
	for (size_t i = 0; i < message->n_sample; i++) {
		assert_int_equal(message->sample[i]->n_value, message->n_sample_type);
		for (size_t j = 0; j < message->sample[i]->n_location_id; j++)
			assert_in_range(message->sample[i]->location_id[j], 1, message->n_location);
	}
	for (size_t i = 0; i < message->n_mapping; i++)
		assert_int_equal(message->mapping[i]->id, i + 1);
	for (size_t i = 0; i < message->n_location; i++) {
		assert_int_equal(message->location[i]->id, i + 1);
		assert_true(message->location[i]->mapping_id <= message->n_mapping);
		for (size_t j = 0; j < message->location[i]->n_line; j++)
			assert_in_range(message->location[i]->line[j]->function_id, 1, message->n_function);
	}
	for (size_t i = 0; i < message->n_function; i++)
		assert_int_equal(message->function[i]->id, i + 1);
}

static void assert_written(const struct profile *profile, const char *name)
{
	Pprof__Profile *message = write_and_unpack(profile);
	struct printed printed;
	char *text;

	assert_valid(message);
	show(message, printed_open(&printed));
	text = printed_close(&printed);
	assert_golden(text, name);
	free(text);
	pprof__profile__free_unpacked(message, NULL);
}

/* --- tests --- */

static void test_write_pprof_small_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	assert_written(&profile, "small.pprof");
}

static void test_write_pprof_empty_profile_has_a_mapping_and_matches_golden_file(void **state)
{
	struct profile profile = golden_empty();

	(void)state;
	assert_written(&profile, "empty.pprof");
}

static void test_write_pprof_alloc_only_profile_has_two_types_and_matches_golden_file(void **state)
{
	struct profile profile = golden_alloc_only();

	(void)state;
	assert_written(&profile, "alloc_only.pprof");
}

static void test_write_pprof_equal_profiles_make_equal_bytes(void **state)
{
	struct profile profile = golden_small();
	size_t size, size_again;
	u8 *bytes = write_bytes(&profile, &size), *again = write_bytes(&profile, &size_again);

	(void)state;
	assert_int_equal(size, size_again);
	assert_memory_equal(bytes, again, size);
	assert_memory_equal(bytes, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8); /* gzip, no name, no time */
	free(bytes);
	free(again);
}

static void test_write_pprof_odd_bytes_become_valid_utf8(void **state)
{
	struct profile_line line = {
		(char *)"bad\xff;name\n", (char *)"_Z\xc0\x80", (char *)"\xe2\x82", 1, 1, FRAME_PROGRAM};
	struct profile_location location = {.address = 1, .mapping = 0, .line_count = 1, .lines = &line};
	struct profile_mapping mapping = {.start = 0, .end = 2, .path = (char *)"/\xf5"};
	u32 index = 0;
	struct profile_sample sample = {.location = &index, .depth = 1, .size = 1, .alloc_count = 1};
	struct profile profile = {.sample_bytes = 1,
				  .mappings = &mapping,
				  .mapping_count = 1,
				  .locations = &location,
				  .location_count = 1,
				  .samples = &sample,
				  .sample_count = 1};
	Pprof__Profile *message = write_and_unpack(&profile);

	(void)state;
	assert_valid(message);
#define R "\xef\xbf\xbd"
	assert_string_equal(text_at(message, message->function[0]->name), "bad" R ";name?");
	assert_string_equal(text_at(message, message->function[0]->system_name), "_Z" R R);
	assert_string_equal(text_at(message, message->function[0]->filename), R R);
	assert_string_equal(text_at(message, message->mapping[0]->filename), "/" R);
#undef R
	pprof__profile__free_unpacked(message, NULL);
}

/* Equal in all four is one function; different in any one is another. */
static void test_write_pprof_functions_are_told_apart_by_all_their_fields(void **state)
{
	struct profile_line lines[] = {
		{(char *)"f", (char *)"f", (char *)"f.c", 1, 1, FRAME_PROGRAM},
		{(char *)"f", (char *)"f", (char *)"f.c", 2, 1, FRAME_PROGRAM},
		{(char *)"f", (char *)"_Zf", (char *)"f.c", 1, 1, FRAME_PROGRAM},
		{(char *)"f", (char *)"f", (char *)"g.c", 1, 1, FRAME_PROGRAM},
		{(char *)"f", (char *)"f", (char *)"f.c", 1, 9, FRAME_PROGRAM},
		{(char *)"g", (char *)"f", (char *)"f.c", 1, 1, FRAME_PROGRAM},
	};
	struct profile_location location = {.address = 1, .mapping = MAPPING_UNKNOWN, .line_count = 6, .lines = lines};
	struct profile profile = {.sample_bytes = 1, .locations = &location, .location_count = 1};
	Pprof__Profile *message = write_and_unpack(&profile);

	(void)state;
	assert_valid(message);
	assert_int_equal(message->n_function, 5);
	assert_int_equal(message->location[0]->line[0]->function_id, message->location[0]->line[1]->function_id);
	pprof__profile__free_unpacked(message, NULL);
}

static void test_write_pprof_huge_numbers_stay_positive(void **state)
{
	struct profile_sample sample = {.size = UINT64_MAX, .alloc_count = UINT64_MAX, .inuse_count = UINT64_MAX};
	struct profile profile = {
		.sample_bytes = 1, .samples = &sample, .sample_count = 1, .start_unix_ns = UINT64_MAX};
	Pprof__Profile *message = write_and_unpack(&profile);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(message->sample[0]->value[i], INT64_MAX);
	assert_int_equal(message->sample[0]->label[0]->num, INT64_MAX);
	assert_int_equal(message->time_nanos, INT64_MAX);
	pprof__profile__free_unpacked(message, NULL);
}

/* More than zlib's and our own buffers hold at once. */
static void test_write_pprof_many_samples_arrive_whole(void **state)
{
	enum {
		MANY = 20000
	};
	struct profile_sample *samples = calloc(MANY, sizeof(*samples));
	struct profile profile = {.sample_bytes = 1, .samples = samples, .sample_count = MANY};
	Pprof__Profile *message;

	(void)state;
	assert_non_null(samples);
	for (u64 i = 0; i < MANY; i++)
		samples[i] = (struct profile_sample){.size = i * i * 2654435761u, .alloc_count = i};
	message = write_and_unpack(&profile);
	assert_int_equal(message->n_sample, MANY);
	for (u64 i = 0; i < MANY; i++)
		assert_int_equal(message->sample[i]->value[ALLOC_OBJECTS], i);
	pprof__profile__free_unpacked(message, NULL);
	free(samples);
}

static void test_write_pprof_full_device_is_reported(void **state)
{
	struct profile profile = golden_small();
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	assert_int_equal(pprof_write(&profile, out), -ENOSPC);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_pprof_small_profile_matches_golden_file),
		cmocka_unit_test(test_write_pprof_empty_profile_has_a_mapping_and_matches_golden_file),
		cmocka_unit_test(test_write_pprof_alloc_only_profile_has_two_types_and_matches_golden_file),
		cmocka_unit_test(test_write_pprof_equal_profiles_make_equal_bytes),
		cmocka_unit_test(test_write_pprof_odd_bytes_become_valid_utf8),
		cmocka_unit_test(test_write_pprof_functions_are_told_apart_by_all_their_fields),
		cmocka_unit_test(test_write_pprof_huge_numbers_stay_positive),
		cmocka_unit_test(test_write_pprof_many_samples_arrive_whole),
		cmocka_unit_test(test_write_pprof_full_device_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
