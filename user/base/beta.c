/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The incomplete beta function by its continued fraction, and its inverse. Written here because
 * the library that has it (GSL) is 3 MB for one function. Continued fraction: NIST Digital Library of Mathematical
 * Functions, 8.17.22; its evaluation from the left: Lentz's method as modified by Thompson and Barnett 1986.
 */
#include "base/beta.h"

#include <math.h>

#include "include/types.h"

/* It needs about sqrt(max(a, b)) terms: 2124 were the most for a quantile with a, b <= 1e7. */
#define TERMS_MAX 10000

static double nonzero(double value)
{
	return fabs(value) < 1e-300 ? 1e-300 : value;
}

/* The fraction 1 / (1 + d1 / (1 + d2 / (1 + ...))); converges quickly for x < (a + 1) / (a + b + 2). */
static double fraction(double x, double a, double b)
{
	double c = 1, d = 1 / nonzero(1 - (a + b) / (a + 1) * x), result = d;

	for (int term = 2; term <= TERMS_MAX && fabs(c * d - 1) >= 1e-15; term++) {
		int m = term / 2;
		double even = m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1));
		double coefficient = x * (term % 2 ? odd : even);

		d = 1 / nonzero(1 + coefficient * d);
		c = nonzero(1 + coefficient / c);
		result *= c * d;
	}
	return result;
}

/* ln of x^a (1 - x)^b / B(a, b) */
static double log_front(double x, double a, double b)
{
	return a * log(x) + b * log1p(-x) - (lgamma(a) + lgamma(b) - lgamma(a + b));
}

double beta_cdf(double x, double a, double b)
{
	double front;

	if (x >= 1 || a <= 0)
		return 1;
	if (x <= 0 || b <= 0)
		return 0;
	front = exp(log_front(x, a, b));
	if (x < (a + 1) / (a + b + 2))
		return front * fraction(x, a, b) / a;
	return 1 - front * fraction(1 - x, b, a) / b;
}

/* Newton's steps from the mean, and a bisection where one would leave what is known to bracket the root. */
double beta_quantile(double p, double a, double b)
{
	double low = 0, high = 1, x = a / (a + b);

	if (a <= 0)
		return 0;
	if (b <= 0)
		return 1;
	for (int step = 0; step < 200 && high - low > 1e-12 + 1e-9 * low; step++) {
		double excess = beta_cdf(x, a, b) - p, next;

		if (excess > 0)
			high = x;
		else
			low = x;
		next = x - excess / (exp(log_front(x, a, b)) / (x * (1 - x)));
		if (fabs(next - x) < 1e-12 + 1e-9 * x && next > 0 && next < 1)
			return next;
		x = next > low && next < high ? next : (low + high) / 2;
	}
	return x;
}
