/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/pool_check.h"

#include <stdio.h>
#include <string.h>

#include "binary/elf_dynamic.h"
#include "binary/elf_symbols.h"
#include "probe/binaries.h"
#include "probe/nearest.h"

static bool is_in(const struct custom_allocator *pool, const struct binary *file)
{
	struct elf_dynamic *dynamic = NULL;
	bool in;

	elf_dynamic_open(file->elf, &dynamic);
	in = custom_allocator_is_in(pool, file->elf, dynamic);
	elf_dynamic_free(dynamic);
	return in;
}

static int add_symbol(const struct elf_symbol *symbol, void *arg)
{
	nearest_add(arg, symbol->name);
	return 0;
}

const char *pool_check_nearest_function(const struct binaries *binaries, const struct custom_allocator *pool,
					unsigned int function, char text[POOL_CHECK_TEXT])
{
	struct nearest nearest = {.wanted = pool->functions[function].symbol};

	for (const struct binary *file = binaries_files(binaries); file; file = file->next)
		if (is_in(pool, file))
			elf_for_each_function(file->elf, add_symbol, &nearest);
	return nearest_text(&nearest, text, POOL_CHECK_TEXT);
}

const char *pool_check_nearest_file(const struct binaries *binaries, const struct custom_allocator *pool,
				    char text[POOL_CHECK_TEXT])
{
	const char *name = strrchr(pool->file, '/');
	struct nearest nearest = {.wanted = name ? name + 1 : pool->file};

	for (const struct binary *file = binaries_files(binaries); file; file = file->next) {
		const char *path = elf_path(file->elf);

		name = strrchr(path, '/');
		nearest_add(&nearest, name ? name + 1 : path);
	}
	return nearest_text(&nearest, text, POOL_CHECK_TEXT);
}

/* FILE alone means that its functions have the standard names. */
static bool has_allocator(const struct binaries *binaries, const struct custom_allocator *pool)
{
	for (const struct binary *file = binaries_files(binaries); file; file = file->next)
		if (file->plan && is_in(pool, file))
			return true;
	return false;
}

bool pool_check_lacks(const struct binaries *binaries, const struct custom_allocator *pools, char why[POOL_CHECK_TEXT])
{
	char text[POOL_CHECK_TEXT];

	for (const struct custom_allocator *pool = pools; pool; pool = pool->next) {
		if (!pool->seen && pool->real_path) {
			snprintf(why, POOL_CHECK_TEXT, "--alloc %s: that is no x86-64 program or library", pool->file);
			return true;
		}
		if (!pool->seen)
			continue;
		if (!pool->family.function_count && !has_allocator(binaries, pool)) {
			snprintf(why, POOL_CHECK_TEXT,
				 "--alloc %s: it has no malloc and free under these names; name its functions: "
				 "FILE:get(size=1)=ret,put(ptr=1)",
				 pool->file);
			return true;
		}
		for (unsigned int i = 0; i < pool->family.function_count; i++) {
			if (pool->found[i])
				continue;
			pool_check_nearest_function(binaries, pool, i, text);
			snprintf(why, POOL_CHECK_TEXT, "--alloc %s: it has no function '%s'%.300s", pool->file,
				 pool->functions[i].symbol, text);
			return true;
		}
	}
	return false;
}
