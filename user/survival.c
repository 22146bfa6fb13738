/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kaplan and Meier's estimate and its band, over the classes of lifetime.h. Pure functions; called by verdict.c. */
#include "survival.h"

#include <math.h>

#include "beta.h"

/* So many effective samples are as good as more, and keep the continued fraction of beta.c short. */
#define EFFECTIVE_MAX 1e7

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
	for (u32 class = 0; class < LIFETIME_CLASSES; class ++) {
		double died = lifetime->died[class], ended = lifetime->ended[class];

		survival->samples += (u64)lifetime->died[class] + lifetime->ended[class];
		survival->died[class] += weight * died;
		survival->died_squares[class] += weight * weight * died;
		survival->ended[class] += weight * ended;
		survival->ended_squares[class] += weight * weight * ended;
	}
}

/* Summed from the oldest class, so that nothing is left of weights where nobody is at risk. */
static void sum_risks(const struct survival *survival, struct risk risks[LIFETIME_CLASSES + 1])
{
	risks[LIFETIME_CLASSES] = (struct risk){0};
	for (u32 class = LIFETIME_CLASSES; class -- > 0;) {
		const struct risk *older = &risks[class + 1];

		risks[class].weight = older->weight + survival->died[class] + survival->ended[class];
		risks[class].squares = older->squares + survival->died_squares[class] + survival->ended_squares[class];
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

/* Of those last seen in a wide class, half were at risk in it. *ret_deaths and *ret_at_risk are as for survival_at(). */
static double find_estimate(const struct survival *survival, u32 class, struct product *ret_deaths, double *ret_at_risk)
{
	struct risk risks[LIFETIME_CLASSES + 1];
	double estimate = 1;

	sum_risks(survival, risks);
	*ret_deaths = (struct product){0};
	for (u32 younger = 0; younger < class; younger++) {
		double unseen = younger < LIFETIME_EXACT ? 0 : 0.5, died = survival->died[younger];
		double weight = risks[younger].weight - unseen * survival->ended[younger];
		double count = effective(weight, risks[younger].squares - unseen * survival->ended_squares[younger]);

		if (died <= 0)
			continue;
		estimate *= fmax(1 - died / weight, 0);
		multiply(ret_deaths, count * fmax(1 - died / weight, 0) + 1, count * fmin(died / weight, 1));
	}
	*ret_at_risk = effective(risks[class].weight, risks[class].squares);
	return estimate;
}

/* The lower bound of Fay, Brittain and Proschan supposes that one more dies at once. */
void survival_at(const struct survival *survival, u32 class, double risk, struct survival_point *ret_point)
{
	struct product deaths;

	ret_point->estimate = find_estimate(survival, class, &deaths, &ret_point->at_risk);
	ret_point->upper = product_quantile(&deaths, 1 - risk / 2);
	ret_point->lower = 0;
	if (ret_point->at_risk > 0) {
		multiply(&deaths, ret_point->at_risk, 1);
		ret_point->lower = product_quantile(&deaths, risk / 2);
	}
}

double survival_estimate(const struct survival *survival, u32 class)
{
	struct product deaths;
	double at_risk;

	return find_estimate(survival, class, &deaths, &at_risk);
}

bool survival_median(const struct survival *survival, double *ret_cycles)
{
	double before = 1, after;

	for (u32 class = 1; class < LIFETIME_CLASSES; class ++, before = after) {
		double start = lifetime_class_start(class - 1), width = lifetime_class_start(class) - start;

		after = survival_estimate(survival, class);
		if (after > 0.5)
			continue;
		*ret_cycles = start + width * (before - 0.5) / (before - after);
		return true;
	}
	return false;
}
