/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H
/* Numbers for people. Each function writes into `buffer` and returns it. */
#include "include/types.h"

const char *units_bytes(double bytes, char buffer[32]); /* "1.5 MiB" */
const char *units_digits(u64 number, char buffer[32]);	/* "1 203 400" */
const char *units_seconds(double ns, char buffer[32]);	/* "2.5 ms": in the unit that leaves it readable */

#endif
