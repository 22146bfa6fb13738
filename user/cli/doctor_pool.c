/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_pool.h"

#include <stdio.h>

#include "base/text.h"
#include "binary/elf.h"
#include "probe/binaries.h"
#include "probe/pool_check.h"

static void print_functions(const struct binaries *binaries, const struct custom_allocator *pool)
{
	char text[POOL_CHECK_TEXT];

	for (unsigned int i = 0; i < pool->family.function_count; i++) {
		const char *nearest = pool->found[i] ? "" : pool_check_nearest_function(binaries, pool, i, text);

		printf("%s %s %s%s", i ? "," : "", pool->functions[i].symbol, pool->found[i] ? "found" : "not found",
		       nearest);
	}
	putchar('\n');
}

static void print_pool(const struct binaries *binaries, const struct custom_allocator *pool)
{
	char text[POOL_CHECK_TEXT];

	printf("  --alloc %s:", text_plain(pool->file));
	if (!pool->seen)
		printf(" not mapped yet%s\n", pool_check_nearest_file(binaries, pool, text));
	else if (pool->family.function_count)
		print_functions(binaries, pool);
	else
		printf(" found\n");
}

void doctor_pool_print(const struct binaries *binaries)
{
	char why[POOL_CHECK_TEXT];

	for (const struct binary *file = binaries_files(binaries); file; file = file->next)
		if (file->hands_on)
			printf("  '%s' has a malloc that seems to hand its calls on to another file's, which is probed; if it "
			       "does\n    not: --alloc %s\n",
			       elf_path(file->elf), elf_path(file->elf));
	for (const struct custom_allocator *pool = binaries_pools(binaries); pool; pool = pool->next)
		print_pool(binaries, pool);
	if (pool_check_lacks(binaries, binaries_pools(binaries), why))
		printf("  record refuses that: %s\n", why);
}
