/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lifetime_pack.c: every record comes back, and most are small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "profile/lifetime_pack.h"

static void assert_comes_back(const struct lifetime *lifetime)
{
	struct lifetime_pack *pack = lifetime_pack(lifetime);
	struct lifetime back = lifetime_unpack(pack);

	assert_non_null(pack);
	assert_memory_equal(lifetime, &back, sizeof(back));
	free(pack);
}

static void test_lifetime_pack_of_any_record_comes_back(void **state)
{
	struct lifetime lifetime = {0};
	u32 words[LIFETIME_WORDS];
	unsigned int seed = 11;

	(void)state;
	assert_comes_back(&lifetime);
	for (size_t word = 0; word < LIFETIME_WORDS; word++) {
		memset(words, 0, sizeof(words));
		words[word] = UINT32_MAX;
		memcpy(&lifetime, words, sizeof(words));
		assert_comes_back(&lifetime);
	}
	for (int round = 0; round < 1000; round++) {
		for (size_t word = 0; word < LIFETIME_WORDS; word++)
			words[word] = rand_r(&seed) % 4 > round % 4 ? (u32)rand_r(&seed) : 0;
		memcpy(&lifetime, words, sizeof(words));
		assert_comes_back(&lifetime);
	}
}

static void test_lifetime_pack_of_null_is_all_zero(void **state)
{
	struct lifetime zero = {0}, back = lifetime_unpack(NULL);

	(void)state;
	assert_memory_equal(&zero, &back, sizeof(back));
}

/* One object that was born and freed: what nearly every site of a million has. */
static void test_lifetime_pack_of_few_objects_is_small(void **state)
{
	struct lifetime lifetime = {0};
	struct lifetime_pack *pack;

	(void)state;
	lifetime_birth(&lifetime, 3);
	lifetime_death(&lifetime, (struct lifetime_time){1, 3}, (struct lifetime_time){2, 5});
	pack = lifetime_pack(&lifetime);
	assert_non_null(pack);
	assert_true(lifetime_pack_size(pack) <= sizeof(lifetime) / 10);
	free(pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lifetime_pack_of_any_record_comes_back),
		cmocka_unit_test(test_lifetime_pack_of_null_is_all_zero),
		cmocka_unit_test(test_lifetime_pack_of_few_objects_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
