/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/folded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/symbol_names.h"

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_operator(const char *readable)
{
	return !strncmp(readable, "operator new", strlen("operator new")) ||
	       !strncmp(readable, "operator delete", strlen("operator delete"));
}

static int count_distinct(char **texts, size_t count)
{
	int distinct = 0;

	if (count)
		qsort(texts, count, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < count; i++)
		distinct += !i || strcmp(texts[i - 1], texts[i]) != 0;
	return distinct;
}

static bool is_plain(const struct folded_name *name)
{
	return strncmp(name->name, "_Z", 2) != 0 && strncmp(name->name, "_R", 2) != 0;
}

static bool any_alias(const struct folded_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_plain(&names[i]) && (names[i].weak || names[i].exported || names[i].name[0] == '_'))
			return true;
	return false;
}

/* As it reads, to be freed. NULL: no memory. */
static char *readable(const struct folded_name *name)
{
	char *base = symbol_names_base(name->name), *text = base ? symbol_names_demangle(base) : NULL;

	if (!text)
		return base;
	free(base);
	return text;
}

int folded_count(const struct folded_name *names, size_t count)
{
	bool aliases = any_alias(names, count);
	char **texts = calloc(count + 1, sizeof(*texts));
	size_t counted = 0;
	int distinct = texts ? 0 : -ENOMEM;

	for (size_t i = 0; !distinct && i < count; i++) {
		if (is_plain(&names[i]) && aliases)
			continue;
		texts[counted] = readable(&names[i]);
		if (!texts[counted])
			distinct = -ENOMEM;
		else if (is_operator(texts[counted]))
			free(texts[counted]);
		else
			counted++;
	}
	if (!distinct)
		distinct = count_distinct(texts, counted);
	while (counted > 0)
		free(texts[--counted]);
	free(texts);
	return distinct ? distinct : 1;
}
