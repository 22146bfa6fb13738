/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The beta distribution, which is what an exact binomial interval is made of (Clopper and Pearson 1934). a and b need
 * not be integers; a = 0 is all mass at 0, b = 0 all mass at 1.
 */

/* P(X <= x): the regularized incomplete beta function I_x(a, b), to about 1e-12 while a + b <= 1e7. */
double beta_cdf(double x, double a, double b);

/* The x at which it is p: within 1e-12 of it or of 1e-9 of its value, whichever is more. 0 < p < 1. */
double beta_quantile(double p, double a, double b);
