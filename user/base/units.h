/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Numbers for people, by value: units_bytes(n).text may stand among printf's arguments, and lives until the statement
 * ends.
 */
#include "include/types.h"

struct units_text {
	char text[32];
};

struct units_text units_bytes(double bytes); /* "1.5 MiB" */
struct units_text units_digits(u64 number);  /* "1 203 400" */
struct units_text units_seconds(double ns);  /* "2.5 ms": in the unit that leaves it readable */

/* Print into a struct units_text. */
struct units_text units_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
