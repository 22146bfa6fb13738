/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pprof_read.c on messages built here field by field with one thing wrong in each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include <stdlib.h>

#include "pprof_file.h"
#include "profile/sites.h"

#include "pprof.pb-c.h"

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
	return pprof_read(path, ret_profile);
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
	REFUSES(-EBADMSG, message.model.ticks = 1ULL << 32);
	REFUSES(-EBADMSG, message.model.requests = 1ULL << 32);
	REFUSES(-EBADMSG, message.model.gogc_percent = 1ULL << 32);
	REFUSES(-EBADMSG, message.model.n_clock_ns = LIFETIME_BUCKETS + 1);
	REFUSES(-EBADMSG, message.model.n_age_ns = LIFETIME_CLASSES + 1);
	REFUSES(-EBADMSG, message.lifetime.n_died = LIFETIME_CLASSES + 1);
	REFUSES(-EBADMSG, message.lifetime.n_ended = LIFETIME_CLASSES + 1);
	REFUSES(-EBADMSG, message.lifetime.n_born = LIFETIME_BUCKETS + 1);
	REFUSES(-EBADMSG, message.lifetime.n_gone = LIFETIME_DEATH_BUCKETS + 1);
}

/* Before there were ticks buckets were of cycles alone. */
static void test_read_pprof_without_ticks_takes_cycles_for_them(void **state)
{
	struct lifetime lifetime;
	struct profile *profile;
	struct message message;

	(void)state;
	message_init(&message);
	message.counts[0] = 3;
	message.counts[5] = 7;
	message.model.cycles = 41;
	message.lifetime.n_born = message.lifetime.n_gone = 6;
	assert_int_equal(message_read(&message, &profile), 0);
	assert_int_equal(profile->model.ticks, 41);
	lifetime = lifetime_unpack(profile->samples[0].lifetime);
	assert_int_equal(lifetime.width, 4);
	assert_int_equal(lifetime.born[5], 7);
	assert_int_equal(lifetime.gone[0], 3);
	profile_free(profile);
}

/* Counts that no process can have made, at every border of the clock: conclusions are nonsense, and nothing more. */
static void test_read_pprof_of_lying_lifetimes_stays_within_bounds(void **state)
{
	static const uint64_t ticks[] = {0, 1, 11, 12, 13, 14, 15, 27, 28, 29, 1000, 1U << 20, UINT32_MAX};
	struct message message;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(ticks) / sizeof(*ticks); i++) {
		struct profile_site *sites;
		struct profile *profile;
		u32 count;

		message_init(&message);
		memset(message.counts, 0xff, sizeof(message.counts));
		memset(message.times, 0xff, sizeof(message.times));
		message.model.cycles = ticks[i / 2];
		message.model.ticks = i % 2 ? ticks[i / 2] : 0;
		message.model.n_clock_ns = LIFETIME_BUCKETS;
		message.model.n_age_ns = message.lifetime.n_died = message.lifetime.n_ended = LIFETIME_CLASSES;
		message.lifetime.n_born = LIFETIME_BUCKETS;
		message.lifetime.n_gone = LIFETIME_DEATH_BUCKETS;
		message.model.trend = message.model.goal_bytes = NAN;
		message.model.visited_bytes = INFINITY;
		message.model.judged_bytes = 0x1p63;
		assert_int_equal(message_read(&message, &profile), 0);
		assert_true(profile->model.trend == 0 && profile->model.goal_bytes == 0 &&
			    profile->model.judged_bytes == 0);
		assert_int_equal(profile_sites(profile, INUSE_SPACE, &sites, &count), 0);
		assert_true(sites[0].lifetime_summary.samples > 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_pprof_of_foreign_message_fills_what_it_lacks),
		cmocka_unit_test(test_read_pprof_of_other_sample_types_is_refused),
		cmocka_unit_test(test_read_pprof_of_message_that_contradicts_itself_is_refused),
		cmocka_unit_test(test_read_pprof_of_model_that_cannot_be_is_refused),
		cmocka_unit_test(test_read_pprof_without_ticks_takes_cycles_for_them),
		cmocka_unit_test(test_read_pprof_of_lying_lifetimes_stays_within_bounds),
		cmocka_unit_test(test_read_pprof_of_odd_values_takes_them_for_unknown),
	};

	return cmocka_run_group_tests(tests, make_file, close_file);
}
