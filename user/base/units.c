/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/units.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct units_text units_format(const char *format, ...)
{
	struct units_text result;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(result.text, sizeof(result.text), format, arguments);
	va_end(arguments);
	return result;
}

struct units_text units_bytes(double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned int unit = 0;

	while (bytes >= 1023.95 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		bytes /= 1024;
		unit++;
	}
	return units_format("%.*f %s", unit ? 1 : 0, bytes, units[unit]);
}

struct units_text units_digits(u64 number)
{
	struct units_text result;
	char plain[24];
	int length = snprintf(plain, sizeof(plain), "%" PRIu64, number), at = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			result.text[at++] = ' ';
		result.text[at++] = plain[i];
	}
	result.text[at] = '\0';
	return result;
}

struct units_text units_seconds(double ns)
{
	static const struct {
		double ns;
		const char *unit;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};

	for (unsigned int i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ns >= units[i].ns)
			return units_format("%.*f %s", ns >= 100 * units[i].ns ? 0 : 1, ns / units[i].ns,
					    units[i].unit);
	return units_format("%.0f ns", ns);
}
