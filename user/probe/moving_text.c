/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/moving_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"

#define SECTION_BYTES_MAX (16U << 20)

/* Parts of the names of functions: node's and iodlr's, ClickHouse's, BOLT's and HHVM's, Chromium's. */
static const char *const names[] = {"RegionToLargePages", "MapStaticCode", "remapToHuge",
				    "remapExecutable",	  "hugify",	   "RemapHugetlbText"};

/* Where the first two keep the function that must not be moved; stripped files have the section still. */
static const char *const sections[] = {".lpstub", "lpstub"};

static int match(const struct elf_symbol *symbol, void *arg)
{
	const char **found = arg;

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names) && !*found; i++)
		if (strstr(symbol->name, names[i]))
			*found = names[i];
	return *found != NULL;
}

static bool has_section(const struct elf *elf, const char *name)
{
	u8 *bytes = NULL;
	u64 size;
	int err = elf_read_section(elf, name, SECTION_BYTES_MAX, &bytes, &size, NULL);

	free(bytes);
	return !err || err == -EFBIG;
}

const char *moving_text_find(struct elf *elf)
{
	const char *found = NULL;

	for (unsigned int i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		if (has_section(elf, sections[i]))
			return sections[i];
	elf_for_each_function(elf, match, &found);
	return found;
}
