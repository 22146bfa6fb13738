/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics.c: series and their labels, what ends with a process, the cap, both formats, and hostile names. */
#include "unit/serve/listing_scene.h"

#include "serve/metrics.h"

static char *printed_pushed(struct metrics_scope scope, const struct push_ledger *pushed, bool open)
{
	struct printed printed;

	assert_int_equal(metrics_write(&listing, &scope, pushed, open, printed_open(&printed)), 0);
	return printed_close(&printed);
}

static char *printed_metrics(struct metrics_scope scope, bool open)
{
	return printed_pushed(scope, NULL, open);
}

static u32 count_of(const char *text, const char *part)
{
	u32 count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static void test_metrics_of_named_processes_have_pids(void **state)
{
	char *text;

	(void)state;
	contain(add_process(7, "web", 100), "0123456789abcdef", "front");
	add_process(8, "web", 50)->rss_end_bytes = 4096;
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_has(text, "\nheaptap_inuse_bytes{container=\"front\",comm=\"web\",pid=\"7\"} 100\n");
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"web\",pid=\"8\"} 50\n");
	assert_has(text, "\nheaptap_resident_bytes{container=\"\",comm=\"web\",pid=\"8\"} 4096\n");
	/* What is not known is not 0. */
	assert_lacks(text, "\nheaptap_resident_bytes{container=\"front\"");
	assert_lacks(text, "\nheaptap_memory_bytes");
	assert_has(text, "\nheaptap_allocated_bytes_total{container=\"front\",comm=\"web\",pid=\"7\"} 100\n");
	assert_has(text, "\nheaptap_traced_seconds 1.5\n");
	assert_has(text, "\nheaptap_lost_total{counter=\"lost_ring\"} 0\n");
	free(text);
}

static void test_metrics_of_a_population_add_up_by_name(void **state)
{
	char *text;

	(void)state;
	listing.named = false;
	add_process(7, "web", 100);
	add_process(8, "web", 50);
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"web\"} 150\n");
	assert_has(text, "\nheaptap_processes{container=\"\",comm=\"web\"} 2\n");
	assert_lacks(text, "pid=");
	free(text);
}

/* Parts of a series are those of all its processes, or none: a sum with one missing would be no sum. */
static void test_metrics_have_the_parts_of_resident_memory(void **state)
{
	struct profile *first, *second;
	char *text;

	(void)state;
	listing.named = false;
	first = add_process(7, "web", 100);
	second = add_process(8, "web", 50);
	first->memory.known = second->memory.known = true;
	first->memory.part[MEMORY_HEAP] = (struct memory_amount){1000, 10, 1};
	second->memory.part[MEMORY_HEAP] = (struct memory_amount){2000, 20, 2};
	second->memory.part[MEMORY_STACKS].resident = 7;
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_has(text, "\nheaptap_memory_bytes{container=\"\",comm=\"web\",part=\"heap\"} 3000\n");
	assert_has(text, "\nheaptap_memory_bytes{container=\"\",comm=\"web\",part=\"stacks\"} 7\n");
	assert_has(text, "\nheaptap_memory_bytes{container=\"\",comm=\"web\",part=\"swapped\"} 30\n");
	assert_has(text, "\nheaptap_memory_bytes{container=\"\",comm=\"web\",part=\"hugetlb\"} 3\n");
	free(text);
	second->memory.known = false;
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_lacks(text, "\nheaptap_memory_bytes");
	free(text);
}

/* What has ended is in counters as long as others of its series live; nothing of it is in use. */
static void test_metrics_lose_a_series_with_its_last_process(void **state)
{
	char *text;

	(void)state;
	listing.named = false;
	add_process(7, "web", 100);
	add_process(8, "web", 50)->exited = true;
	add_process(9, "job", 50)->exited = true;
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"web\"} 100\n");
	assert_has(text, "\nheaptap_allocated_bytes_total{container=\"\",comm=\"web\"} 150\n");
	assert_has(text, "\nheaptap_processes{container=\"\",comm=\"web\"} 1\n");
	assert_lacks(text, "job");
	free(text);
	listing.ended = true;
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"web\"} 150\n");
	assert_has(text, "comm=\"job\"");
	free(text);
}

