/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What stands behind an option: strict values, nothing before or behind them. All return 0 with *ret_ set, or -EINVAL
 * (not of that form), -EDOM (zero, or less than one byte), -ERANGE (above `max`).
 */
#include "include/types.h"

/* Decimal digits. */
int parse_number(const char *text, u64 max, u64 *ret_number);

/*
 * Decimal digits, then K, M or G (powers of 1024), also written KB or KiB, in capitals or not; B, or nothing. With K, M and G there may
 * be a point in or around the digits: 0.5M. What is left of a byte is cut off.
 */
int parse_bytes(const char *text, u64 max, u64 *ret_bytes);

/*
 * Seconds: decimal digits with at most one point in or around them; or such numbers with units behind them (d, h, m, s, ms), each unit
 * once and the larger ones first: 90s, 1.5h, 1h30m.
 */
int parse_seconds(const char *text, double max, double *ret_seconds);
