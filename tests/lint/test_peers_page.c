/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench/peers_page.py on a few measurements: medians, ranges, reasons and conditions stand in the page, and the chart is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/binary/shell.h"
#include "unit/system/scratch.h"

#define PAGE_OF "/usr/bin/python3 " SOURCE_DIR "/bench/peers_page.py "

#define FACTS "# machine\tan abacus\n# processors\t2\n# kernel\t6.1.0\n# heaptap\t0.2.0\n"

/* Three rounds, each with another untraced time: 2, 3 and 10 times the processor time; 1.5, 1.25 and 2 times the elapsed. */
#define ROUNDS                                                                                                         \
	"2026-01-02T10:00\t0.5\tpair\theaptap\t100\t100\t150\t200\n"                                                   \
	"2026-01-02T11:30\t0.25\tpair\theaptap\t200\t100\t250\t300\n"                                                  \
	"2026-01-02T10:10\t1.5\tpair\theaptap\t100\t10\t200\t100\n"
#define ONE_ROUND "2026-01-02T10:20\t1\tperl\theaptap\t100\t100\t100\t1234567\n"
#define REFUSED	  "2026-01-02T10:30\t1\tpair\tmemray\t-\t-\t-\t-\tit profiles Python alone\n"
#define GROWTH                                                                                                         \
	"2026-01-02T10:40\t1\tthreads=2\tfloor\t100\t100\t120\t150\n"                                                  \
	"2026-01-02T10:40\t1\tthreads=2\theaptap\t100\t100\t120\t180\n"                                                \
	"2026-01-02T10:40\t1\tthreads=16\tfloor\t100\t100\t120\t140\n"                                                 \
	"2026-01-02T10:40\t1\tthreads=16\theaptap\t100\t100\t120\t150\n"

static char *read_all(const char *path)
{
	static char text[1 << 16];
	FILE *file = fopen(path, "r");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	return text;
}

static const char *page_of(const char *results)
{
	scratch_file("results.tsv", results, 0644);
	run(PAGE_OF "results.tsv");
	return read_all("results.md");
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("there is no '%s' in:\n%s", part, text);
}

static void test_peers_page_cell_is_the_median_and_its_range(void **state)
{
	const char *page = page_of(FACTS ROUNDS ONE_ROUND);

	(void)state;
	/* The ratio of each round, and of one round no range; figures of more than three digits are rounded to three. */
	assert_has(page, "\n| `heaptap record` | 3.00 (2.00 - 10.0) | 12 300 |\n");
	assert_has(page, "\n| `heaptap record` | 1.50 (1.25 - 2.00) | 1.00 |\n");
	assert_has(page, "\n|  | malloc and free | perl |\n");
	assert_null(strstr(page, "massif`")); /* tools that were not measured have no row */
}

static void test_peers_page_says_where_and_when(void **state)
{
	const char *page = page_of(FACTS ROUNDS ONE_ROUND);

	(void)state;
	assert_has(
		page,
		"1 to 3 rounds of each, between 2026-01-02 10:00 and 2026-01-02 11:30, on: an abacus, 2 processors,\n"
		"kernel 6.1.0.\n");
	assert_has(page, "\n| heaptap | 0.2.0 |\n");
	assert_null(strstr(page, "Other work wanted the processors"));
	for (const char *at = page; (at = strchr(at, '@')); at++)
		fail_msg("a part is left out: %.20s", at);
	page = page_of(FACTS "2026-01-02T10:00\t3.25\tpair\theaptap\t100\t100\t150\t200\n");
	assert_has(page, "**Other work wanted the processors**: the load was 3.25 to 3.25.");
}

static void test_peers_page_reason_stands_for_a_figure(void **state)
{
	const char *page = page_of(FACTS ROUNDS REFUSED);

	(void)state;
	assert_has(page, "\n| memray, of Debian 13's Python | *a* |\n");
	assert_has(page, "\n- *a*: it profiles Python alone\n");
}

static void test_peers_page_growth_is_in_the_order_of_numbers(void **state)
{
	const char *page = page_of(FACTS ROUNDS GROWTH), *two;

	(void)state;
	/* 80 ns more than untraced, of which a trap that does nothing takes 50. */
	two = strstr(page, "\n| 2 | 100 | 50.0 | 80.0 | 1.60 |\n");
	assert_non_null(two);
	assert_has(two, "\n| 16 | 100 | 40.0 | 50.0 | 1.25 |\n");
}

static void test_peers_page_chart_has_a_bar_for_each_figure(void **state)
{
	const char *chart, *page = page_of(FACTS ROUNDS ONE_ROUND);

	(void)state;
	assert_has(page, "](results.svg)\n");
	chart = read_all("results.svg");
	assert_has(chart, "<title>heaptap: 3.00</title>");
	assert_has(chart, "<title>heaptap: 12 300</title>");
	run("/usr/bin/python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse(\"results.svg\")'");
}

static void test_peers_page_without_a_measurement_is_refused(void **state)
{
	(void)state;
	scratch_file("results.tsv", FACTS, 0644);
	run("! " PAGE_OF "results.tsv 2>words");
	assert_string_equal(read_all("words"), "peers_page.py: there is no measurement in results.tsv\n");
	run("! test -e results.md");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_peers_page_cell_is_the_median_and_its_range),
		TEST(test_peers_page_says_where_and_when),
		TEST(test_peers_page_reason_stands_for_a_figure),
		TEST(test_peers_page_growth_is_in_the_order_of_numbers),
		TEST(test_peers_page_chart_has_a_bar_for_each_figure),
		TEST(test_peers_page_without_a_measurement_is_refused),
	};

	return cmocka_run_group_tests_name("peers page", tests, NULL, NULL);
}
