/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and names out of option arguments. The C library's converters take blanks, signs, exponents, "inf" and
 * whatever follows; here the form is checked first.
 */
#include "base/parse_number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char digits[] = "0123456789";

/* How long the number at the beginning of `text` is, with at most one point; 0: there is none. */
static size_t decimal_length(const char *text)
{
	size_t whole = strspn(text, digits);
	size_t fraction = text[whole] == '.' ? strspn(text + whole + 1, digits) : 0;

	return whole + fraction ? whole + fraction + (text[whole] == '.') : 0;
}

int parse_number(const char *text, u64 max, u64 *ret_number)
{
	unsigned long long number;

	if (!*text || text[strspn(text, digits)])
		return -EINVAL;
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || number > max)
		return -ERANGE;
	if (!number)
		return -EDOM;
	*ret_number = number;
	return 0;
}

/* The power of two that a unit of bytes stands for; -1: it is none. */
static int bytes_shift(const char *unit)
{
	static const char letters[] = "kmg";
	const char *letter = *unit ? strchr(letters, tolower((unsigned char)*unit)) : NULL;

	if (!*unit || !strcasecmp(unit, "b"))
		return 0;
	if (!letter || (unit[1] && strcasecmp(unit + 1, "b") && strcasecmp(unit + 1, "ib")))
		return -1;
	return 10 * (int)(letter - letters + 1);
}

int parse_bytes(const char *text, u64 max, u64 *ret_bytes)
{
	size_t length = decimal_length(text);
	int shift = bytes_shift(text + length);
	long double bytes; /* whose mantissa has 64 bits */

	if (!length || shift < 0 || (!shift && memchr(text, '.', length)))
		return -EINVAL;
	bytes = ldexpl(strtold(text, NULL), shift);
	if (bytes > (long double)max)
		return -ERANGE;
	if (bytes < 1)
		return -EDOM;
	*ret_bytes = (u64)bytes;
	return 0;
}

/* One number of seconds and, unless it is all of the text, its unit. How long both are; 0: they are not of that form. */
static size_t add_seconds(const char *text, bool whole, size_t *unit, double *seconds)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}, {"ms", 1e-3}};
	size_t number = decimal_length(text), length = strcspn(text + number, "0123456789.");

	if (!number)
		return 0;
	if (whole && !text[number]) {
		*seconds = strtod(text, NULL);
		return number;
	}
	for (; *unit < sizeof(units) / sizeof(*units); ++*unit)
		if (strlen(units[*unit].name) == length && !strncmp(text + number, units[*unit].name, length)) {
			*seconds += strtod(text, NULL) * units[(*unit)++].seconds;
			return number + length;
		}
	return 0;
}

int parse_seconds(const char *text, double max, double *ret_seconds)
{
	size_t length, unit = 0;
	double seconds = 0;
	const char *part = text;

	do {
		length = add_seconds(part, part == text, &unit, &seconds);
		part += length;
	} while (length && *part);
	if (!length)
		return -EINVAL;
	if (seconds > max)
		return -ERANGE;
	if (seconds <= 0)
		return -EDOM;
	*ret_seconds = seconds;
	return 0;
}
