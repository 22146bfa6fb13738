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

/* Those at risk of dying in a class: of the ones last seen in a wide class, half. */
static struct risk exposed(const struct survival *survival, const struct risk *risk, u32 class)
{
	double seen = class < LIFETIME_EXACT ? 0 : 0.5;

	return (struct risk){.weight = risk->weight - seen * survival->ended[class],
			     .squares = risk->squares - seen * survival->ended_squares[class]};
}

static double effective(const struct risk *risk)
{
	return risk->squares > 0 ? risk->weight * risk->weight / risk->squares : 0;
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

/* Both bounds of Fay, Brittain and Proschan: the lower one supposes that one more dies at once. */
static void find_band(const struct product *deaths, double at_risk, double risk, struct survival_point *ret_point)
{
	struct product one_more = *deaths;

	ret_point->upper = product_quantile(deaths, 1 - risk / 2);
	ret_point->lower = 0;
	if (at_risk > 0) {
		multiply(&one_more, at_risk, 1);
		ret_point->lower = product_quantile(&one_more, risk / 2);
	}
}

void survival_at(const struct survival *survival, u32 class, double risk, struct survival_point *ret_point)
{
	struct risk risks[LIFETIME_CLASSES + 1];
	struct product deaths = {0};
	double estimate = 1;

	sum_risks(survival, risks);
	for (u32 younger = 0; younger < class && risks[younger].weight > 0; younger++) {
		struct risk at = exposed(survival, &risks[younger], younger);
		double share = survival->died[younger] / at.weight, count = effective(&at);

		if (share <= 0)
			continue;
		estimate *= share < 1 ? 1 - share : 0;
		multiply(&deaths, count * fmax(1 - share, 0) + 1, count * fmin(share, 1));
	}
	ret_point->estimate = estimate;
	ret_point->at_risk = effective(&risks[class]);
	find_band(&deaths, ret_point->at_risk, risk, ret_point);
}

double survival_estimate(const struct survival *survival, u32 class)
{
	struct risk risks[LIFETIME_CLASSES + 1];
	double estimate = 1;

	sum_risks(survival, risks);
	for (u32 younger = 0; younger < class && risks[younger].weight > 0; younger++) {
		struct risk at = exposed(survival, &risks[younger], younger);

		estimate *= fmax(1 - survival->died[younger] / at.weight, 0);
	}
	return estimate;
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
