/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pprof_read.c on what pprof_write.c writes, and on damaged files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>

#include "base/gzip.h"
#include "pprof_file.h"
#include "profile/sample_residency.h"

/* --- what was written --- */

static void assert_same_samples(const struct profile *a, const struct profile *b)
{
	assert_int_equal(a->sample_count, b->sample_count);
	for (u32 i = 0; i < a->sample_count; i++) {
		const struct profile_sample *x = &a->samples[i], *y = &b->samples[i];

		assert_int_equal(x->size, y->size);
		assert_int_equal(x->alloc_count, y->alloc_count);
		assert_int_equal(x->inuse_count, y->inuse_count);
		assert_int_equal(x->depth, y->depth);
		for (u32 j = 0; j < x->depth; j++)
			assert_int_equal(x->location[j], y->location[j]);
	}
}

static void assert_same_text(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void assert_same_locations(const struct profile *a, const struct profile *b)
{
	assert_int_equal(a->location_count, b->location_count);
	for (u32 i = 0; i < a->location_count; i++) {
		const struct profile_location *x = &a->locations[i], *y = &b->locations[i];

		assert_int_equal(x->address, y->address);
		assert_int_equal(x->mapping, y->mapping);
		assert_int_equal(x->line_count, y->line_count);
		for (u32 j = 0; j < x->line_count; j++) {
			assert_same_text(x->lines[j].function, y->lines[j].function);
			assert_same_text(x->lines[j].system_name, y->lines[j].system_name);
			assert_same_text(x->lines[j].file, y->lines[j].file);
			assert_int_equal(x->lines[j].line, y->lines[j].line);
			assert_int_equal(x->lines[j].start_line, y->lines[j].start_line);
		}
	}
}

static void test_read_pprof_of_written_profile_yields_it_again(void **state)
{
	struct profile profile = golden_small(), *back = read_back(&profile);
	u64 before[MEASURE_MAX], after[MEASURE_MAX];
	const struct profile_mapping *app = NULL;

	(void)state;
	assert_same_samples(&profile, back);
	assert_int_equal(back->sample_bytes, profile.sample_bytes);
	assert_int_equal(back->start_unix_ns, profile.start_unix_ns);
	assert_int_equal(back->duration_ns, profile.duration_ns);
	assert_false(back->alloc_only);
	profile_totals(&profile, before);
	profile_totals(back, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(back->location_count, LOCATIONS);
	for (u32 i = 0; i < LOCATIONS; i++)
		assert_int_equal(back->locations[i].line_count, profile.locations[i].line_count);
	for (u32 i = 0; i < back->mapping_count; i++)
		if (!strcmp(back->mappings[i].path, profile.mappings[1].path))
			app = &back->mappings[i];
	assert_non_null(app);
	assert_int_equal(app->start, profile.mappings[1].start);
	assert_int_equal(app->end, profile.mappings[1].end);
	assert_int_equal(app->file_offset, profile.mappings[1].file_offset);
	assert_int_equal(app->build_id_size, 20);
	assert_memory_equal(app->build_id, profile.mappings[1].build_id, 20);
	assert_true(app->has_functions && app->has_filenames && app->has_line_numbers && app->has_inline_frames);
	assert_int_equal(back->ledger[COUNTER_LOST_RING], 2);
	assert_int_equal(back->ledger[COUNTER_STACK_LOST_SLOT], 2);
	assert_int_equal(back->ledger[COUNTER_SAMPLED], 0);
	profile_free(back);
}

static void test_read_pprof_yields_the_model_and_every_lifetime_again(void **state)
{
	struct profile profile = golden_living(), *back = read_back(&profile);
	struct lifetime written, read;

	(void)state;
	assert_same_samples(&profile, back);
	assert_memory_equal(&profile.model, &back->model, sizeof(profile.model));
	assert_int_equal(back->memory_limit, profile.memory_limit);
	assert_int_equal(back->memory_used, profile.memory_used);
	for (u32 i = 0; i < profile.sample_count; i++) {
		assert_non_null(back->samples[i].lifetime);
		written = lifetime_unpack(profile.samples[i].lifetime);
		read = lifetime_unpack(back->samples[i].lifetime);
		assert_memory_equal(&written, &read, sizeof(written));
	}
	profile_free(back);
}

static void test_read_pprof_yields_what_is_resident_again(void **state)
{
	struct profile profile = golden_small(), *back;
	struct sample_residency residency = {.objects = 3, .resident = 7, .swapped = 1, .read = 2, .zero = 1};

	(void)state;
	residency.bytes = 3 * profile.samples[0].size;
	profile.samples[0].residency = &residency;
	back = read_back(&profile);
	assert_memory_equal(back->samples[0].residency, &residency, sizeof(residency));
	assert_null(back->samples[1].residency);
	profile_free(back);
	/* More than there can be. */
	residency.swapped = residency.bytes - 6;
	assert_int_equal(read_written(&profile, &back), -EBADMSG);
	residency.swapped = 1;
	residency.bytes++;
	assert_int_equal(read_written(&profile, &back), -EBADMSG);
	residency.bytes--;
	residency.zero = 3;
	assert_int_equal(read_written(&profile, &back), -EBADMSG);
	profile.samples[0].residency = NULL;
}

static void test_read_pprof_of_file_without_a_model_knows_none(void **state)
{
	struct profile profile = golden_living(), *back;

	(void)state;
	profile.model.known = false;
	back = read_back(&profile);
	assert_false(back->model.known);
	for (u32 i = 0; i < back->sample_count; i++)
		assert_null(back->samples[i].lifetime);
	profile_free(back);
}

/* The writer may put another mapping first; a second trip changes nothing any more. */
static void test_read_pprof_of_profile_read_before_is_stable(void **state)
{
	struct profile profile = golden_small(), *once = read_back(&profile), *twice = read_back(once);

	(void)state;
	assert_same_samples(once, twice);
	assert_same_locations(once, twice);
	assert_int_equal(once->mapping_count, twice->mapping_count);
	profile_free(once);
	profile_free(twice);
}

static void test_read_pprof_recovers_raw_counts_at_every_rate(void **state)
{
	static const u64 rates[] = {1, 2, 100, 16384, 524288, 1ull << 32},
			 sizes[] = {0, 1, 16, 1024, 1 << 20, 1ull << 33};
	static const u64 counts[] = {1, 2, 3, 7, 1000, 123457};
	struct profile_sample sample = {0};
	struct profile profile = golden_empty(), *back;

	(void)state;
	profile.samples = &sample;
	profile.sample_count = 1;
	for (unsigned int r = 0; r < 6; r++)
		for (unsigned int s = 0; s < 6; s++)
			for (unsigned int c = 0; c < 6; c++) {
				profile.sample_bytes = rates[r];
				sample.size = sizes[s];
				sample.alloc_count = counts[c];
				sample.inuse_count = counts[c] - 1;
				back = read_back(&profile);
				assert_same_samples(&profile, back);
				profile_free(back);
			}
}

static void test_read_pprof_of_alloc_only_profile_says_so(void **state)
{
	struct profile profile = golden_alloc_only(), *back = read_back(&profile);

	(void)state;
	assert_true(back->alloc_only);
	assert_int_equal(back->samples[0].alloc_count, 4);
	assert_int_equal(back->samples[0].inuse_count, 0);
	profile_free(back);
}

static void test_read_pprof_of_empty_profile_has_no_samples(void **state)
{
	struct profile profile = golden_empty(), *back = read_back(&profile);

	(void)state;
	assert_int_equal(back->sample_count, 0);
	profile_free(back);
}

/* Each number alone is one, and what is added up of them would begin again from 0. */
static void test_read_pprof_of_sums_that_no_number_holds_is_refused(void **state)
{
	static const u64 rates[] = {1, 1ull << 40};
	struct profile_sample samples[] = {{.size = 1ull << 62, .alloc_count = 1, .inuse_count = 0},
					   {.size = (1ull << 62) - 1, .alloc_count = 1, .inuse_count = 0}};
	struct profile profile = golden_empty(), *back;
	u64 total[MEASURE_MAX];

	(void)state;
	profile.samples = samples;
	profile.sample_count = 2;
	profile.sample_bytes = 1;
	back = read_back(&profile);
	profile_totals(back, total);
	assert_int_equal(total[ALLOC_SPACE], INT64_MAX);
	profile_free(back);
	for (unsigned int r = 0; r < 2; r++) {
		profile.sample_bytes = rates[r];
		samples[1] = (struct profile_sample){.size = 1ull << 62, .alloc_count = 1};
		assert_int_equal(read_written(&profile, &back), -EBADMSG);
		samples[1] = (struct profile_sample){.size = 1ull << 61, .alloc_count = 2, .inuse_count = 1};
		samples[0].inuse_count = 1;
		assert_int_equal(read_written(&profile, &back), -EBADMSG);
		samples[0].inuse_count = 0;
	}
}

/* --- files --- */

static void assert_named(const char *file, u32 pid, const char *comm)
{
	char directory[64], named[128];
	struct profile profile = golden_small(), *back;
	FILE *out;

	snprintf(directory, sizeof(directory), "%s/heaptap-read-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(named, sizeof(named), "%s/%s", directory, file);
	out = fopen(named, "we");
	assert_non_null(out);
	assert_int_equal(pprof_write(&profile, out), 0);
	fclose(out);
	assert_int_equal(pprof_read(named, &back), 0);
	assert_int_equal(back->pid, pid);
	assert_string_equal(back->comm, comm);
	profile_free(back);
	unlink(named);
	rmdir(directory);
}

static void test_read_pprof_takes_process_and_name_from_the_file_name(void **state)
{
	(void)state;
	assert_named("812.redis-server.pb.gz", 812, "redis-server");
	assert_named("812.redis-server.pb", 812, "redis-server");
	assert_named("heap", 0, "heap");
}

/* The end alone is no part of the name. */
static void test_read_pprof_name_may_look_like_an_extension(void **state)
{
	(void)state;
	assert_named("12.my.pbserver.pb.gz", 12, "my.pbserver");
	assert_named("12.a.pb.b.pb", 12, "a.pb.b");
	assert_named("12.a.pb.pb.gz", 12, "a.pb");
}

static void test_read_pprof_of_no_file_is_refused(void **state)
{
	struct profile *profile;

	(void)state;
	assert_int_equal(pprof_read("/nonexistent/file.pb.gz", &profile), -ENOENT);
	assert_int_equal(pprof_read("/proc", &profile), -ESPIPE);
	write_bytes("", 0);
	assert_int_equal(pprof_read(path, &profile), -ENODATA);
	write_bytes("heap profile: 0: 0 [0: 0] @ heap/2\n", 35);
	assert_int_equal(pprof_read(path, &profile), -EBADMSG);
}

static size_t load(u8 *bytes, size_t room)
{
	FILE *in = fopen(path, "re");
	size_t size;

	assert_non_null(in);
	size = fread(bytes, 1, room, in);
	fclose(in);
	return size;
}

static void test_read_pprof_of_shortened_file_is_refused(void **state)
{
	struct profile profile = golden_small(), *back = read_back(&profile);
	static u8 bytes[1 << 16];
	size_t size = load(bytes, sizeof(bytes));

	(void)state;
	profile_free(back);
	for (size_t left = 1; left < size; left++) {
		write_bytes(bytes, left);
		assert_int_equal(pprof_read(path, &back), -ENODATA);
	}
	bytes[size / 2] ^= 0xff;
	write_bytes(bytes, size);
	assert_int_equal(pprof_read(path, &back), -EBADMSG);
}

/* Not gzipped, it shows only where a field is cut in two. */
static void test_read_pprof_of_shortened_unpacked_file_is_refused(void **state)
{
	struct profile profile = golden_small(), *back = read_back(&profile);
	u64 size, packed_size;
	u8 *bytes;

	(void)state;
	profile_free(back);
	assert_int_equal(gzip_read(path, &bytes, &size, &packed_size), 0);
	write_bytes(bytes, size - 1);
	assert_int_equal(pprof_read(path, &back), -ENODATA);
	for (size_t left = 0; left < 8; left++) {
		write_bytes(bytes, left);
		assert_true(pprof_read(path, &back) < 0);
	}
	free(bytes);
}

/* A gigabyte and a bit of zeros: 1 MiB of gzip. */
static void test_read_pprof_of_bomb_is_refused(void **state)
{
	static const u8 zeros[1 << 20];
	struct profile *profile;
	gzFile out = gzopen(path, "wb1");

	(void)state;
	assert_non_null(out);
	for (int i = 0; i <= 1024; i++)
		assert_int_equal(gzwrite(out, zeros, sizeof(zeros)), sizeof(zeros));
	assert_int_equal(gzclose(out), Z_OK);
	assert_int_equal(pprof_read(path, &profile), -EFBIG);
}

/* Any outcome but a fault: the sanitizers judge. */
static void test_read_pprof_of_damaged_message_ends(void **state)
{
	struct profile profile = golden_small(), *back = NULL;
	static u8 bytes[1 << 16], damaged[sizeof(bytes)];
	unsigned int seed = 7, read = 0;
	size_t size;
	gzFile in;

	(void)state;
	profile_free(read_back(&profile));
	in = gzopen(path, "rb");
	assert_non_null(in);
	size = gzread(in, bytes, sizeof(bytes));
	gzclose(in);
	for (int round = 0; round < 3000; round++) {
		memcpy(damaged, bytes, size);
		for (int i = rand_r(&seed) % 4; i >= 0; i--)
			damaged[rand_r(&seed) % size] = rand_r(&seed);
		write_bytes(damaged, size);
		if (pprof_read(path, &back))
			continue;
		read++;
		profile_free(back);
	}
	assert_in_range(read, 1, 2999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_pprof_of_written_profile_yields_it_again),
		cmocka_unit_test(test_read_pprof_yields_the_model_and_every_lifetime_again),
		cmocka_unit_test(test_read_pprof_yields_what_is_resident_again),
		cmocka_unit_test(test_read_pprof_of_file_without_a_model_knows_none),
		cmocka_unit_test(test_read_pprof_of_profile_read_before_is_stable),
		cmocka_unit_test(test_read_pprof_recovers_raw_counts_at_every_rate),
		cmocka_unit_test(test_read_pprof_of_alloc_only_profile_says_so),
		cmocka_unit_test(test_read_pprof_of_empty_profile_has_no_samples),
		cmocka_unit_test(test_read_pprof_of_sums_that_no_number_holds_is_refused),
		cmocka_unit_test(test_read_pprof_takes_process_and_name_from_the_file_name),
		cmocka_unit_test(test_read_pprof_name_may_look_like_an_extension),
		cmocka_unit_test(test_read_pprof_of_no_file_is_refused),
		cmocka_unit_test(test_read_pprof_of_shortened_file_is_refused),
		cmocka_unit_test(test_read_pprof_of_shortened_unpacked_file_is_refused),
		cmocka_unit_test(test_read_pprof_of_bomb_is_refused),
		cmocka_unit_test(test_read_pprof_of_damaged_message_ends),
	};

	return cmocka_run_group_tests(tests, make_file, close_file);
}
