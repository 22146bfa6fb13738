/* SPDX-License-Identifier: GPL-2.0-or-later */
/* series.c: figures of processes that have ended and are no longer kept. */
#include "unit/serve/listing_scene.h"

#include "live/ended_sums.h"
#include "serve/metrics.h"

static char *printed_metrics(struct metrics_scope scope)
{
	struct printed printed;

	assert_int_equal(metrics_write(&listing, &scope, NULL, false, printed_open(&printed)), 0);
	return printed_close(&printed);
}

/* Counters that fell would be taken for counters that began anew. */
static void test_metrics_keep_what_dropped_processes_had(void **state)
{
	struct profile *dropped = calloc(1, sizeof(*dropped));
	char *text;

	(void)state;
	listing.named = false;
	add_process(7, "web", 100)->ledger[COUNTER_LOST_RING] = 2;
	dropped->comm = strdup("web");
	dropped->ledger[COUNTER_LOST_RING] = 3;
	assert_int_equal(ended_sums_add(&listing.dropped, dropped, false), 0);
	listing.dropped.entries[0].total[ALLOC_SPACE] = 1000;
	listing.dropped.entries[0].total[INUSE_SPACE] = 500;
	text = printed_metrics((struct metrics_scope){0});
	assert_has(text, "\nheaptap_allocated_bytes_total{container=\"\",comm=\"web\"} 1100\n");
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"web\"} 100\n");
	assert_has(text, "\nheaptap_processes{container=\"\",comm=\"web\"} 1\n");
	assert_has(text, "\nheaptap_lost_total{counter=\"lost_ring\"} 5\n");
	free(text);
}

static void give_memory(struct profile *facts, u64 resident)
{
	facts->rss_end_bytes = resident;
	facts->memory.known = true;
	facts->memory.part[MEMORY_HEAP].resident = resident;
}

/* In use is what they had at their end; the row has the resident memory of the first alone, which is that of none. */
static void test_metrics_of_dropped_processes_have_no_resident_memory_at_the_end(void **state)
{
	char *text;

	(void)state;
	listing.named = false;
	listing.ended = true;
	for (u64 resident = 4096; resident <= 8192; resident += 4096) {
		struct profile *dropped = calloc(1, sizeof(*dropped));

		assert_non_null(dropped);
		dropped->comm = strdup("web");
		give_memory(dropped, resident);
		assert_int_equal(ended_sums_add(&listing.dropped, dropped, false), 0);
	}
	listing.dropped.entries[0].total[INUSE_SPACE] = 500;
	text = printed_metrics((struct metrics_scope){0});
	assert_has(text, "\nheaptap_processes{container=\"\",comm=\"web\"} 2\n");
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"web\"} 500\n");
	assert_lacks(text, "\nheaptap_resident_bytes");
	assert_lacks(text, "\nheaptap_memory_bytes");
	free(text);
}

/* One that is kept and one that is not, in one series: what is said to consist of parts would be what only one of them had. */
static void test_metrics_of_a_series_with_a_dropped_process_have_the_resident_memory_of_the_others(void **state)
{
	struct profile *dropped = calloc(1, sizeof(*dropped));
	char *text;

	(void)state;
	assert_non_null(dropped);
	listing.named = false;
	listing.ended = true;
	give_memory(add_process(7, "web", 100), 4096);
	give_memory(add_process(8, "db", 50), 16384);
	dropped->comm = strdup("web");
	give_memory(dropped, 8192);
	assert_int_equal(ended_sums_add(&listing.dropped, dropped, false), 0);
	listing.dropped.entries[0].total[INUSE_SPACE] = 500;
	text = printed_metrics((struct metrics_scope){0});
	assert_has(text, "\nheaptap_processes{container=\"\",comm=\"web\"} 2\n");
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"web\"} 600\n");
	assert_has(text, "\nheaptap_resident_bytes{container=\"\",comm=\"web\"} 4096\n");
	assert_lacks(text, "\nheaptap_memory_bytes{container=\"\",comm=\"web\"");
	assert_has(text, "\nheaptap_memory_bytes{container=\"\",comm=\"db\",part=\"heap\"} 16384\n");
	free(text);
}

/* It has executed one program after the other, the first of which are no longer kept. */
static void test_metrics_keep_what_dropped_programs_of_a_process_had(void **state)
{
	struct profile *dropped = calloc(1, sizeof(*dropped));
	char *text;

	(void)state;
	add_process(7, "web", 100);
	dropped->pid = 7;
	dropped->comm = strdup("web");
	assert_int_equal(ended_sums_add(&listing.dropped, dropped, true), 0);
	listing.dropped.entries[0].total[ALLOC_SPACE] = 1000;
	text = printed_metrics((struct metrics_scope){0});
	assert_has(text, "\nheaptap_allocated_bytes_total{container=\"\",comm=\"web\",pid=\"7\"} 1100\n");
	free(text);
	text = printed_metrics((struct metrics_scope){.pid = 7});
	assert_has(text, "\nheaptap_allocated_bytes_total 1100\n");
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, listing_setup, listing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_metrics_keep_what_dropped_processes_had),
		TEST(test_metrics_of_dropped_processes_have_no_resident_memory_at_the_end),
		TEST(test_metrics_of_a_series_with_a_dropped_process_have_the_resident_memory_of_the_others),
		TEST(test_metrics_keep_what_dropped_programs_of_a_process_had),
	};

	return cmocka_run_group_tests_name("metrics_dropped", tests, NULL, NULL);
}