static void test_metrics_of_more_series_than_the_cap_share_other(void **state)
{
	char *text, comm[16];

	(void)state;
	for (u32 i = 1; i <= METRICS_SERIES_MAX + 50; i++) {
		snprintf(comm, sizeof(comm), "p%u", i);
		add_process(i, comm, i);
	}
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_int_equal(count_of(text, "\nheaptap_inuse_bytes{"), METRICS_SERIES_MAX);
	assert_has(text, "\nheaptap_processes{container=\"\",comm=\"other\"} 51\n");
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"other\"} 1326\n"); /* 1 + 2 + ... + 51 */
	assert_has(text, "comm=\"p250\"");
	assert_lacks(text, "comm=\"p51\"");
	free(text);
}

/* Two samples of one name and equal labels would make Prometheus refuse the whole answer. */
static void assert_series_are_unique(const char *text)
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t length = strcspn(line, " \n");

		if (*line == '#')
			continue;
		for (const char *other = strchr(line, '\n') + 1; *other; other = strchr(other, '\n') + 1)
			if (!strncmp(line, other, length) && other[length] == ' ')
				fail_msg("twice: %.*s", (int)length, line);
	}
}

static void test_metrics_of_names_that_differ_in_what_cannot_be_shown(void **state)
{
	char *text;

	(void)state;
	listing.named = false;
	add_process(7, "job\x01", 100);
	add_process(8, "job\x02", 50);
	contain(add_process(9, "web", 20), "0123456789abcdef", "front\x01");
	contain(add_process(10, "web", 10), "fedcba9876543210", "front\x02");
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_series_are_unique(text);
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"job?\"} 150\n");
	assert_has(text, "\nheaptap_inuse_bytes{container=\"front?\",comm=\"web\"} 30\n");
	free(text);
}

static void test_metrics_of_a_process_that_is_called_other(void **state)
{
	char *text, comm[16];

	(void)state;
	listing.named = false;
	for (u32 i = 1; i <= METRICS_SERIES_MAX + 50; i++) {
		snprintf(comm, sizeof(comm), "p%u", i);
		add_process(i, i == 250 ? "other" : comm, i);
	}
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_series_are_unique(text);
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"other\"} 1525\n"); /* 250, and 1 + 2 + ... + 50 */
	free(text);
}

/* A recording may not say it. */
static void test_metrics_of_a_process_without_a_name(void **state)
{
	struct profile *facts = add_process(7, "", 100);
	char *text;

	(void)state;
	listing.named = false;
	free(facts->comm);
	facts->comm = NULL;
	add_process(8, "web", 50);
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_series_are_unique(text);
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"\"} 100\n");
	assert_has(text, "\nheaptap_inuse_bytes{container=\"\",comm=\"web\"} 50\n");
	free(text);
}

/* The labels are the target's then. */
static void test_metrics_of_one_process_have_no_labels(void **state)
{
	const struct metrics_scope nobody = {.pid = 9};
	struct printed printed;
	char *text;

	(void)state;
	add_process(7, "web", 100);
	add_process(8, "job", 50);
	text = printed_metrics((struct metrics_scope){.pid = 8}, false);
	assert_has(text, "\nheaptap_inuse_bytes 50\n");
	free(text);
	assert_int_equal(metrics_write(&listing, &nobody, NULL, false, printed_open(&printed)), -ENOENT);
	free(printed_close(&printed));
}

