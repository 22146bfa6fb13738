/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What stands behind an option: strict values, nothing before or behind them. All return 0 with *ret_ set, or -EINVAL
 * (not of that form), -EDOM (zero), -ERANGE (above `max`).
 */
#include "include/types.h"

/* Decimal digits. */
int parse_number(const char *text, u64 max, u64 *ret_number);

/* Decimal digits, then K, M or G (powers of 1024; small letters too) or nothing. */
int parse_bytes(const char *text, u64 max, u64 *ret_bytes);

/* Decimal digits with at most one point in or around them. */
int parse_seconds(const char *text, double max, double *ret_seconds);
