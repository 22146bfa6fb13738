/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/survival.h"

#include <math.h>

/* So many effective samples are as good as more, and keep the continued fraction short. */
#define EFFECTIVE_MAX 1e7

/*
 * --- the beta distribution, which is what an exact binomial interval is made of (Clopper and Pearson 1934) ---
 *
 * The incomplete beta function by its continued fraction, and its inverse. Written here because the library that has it
 * (GSL) is 3 MB for one function. Continued fraction: NIST Digital Library of Mathematical Functions, 8.17.22; its
 * evaluation from the left: Lentz's method as modified by Thompson and Barnett 1986.
 */

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

/*
 * P(X <= x) of the beta distribution: the regularized incomplete beta function I_x(a, b), to about 1e-12 while
 * a + b <= 1e7. a and b need not be integers; a = 0 is all mass at 0, b = 0 all mass at 1.
 */
static double beta_cdf(double x, double a, double b)
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

/*
 * The x at which it is p: within 1e-12 of it or of 1e-9 of its value, whichever is more. 0 < p < 1. Newton's steps from
 * the mean, and a bisection where one would leave what is known to bracket the root.
 */
static double beta_quantile(double p, double a, double b)
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

/* --- survival --- */

struct risk {
	double weight, squares;
};

/* A product of independent beta-distributed factors, by its first two moments. */
struct product {
	double log_mean;  /* ln E */
	double log_ratio; /* ln of E(X^2) / (E X)^2 */
};

void survival_add(struct survival *survival, const struct lifetime *lifetime, double weight)
{
	survival->died_young += lifetime->died[0];
	for (u32 k = 0; k < LIFETIME_CLASSES; k++) {
		double died = lifetime->died[k], ended = lifetime->ended[k];

		survival->samples += (u64)lifetime->died[k] + lifetime->ended[k];
		survival->lived += k ? (u64)lifetime->died[k] + lifetime->ended[k] : 0;
		survival->died[k] += weight * died;
		survival->died_squares[k] += weight * weight * died;
		survival->ended[k] += weight * ended;
		survival->ended_squares[k] += weight * weight * ended;
	}
}

/* Summed from the oldest class, so that rounding leaves no weight where no object is at risk. */
static void sum_risks(const struct survival *survival, struct risk risks[LIFETIME_CLASSES + 1])
{
	risks[LIFETIME_CLASSES] = (struct risk){0};
	for (u32 k = LIFETIME_CLASSES; k-- > 0;) {
		const struct risk *older = &risks[k + 1];

		risks[k].weight = older->weight + survival->died[k] + survival->ended[k];
		risks[k].squares = older->squares + survival->died_squares[k] + survival->ended_squares[k];
	}
}

static double effective(double weight, double squares)
{
	return squares > 0 ? weight * weight / squares : 0;
}

/* A factor of beta(a, b): its mean is a / (a + b), its second moment that times (a + 1) / (a + b + 1). */
static void multiply(struct product *product, double a, double b)
{
	product->log_mean += log(a / (a + b));
	product->log_ratio += log1p(b / (a * (a + b + 1)));
}

/* Quantile of the beta distribution that has the product's mean and variance. */
static double product_quantile(const struct product *product, double p)
{
	double mean = exp(product->log_mean), count;

	if (product->log_ratio <= 0)
		return 1;
	count = -expm1(product->log_mean) / (mean * expm1(product->log_ratio)) - 1;
	count = fmin(count, EFFECTIVE_MAX);
	return beta_quantile(p, mean * count, -expm1(product->log_mean) * count);
}

/* The share that dies in a class, of so many effective samples: of those last seen in a wide class, half. */
static double find_share(const struct survival *survival, const struct risk *risk, u32 class, double *ret_count)
{
	double unseen = class < LIFETIME_EXACT ? 0 : 0.5, died = survival->died[class];
	double weight = risk->weight - unseen * survival->ended[class];

	*ret_count = effective(weight, risk->squares - unseen * survival->ended_squares[class]);
	return died > 0 ? fmin(died / weight, 1) : 0;
}

double survival_estimate(const struct survival *survival, u32 class)
{
	struct risk risks[LIFETIME_CLASSES + 1];
	double estimate = 1, count;

	sum_risks(survival, risks);
	for (u32 k = 0; k < class; k++)
		estimate *= 1 - find_share(survival, &risks[k], k, &count);
	return estimate;
}

/* The lower bound of Fay, Brittain and Proschan supposes that one more dies at once. */
void survival_at(const struct survival *survival, u32 class, double risk, struct survival_point *ret_point)
{
	struct risk risks[LIFETIME_CLASSES + 1];
	struct product deaths = {0};
	double count;

	sum_risks(survival, risks);
	*ret_point =
		(struct survival_point){.estimate = 1, .at_risk = effective(risks[class].weight, risks[class].squares)};
	for (u32 k = 0; k < class; k++) {
		double share = find_share(survival, &risks[k], k, &count);

		ret_point->estimate *= 1 - share;
		if (share > 0)
			multiply(&deaths, count * (1 - share) + 1, count * share);
	}
	ret_point->upper = product_quantile(&deaths, 1 - risk / 2);
	if (ret_point->at_risk > 0) {
		multiply(&deaths, ret_point->at_risk, 1);
		ret_point->lower = product_quantile(&deaths, risk / 2);
	}
}

double survival_upper_by_count(const struct survival *survival, double risk)
{
	return beta_quantile(1 - risk, (double)survival->lived + 1, (double)survival->died_young);
}

bool survival_median(const struct survival *survival, double *ret_cycles)
{
	struct risk risks[LIFETIME_CLASSES + 1];
	double estimate = 1, count;

	sum_risks(survival, risks);
	for (u32 k = 0; k + 1 < LIFETIME_CLASSES; k++) {
		double lost = estimate * find_share(survival, &risks[k], k, &count);
		double start = lifetime_class_start(k), end = lifetime_class_start(k + 1);

		if (estimate - lost <= 0.5) {
			*ret_cycles = start + (end - start) * (estimate - 0.5) / lost;
			return true;
		}
		estimate -= lost;
	}
	return false;
}
