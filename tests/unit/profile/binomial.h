/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Exact binomial sums, and comparisons of numbers with the expected ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "include/types.h"

static inline void assert_near(double value, double expected, double tolerance)
{
	if (fabs(value - expected) <= tolerance)
		return;
	print_error("%.12g, expected %.12g within %g\n", value, expected, tolerance);
	fail();
}

/* P(X <= x) of X ~ binomial(n, p), term by term. */
static inline double binomial_cdf(u32 x, u32 n, double p)
{
	long double sum = 0;

	for (u32 i = 0; i <= x; i++)
		sum += expl(lgammal(n + 1.0L) - lgammal(i + 1.0L) - lgammal(n - i + 1.0L) + i * logl(p) +
			    (n - i) * log1pl(-(long double)p));
	return (double)sum;
}
