/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and names out of option arguments. The C library's converters take blanks, signs, exponents, "inf" and
 * whatever follows; here the form is checked first.
 */
#include "base/parse_number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789";

static int scale(const char *text, unsigned int shift, u64 max, u64 *ret_number)
{
	unsigned long long number;

	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || number > max >> shift)
		return -ERANGE;
	if (!number)
		return -EDOM;
	*ret_number = number << shift;
	return 0;
}

int parse_number(const char *text, u64 max, u64 *ret_number)
{
	if (!*text || text[strspn(text, digits)])
		return -EINVAL;
	return scale(text, 0, max, ret_number);
}

int parse_bytes(const char *text, u64 max, u64 *ret_bytes)
{
	static const char letters[] = "KMG";
	size_t length = strspn(text, digits);
	const char *letter = strchr(letters, toupper((unsigned char)text[length]));

	if (!text[length])
		return parse_number(text, max, ret_bytes);
	if (!letter || !length || text[length + 1])
		return -EINVAL;
	return scale(text, 10 * (unsigned int)(letter - letters + 1), max, ret_bytes);
}

int parse_seconds(const char *text, double max, double *ret_seconds)
{
	size_t whole = strspn(text, digits);
	size_t fraction = text[whole] == '.' ? strspn(text + whole + 1, digits) : 0;
	size_t length = whole + fraction + (text[whole] == '.' ? 1 : 0);
	double seconds;

	if (!(whole + fraction) || text[length])
		return -EINVAL;
	seconds = strtod(text, NULL);
	if (seconds > max)
		return -ERANGE;
	if (seconds <= 0)
		return -EDOM;
	*ret_seconds = seconds;
	return 0;
}
