/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/nearest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned int smallest(unsigned int a, unsigned int b, unsigned int c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Levenshtein's: letters to be put in, taken out or exchanged. Both names are shorter than NEAREST_NAME_BYTES. */
static unsigned int distance(const char *one, const char *other)
{
	unsigned int row[NEAREST_NAME_BYTES], length = (unsigned int)strlen(other);

	for (unsigned int j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned int i = 1; one[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= length; j++) {
			unsigned int above = row[j];

			row[j] = smallest(row[j] + 1, row[j - 1] + 1, diagonal + (one[i - 1] != other[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}

static bool is_known(const struct nearest *nearest, const char *name)
{
	for (unsigned int i = 0; i < nearest->count; i++)
		if (!strcmp(nearest->names[i], name))
			return true;
	return false;
}

void nearest_add(struct nearest *nearest, const char *name)
{
	size_t length = strlen(name), wanted = strlen(nearest->wanted);
	unsigned int away, at;

	if (length >= NEAREST_NAME_BYTES || wanted >= NEAREST_NAME_BYTES || !length || is_known(nearest, name))
		return;
	away = distance(nearest->wanted, name);
	/* Part of the other, or half of the letters are right: else it is another name. */
	if (!strstr(name, nearest->wanted) && !strstr(nearest->wanted, name) && away > wanted / 2)
		return;
	at = nearest->count < NEAREST_MAX ? nearest->count++ : NEAREST_MAX;
	for (; at > 0 && nearest->distance[at - 1] > away; at--) {
		if (at == NEAREST_MAX)
			continue;
		memcpy(nearest->names[at], nearest->names[at - 1], NEAREST_NAME_BYTES);
		nearest->distance[at] = nearest->distance[at - 1];
	}
	if (at == NEAREST_MAX)
		return;
	memcpy(nearest->names[at], name, length + 1);
	nearest->distance[at] = away;
}

const char *nearest_text(const struct nearest *nearest, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < nearest->count && length < size; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%s",
					   i ? ", " : " (nearest: ", nearest->names[i]);
	if (length && length < size)
		snprintf(text + length, size - length, ")");
	return text;
}
