/* SPDX-License-Identifier: GPL-2.0-or-later */
/* curve.c, sparkline.c: characters where the numbers say. */
#include "unit/profile/golden.h"
#include "unit/format/printed.h"

#include <math.h>

#include "base/units.h"
#include "top/curve.h"
#include "top/sparkline.h"

/* Half of what lives dies in each cycle; the older, the fewer are known, and the wider the band. */
static struct survival_curve halving(void)
{
	struct survival_curve curve = {.count = 12};

	for (u32 i = 0; i < curve.count; i++)
		curve.points[i] = (struct survival_curve_point){
			.age_cycles = i,
			.age_ns = i * 100000000ULL,
			.estimate = pow(0.8, i),
			.lower = fmax(0, pow(0.8, i) - 0.03 * i),
			.upper = fmin(1, pow(0.8, i) + 0.03 * i),
			.at_risk = 100,
		};
	return curve;
}

static void assert_curve(const struct survival_curve *curve, unsigned int columns, enum display_charset charset,
			 const char *name)
{
	struct printed printed;
	struct frame frame;
	char *text;

	frame_open(&frame, columns, charset);
	curve_put(curve, &frame);
	for (u32 i = 0; i < frame.count; i++)
		assert_in_range(frame.lines[i].columns, 0, columns);
	frame_print(&frame, printed_open(&printed));
	frame_release(&frame);
	text = printed_close(&printed);
	assert_golden(text, name);
	free(text);
}

static void test_curve_falls_with_its_band(void **state)
{
	struct survival_curve curve = halving();

	(void)state;
	assert_curve(&curve, 80, DISPLAY_UTF8, "top_curve.txt");
	assert_curve(&curve, 40, DISPLAY_ASCII, "top_curve_ascii.txt");
}

static void test_curve_of_nothing_is_a_sentence(void **state)
{
	struct survival_curve curve = halving();

	(void)state;
	curve.count = 1;
	assert_curve(&curve, 80, DISPLAY_UTF8, "top_curve_none.txt");
}

static void test_sparkline_shows_the_last_values_from_0_to_the_largest(void **state)
{
	const float values[] = {5, 1, 0, 2, 4, 8};
	char line[SPARKLINE_SIZE];

	(void)state;
	assert_string_equal(sparkline(values, 6, 6, DISPLAY_UTF8, line), "▅▂▁▃▅█");
	assert_string_equal(sparkline(values, 6, 3, DISPLAY_UTF8, line), "▃▅█");
	assert_string_equal(sparkline(values, 2, 4, DISPLAY_UTF8, line), "  █▂");
	assert_string_equal(sparkline(values, 6, 6, DISPLAY_ASCII, line), "=._:=#");
	assert_string_equal(sparkline(values + 2, 1, 2, DISPLAY_UTF8, line), " ▁");
	assert_string_equal(sparkline(values, 0, 2, DISPLAY_UTF8, line), "  ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_curve_falls_with_its_band),
		cmocka_unit_test(test_curve_of_nothing_is_a_sentence),
		cmocka_unit_test(test_sparkline_shows_the_last_values_from_0_to_the_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
