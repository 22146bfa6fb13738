/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/survival.h"

#include <math.h>

#include "base/beta.h"

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
	for (u32 k = 0; k < LIFETIME_CLASSES; k++) {
		double died = lifetime->died[k], ended = lifetime->ended[k];

		survival->samples += (u64)lifetime->died[k] + lifetime->ended[k];
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