/* The ledger is of all processes: in the scope of one it would be added up as often as there are processes. */
static void test_metrics_have_the_ledger_of_what_is_pushed(void **state)
{
	struct push_ledger ledger = {.taken = {3, 9, 90},
				     .resumed = {1, 1, 1},
				     .sent = {2, 5, 50},
				     .waiting = {1, 3, 30},
				     .spooled = {1, 4, 40}};
	char *text;

	(void)state;
	ledger.dropped[PUSH_DENIED] = (struct push_amount){1, 2, 11};
	ledger.attempts = 7;
	ledger.failed[PUSH_FAILED_NO_CONNECTION] = 4;
	ledger.failed[PUSH_FAILED_STATUS_4XX] = 1;
	ledger.sent_bytes = 4096;
	ledger.untold_processes = 3;
	ledger.untold_bytes = 5000;
	assert_true(push_ledger_balances(&ledger));
	add_process(7, "web", 100);
	text = printed_pushed((struct metrics_scope){0}, &ledger, true);
	assert_has(text, "\nheaptap_push_taken_profiles_total 9\n");
	assert_has(text, "\nheaptap_push_resumed_profiles_total 1\n");
	assert_has(text, "\nheaptap_push_sent_profiles_total 5\n");
	assert_has(text, "\nheaptap_push_dropped_profiles_total{cause=\"denied\"} 2\n");
	assert_has(text, "\nheaptap_push_dropped_profiles_total{cause=\"unsent\"} 0\n");
	assert_has(text, "\nheaptap_push_waiting_profiles 3\n");
	assert_has(text, "\nheaptap_push_spooled_profiles_total 4\n");
	assert_has(text, "\nheaptap_push_attempts_total 7\n");
	assert_has(text, "\nheaptap_push_failed_attempts_total{cause=\"no_connection\"} 4\n");
	assert_has(text, "\nheaptap_push_failed_attempts_total{cause=\"status_4xx\"} 1\n");
	assert_has(text, "\nheaptap_push_failed_attempts_total{cause=\"tls\"} 0\n");
	assert_has(text, "\nheaptap_push_sent_requests_total 2\n");
	assert_has(text, "\n# UNIT heaptap_push_sent_bytes bytes\nheaptap_push_sent_bytes_total 4096\n");
	assert_has(text, "\nheaptap_push_untold_processes_total 3\n");
	assert_has(text, "\nheaptap_push_untold_bytes_total 5000\n");
	free(text);
	text = printed_pushed((struct metrics_scope){.pid = 7}, &ledger, true);
	assert_lacks(text, "push");
	free(text);
	text = printed_metrics((struct metrics_scope){0}, true);
	assert_lacks(text, "push");
	free(text);
}

static void test_metrics_of_one_container(void **state)
{
	char *text;

	(void)state;
	contain(add_process(7, "web", 100), "0123456789abcdef", "front");
	add_process(8, "job", 50);
	text = printed_metrics((struct metrics_scope){.container = "front"}, false);
	assert_has(text, "comm=\"web\"");
	assert_lacks(text, "comm=\"job\"");
	free(text);
}

/* Every family has HELP and TYPE; OpenMetrics names counters without their suffix, and says where it ends. */
static void test_metrics_formats(void **state)
{
	char *text;

	(void)state;
	add_process(7, "web", 100);
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_has(text, "# TYPE heaptap_allocated_bytes_total counter\n");
	assert_has(text, "# TYPE heaptap_build_info gauge\n");
	assert_int_equal(count_of(text, "# TYPE "), count_of(text, "# HELP "));
	assert_lacks(text, "# EOF");
	free(text);
	text = printed_metrics((struct metrics_scope){0}, true);
	assert_has(text, "# TYPE heaptap_allocated_bytes counter\n# UNIT heaptap_allocated_bytes bytes\n");
	assert_has(text, "# TYPE heaptap_build info\n");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
	assert_true(metrics_accepts_open("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"));
	assert_false(metrics_accepts_open("text/plain"));
	assert_false(metrics_accepts_open(NULL));
}

/* Without frees what is in use is unknown, which is not 0. */
static void test_metrics_of_allocations_alone(void **state)
{
	char *text;

	(void)state;
	add_process(7, "web", 100)->alloc_only = true;
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_lacks(text, "\nheaptap_inuse_bytes{");
	assert_lacks(text, "\nheaptap_growth_bytes_per_second{");
	assert_has(text, "\nheaptap_allocated_bytes_total{");
	free(text);
}

static void test_metrics_names_stay_within_their_quotes(void **state)
{
	char *text;

	(void)state;
	add_process(7, "a\"} 1\nb\\\x1b[\xff", 100);
	text = printed_metrics((struct metrics_scope){0}, false);
	assert_has(text, "comm=\"a\\\"} 1?b\\\\?[\xef\xbf\xbd\",pid=\"7\"} 100\n");
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, listing_setup, listing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_metrics_of_named_processes_have_pids),
		TEST(test_metrics_of_a_population_add_up_by_name),
		TEST(test_metrics_have_the_parts_of_resident_memory),
		TEST(test_metrics_lose_a_series_with_its_last_process),
		TEST(test_metrics_of_more_series_than_the_cap_share_other),
		TEST(test_metrics_of_names_that_differ_in_what_cannot_be_shown),
		TEST(test_metrics_of_a_process_that_is_called_other),
		TEST(test_metrics_of_a_process_without_a_name),
		TEST(test_metrics_of_one_process_have_no_labels),
		TEST(test_metrics_have_the_ledger_of_what_is_pushed),
		TEST(test_metrics_of_one_container),
		TEST(test_metrics_formats),
		TEST(test_metrics_of_allocations_alone),
		TEST(test_metrics_names_stay_within_their_quotes),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
