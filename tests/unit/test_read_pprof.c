/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * read_pprof.c on what write_pprof.c writes, on messages built here field by field with one thing wrong in each, and on
 * damaged files.
 */
#include "golden.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "pprof.pb-c.h"

#include "../../user/read_pprof.h"
#include "../../user/writer.h"

/* One file in memory, written and read by name again and again. */
static int memory;
static char path[32];

static FILE *open_path(void)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	return out;
}

static void write_bytes(const void *bytes, size_t size)
{
	FILE *out = open_path();

	assert_int_equal(fwrite(bytes, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

static struct profile *read_back(const struct profile *profile)
{
	struct profile *back = NULL;
	FILE *out = open_path();

	assert_int_equal(write_pprof(profile, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(read_pprof(path, &back), 0);
	return back;
}

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

	(void)state;
	assert_same_samples(&profile, back);
	assert_memory_equal(&profile.model, &back->model, sizeof(profile.model));
	assert_int_equal(back->memory_limit, profile.memory_limit);
	assert_int_equal(back->memory_used, profile.memory_used);
	for (u32 i = 0; i < profile.sample_count; i++) {
		assert_non_null(back->samples[i].lifetime);
		assert_memory_equal(profile.samples[i].lifetime, back->samples[i].lifetime, sizeof(struct lifetime));
	}
	profile_free(back);
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

/* --- messages by hand --- */

enum {
	EMPTY,
	ALLOC_OBJECTS_NAME,
	COUNT,
	ALLOC_SPACE_NAME,
	BYTES,
	INUSE_OBJECTS_NAME,
	INUSE_SPACE_NAME,
	MAIN_NAME,
	STRINGS
};

struct message {
	char *strings[STRINGS];
	Pprof__ValueType types[4], *type_table[4];
	Pprof__Mapping mapping, *mapping_table[2];
	Pprof__Function function, *function_table[2];
	Pprof__Line line, *line_table[1];
	Pprof__Location location, *location_table[2];
	Pprof__Label label, *label_table[1];
	uint64_t stack[1];
	int64_t values[4];
	Pprof__Sample sample, *sample_table[1];
	Pprof__Model model;
	Pprof__Lifetime lifetime;
	uint32_t counts[LIFETIME_DEATH_BUCKETS + 1];
	uint64_t times[LIFETIME_CLASSES + 1];
	Pprof__Profile profile;
};

/* Two allocations of 100 bytes in main, one of them in use, every allocation sampled. */
static void message_init(struct message *message)
{
	static char *const strings[STRINGS] = {
		(char *)"",	 (char *)"alloc_objects", (char *)"count",	 (char *)"alloc_space",
		(char *)"bytes", (char *)"inuse_objects", (char *)"inuse_space", (char *)"main"};
	static const int names[4] = {ALLOC_OBJECTS_NAME, ALLOC_SPACE_NAME, INUSE_OBJECTS_NAME, INUSE_SPACE_NAME};
	static const int64_t values[4] = {2, 200, 1, 100};

	memset(message, 0, sizeof(*message));
	memcpy(message->strings, strings, sizeof(strings));
	memcpy(message->values, values, sizeof(values));
	for (int i = 0; i < 4; i++) {
		pprof__value_type__init(&message->types[i]);
		message->types[i].type = names[i];
		message->types[i].unit = i % 2 ? BYTES : COUNT;
		message->type_table[i] = &message->types[i];
	}
	pprof__mapping__init(&message->mapping);
	pprof__function__init(&message->function);
	pprof__line__init(&message->line);
	pprof__location__init(&message->location);
	pprof__label__init(&message->label);
	pprof__sample__init(&message->sample);
	pprof__profile__init(&message->profile);
	message->mapping.id = 11;
	message->function.id = 1ull << 40;
	message->function.name = MAIN_NAME;
	message->line.function_id = message->function.id;
	message->line.line = 5;
	message->location.id = UINT64_MAX;
	message->location.mapping_id = 11;
	message->location.n_line = 1;
	message->location.line = message->line_table;
	message->stack[0] = message->location.id;
	message->label.key = BYTES;
	message->label.num = 100;
	message->sample.n_location_id = 1;
	message->sample.location_id = message->stack;
	message->sample.n_value = 4;
	message->sample.value = message->values;
	message->sample.n_label = 1;
	message->sample.label = message->label_table;
	message->mapping_table[0] = message->mapping_table[1] = &message->mapping;
	message->function_table[0] = message->function_table[1] = &message->function;
	message->line_table[0] = &message->line;
	message->location_table[0] = message->location_table[1] = &message->location;
	message->label_table[0] = &message->label;
	message->sample_table[0] = &message->sample;
	message->profile.n_sample_type = 4;
	message->profile.sample_type = message->type_table;
	message->profile.n_string_table = STRINGS;
	message->profile.string_table = message->strings;
	message->profile.n_mapping = message->profile.n_function = 1;
	message->profile.mapping = message->mapping_table;
	message->profile.function = message->function_table;
	message->profile.n_location = message->profile.n_sample = 1;
	message->profile.location = message->location_table;
	message->profile.sample = message->sample_table;
	message->profile.period = 1;
	pprof__model__init(&message->model);
	pprof__lifetime__init(&message->lifetime);
	message->model.tenure = 2;
	message->model.clock_ns = message->model.age_ns = message->times;
	message->lifetime.died = message->lifetime.ended = message->counts;
	message->lifetime.born = message->lifetime.gone = message->counts;
	message->profile.heaptap_model = &message->model;
	message->sample.heaptap_lifetime = &message->lifetime;
}

/* Written without gzip, which is a form that must be read too. */
static int message_read(const struct message *message, struct profile **ret_profile)
{
	size_t size = pprof__profile__get_packed_size(&message->profile);
	u8 *bytes = malloc(size);

	assert_non_null(bytes);
	pprof__profile__pack(&message->profile, bytes);
	write_bytes(bytes, size);
	free(bytes);
	return read_pprof(path, ret_profile);
}

static void test_read_pprof_of_foreign_message_fills_what_it_lacks(void **state)
{
	struct message message;
	struct profile *profile;

	(void)state;
	message_init(&message);
	message.sample.n_label = 0;
	assert_int_equal(message_read(&message, &profile), 0);
	assert_int_equal(profile->samples[0].size, 100);
	assert_int_equal(profile->samples[0].alloc_count, 2);
	assert_int_equal(profile->samples[0].inuse_count, 1);
	assert_string_equal(profile->locations[0].lines[0].function, "main");
	assert_ptr_equal(profile->locations[0].lines[0].function, profile->locations[0].lines[0].system_name);
	assert_null(profile->locations[0].lines[0].file);
	assert_int_equal(profile->locations[0].mapping, 0);
	assert_string_equal(profile->mappings[0].path, "");
	profile_free(profile);
}

#define REFUSES(wanted, change)                                                                                        \
	do {                                                                                                           \
		message_init(&message);                                                                                \
		change;                                                                                                \
		assert_int_equal(message_read(&message, &profile), wanted);                                            \
	} while (0)

static void test_read_pprof_of_other_sample_types_is_refused(void **state)
{
	struct profile *profile;
	struct message message;

	(void)state;
	REFUSES(-EPROTO, message.types[0].type = INUSE_OBJECTS_NAME);
	REFUSES(-EPROTO, message.types[3].unit = COUNT);
	REFUSES(-EPROTO, message.types[2].type = 99);
	REFUSES(-EPROTO, message.types[2].type = -1);
	REFUSES(-EPROTO, message.profile.n_sample_type = 3);
	REFUSES(-EPROTO, message.profile.n_sample_type = 0);
}

static void test_read_pprof_of_message_that_contradicts_itself_is_refused(void **state)
{
	struct profile *profile;
	struct message message;

	(void)state;
	REFUSES(-EBADMSG, message.strings[0] = (char *)"x");
	REFUSES(-EBADMSG, message.mapping.id = 0);
	REFUSES(-EBADMSG, message.function.id = 0);
	REFUSES(-EBADMSG, message.location.id = 0);
	REFUSES(-EBADMSG, message.profile.n_mapping = 2);
	REFUSES(-EBADMSG, message.profile.n_function = 2);
	REFUSES(-EBADMSG, message.profile.n_location = 2);
	REFUSES(-EBADMSG, message.location.mapping_id = 12);
	REFUSES(-EBADMSG, message.line.function_id = 2);
	REFUSES(-EBADMSG, message.line.function_id = 0);
	REFUSES(-EBADMSG, message.stack[0] = 3);
	REFUSES(-EBADMSG, message.stack[0] = 0);
	REFUSES(-EBADMSG, message.function.name = STRINGS);
	REFUSES(-EBADMSG, message.function.filename = INT64_MIN);
	REFUSES(-EBADMSG, message.function.system_name = INT64_MAX);
	REFUSES(-EBADMSG, message.mapping.filename = STRINGS);
	REFUSES(-EBADMSG, message.mapping.build_id = -1);
	REFUSES(-EBADMSG, message.sample.n_value = 3);
	REFUSES(-EBADMSG, message.values[1] = -1);
	REFUSES(-EBADMSG, message.label.num = -1);
}

static void test_read_pprof_of_model_that_cannot_be_is_refused(void **state)
{
	struct profile *profile;
	struct message message;

	(void)state;
	message_init(&message);
	assert_int_equal(message_read(&message, &profile), 0);
	assert_true(profile->model.known);
	profile_free(profile);
	REFUSES(-EBADMSG, message.model.tenure = 0);
	REFUSES(-EBADMSG, message.model.tenure = 32);
	REFUSES(-EBADMSG, message.model.cycles = 1ULL << 32);
	REFUSES(-EBADMSG, message.model.requests = 1ULL << 32);
	REFUSES(-EBADMSG, message.model.gogc_percent = 1ULL << 32);
	REFUSES(-EBADMSG, message.model.n_clock_ns = LIFETIME_BUCKETS + 1);
	REFUSES(-EBADMSG, message.model.n_age_ns = LIFETIME_CLASSES + 1);
	REFUSES(-EBADMSG, message.lifetime.n_died = LIFETIME_CLASSES + 1);
	REFUSES(-EBADMSG, message.lifetime.n_ended = LIFETIME_CLASSES + 1);
	REFUSES(-EBADMSG, message.lifetime.n_born = LIFETIME_BUCKETS + 1);
	REFUSES(-EBADMSG, message.lifetime.n_gone = LIFETIME_DEATH_BUCKETS + 1);
}

/* Counts that no process can have made, at every border of the cycles: conclusions are nonsense, and nothing more. */
static void test_read_pprof_of_lying_lifetimes_stays_within_bounds(void **state)
{
	static const uint64_t cycles[] = {0, 1, 11, 12, 13, 14, 15, 27, 28, 29, 1000, 1U << 20, UINT32_MAX};
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(cycles) / sizeof(*cycles); i++) {
		struct profile_site *sites;
		struct profile *profile;
		u32 count;

		message_init(&message);
		memset(message.counts, 0xff, sizeof(message.counts));
		memset(message.times, 0xff, sizeof(message.times));
		message.model.cycles = cycles[i];
		message.model.n_clock_ns = LIFETIME_BUCKETS;
		message.model.n_age_ns = message.lifetime.n_died = message.lifetime.n_ended = LIFETIME_CLASSES;
		message.lifetime.n_born = LIFETIME_BUCKETS;
		message.lifetime.n_gone = LIFETIME_DEATH_BUCKETS;
		message.model.trend = message.model.goal_bytes = NAN;
		message.model.visited_bytes = INFINITY;
		assert_int_equal(message_read(&message, &profile), 0);
		assert_true(profile->model.trend == 0 && profile->model.goal_bytes == 0);
		assert_int_equal(profile_sites(profile, INUSE_SPACE, &sites, &count), 0);
		assert_true(sites[0].lifespan.samples > 0);
		free(sites);
		profile_free(profile);
	}
}

static void test_read_pprof_of_odd_values_takes_them_for_unknown(void **state)
{
	struct profile *profile;
	struct message message;

	(void)state;
	message_init(&message);
	message.mapping.build_id = MAIN_NAME;
	message.line.line = -7;
	message.function.start_line = 1ll << 40;
	message.location.mapping_id = 0;
	message.profile.period = -5;
	assert_int_equal(message_read(&message, &profile), 0);
	assert_int_equal(profile->mappings[0].build_id_size, 0);
	assert_int_equal(profile->locations[0].lines[0].line, 0);
	assert_int_equal(profile->locations[0].lines[0].start_line, 0);
	assert_int_equal(profile->locations[0].mapping, MAPPING_UNKNOWN);
	assert_int_equal(profile->sample_bytes, 1);
	profile_free(profile);
}

/* --- files --- */

static void test_read_pprof_takes_process_and_name_from_the_file_name(void **state)
{
	char directory[64], named[128];
	struct profile profile = golden_small(), *back;
	FILE *out;

	(void)state;
	snprintf(directory, sizeof(directory), "%s/heaptap-read-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(named, sizeof(named), "%s/812.redis-server.pb.gz", directory);
	out = fopen(named, "we");
	assert_non_null(out);
	assert_int_equal(write_pprof(&profile, out), 0);
	fclose(out);
	assert_int_equal(read_pprof(named, &back), 0);
	assert_int_equal(back->pid, 812);
	assert_string_equal(back->comm, "redis-server");
	profile_free(back);
	unlink(named);
	rmdir(directory);
}

static void test_read_pprof_of_no_file_is_refused(void **state)
{
	struct profile *profile;

	(void)state;
	assert_int_equal(read_pprof("/nonexistent/file.pb.gz", &profile), -ENOENT);
	assert_int_equal(read_pprof("/proc", &profile), -EISDIR);
	write_bytes("", 0);
	assert_int_equal(read_pprof(path, &profile), -EPROTO);
	write_bytes("heap profile: 0: 0 [0: 0] @ heap/2\n", 35);
	assert_int_equal(read_pprof(path, &profile), -EBADMSG);
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
		assert_int_equal(read_pprof(path, &back), -EBADMSG);
	}
	bytes[size / 2] ^= 0xff;
	write_bytes(bytes, size);
	assert_int_equal(read_pprof(path, &back), -EBADMSG);
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
	assert_int_equal(read_pprof(path, &profile), -EFBIG);
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
		if (read_pprof(path, &back))
			continue;
		read++;
		profile_free(back);
	}
	assert_in_range(read, 1, 2999);
}

static int make_file(void **state)
{
	(void)state;
	memory = memfd_create("profile", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	return memory < 0;
}

static int close_file(void **state)
{
	(void)state;
	return close(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_pprof_of_written_profile_yields_it_again),
		cmocka_unit_test(test_read_pprof_yields_the_model_and_every_lifetime_again),
		cmocka_unit_test(test_read_pprof_of_file_without_a_model_knows_none),
		cmocka_unit_test(test_read_pprof_of_model_that_cannot_be_is_refused),
		cmocka_unit_test(test_read_pprof_of_lying_lifetimes_stays_within_bounds),
		cmocka_unit_test(test_read_pprof_of_profile_read_before_is_stable),
		cmocka_unit_test(test_read_pprof_recovers_raw_counts_at_every_rate),
		cmocka_unit_test(test_read_pprof_of_alloc_only_profile_says_so),
		cmocka_unit_test(test_read_pprof_of_empty_profile_has_no_samples),
		cmocka_unit_test(test_read_pprof_of_foreign_message_fills_what_it_lacks),
		cmocka_unit_test(test_read_pprof_of_other_sample_types_is_refused),
		cmocka_unit_test(test_read_pprof_of_message_that_contradicts_itself_is_refused),
		cmocka_unit_test(test_read_pprof_of_odd_values_takes_them_for_unknown),
		cmocka_unit_test(test_read_pprof_takes_process_and_name_from_the_file_name),
		cmocka_unit_test(test_read_pprof_of_no_file_is_refused),
		cmocka_unit_test(test_read_pprof_of_shortened_file_is_refused),
		cmocka_unit_test(test_read_pprof_of_bomb_is_refused),
		cmocka_unit_test(test_read_pprof_of_damaged_message_ends),
	};

	return cmocka_run_group_tests(tests, make_file, close_file);
}
