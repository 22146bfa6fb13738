/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

const char *units_bytes(double bytes, char buffer[32])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned int unit = 0;

	while (bytes >= 1023.95 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buffer, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
	return buffer;
}

const char *units_digits(u64 number, char buffer[32])
{
	char plain[24];
	int length = snprintf(plain, sizeof(plain), "%" PRIu64, number), at = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			buffer[at++] = ' ';
		buffer[at++] = plain[i];
	}
	buffer[at] = '\0';
	return buffer;
}

const char *units_seconds(double ns, char buffer[32])
{
	static const struct {
		double ns;
		const char *unit;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};

	for (unsigned int i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns >= units[i].ns) {
			snprintf(buffer, 32, "%.*f %s", ns >= 100 * units[i].ns ? 0 : 1, ns / units[i].ns,
				 units[i].unit);
			return buffer;
		}
	}
	snprintf(buffer, 32, "%.0f ns", ns);
	return buffer;
}
