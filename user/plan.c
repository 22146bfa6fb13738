/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the probe plan of one file from its symbols and code; used by target. */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf.h"

#define FUNCTION_BYTES_MAX 65536 /* of code looked at; allocator entry points are far smaller */

static int match_marker(const struct elf_symbol *symbol, void *arg)
{
	const struct allocator *allocator = arg;

	return !strcmp(symbol->name, allocator->marker);
}

static int find_allocator(struct elf *elf, const struct allocator **ret_allocator)
{
	unsigned int count;
	const struct allocator *table = allocator_table(&count);

	for (unsigned int i = 0; i < count; i++) {
		int found = elf_for_each_function(elf, match_marker, (void *)&table[i]);

		if (found < 0)
			return found;
		if (found) {
			*ret_allocator = &table[i];
			return 0;
		}
	}
	return -ENOENT;
}

struct planning {
	struct elf *elf;
	struct plan *plan;
};

static bool has_range(const struct ranges *ranges, u64 start)
{
	for (u32 i = 0; i < ranges->count; i++)
		if (ranges->range[i].start == start)
			return true;
	return false;
}

static int add_probe(struct planning *planning, const struct allocator_function *function,
		     const struct elf_symbol *symbol)
{
	size_t size = symbol->size && symbol->size < FUNCTION_BYTES_MAX ? symbol->size : 256;
	struct plan_probe *probe = &planning->plan->probes[planning->plan->probe_count];
	u8 *code = malloc(size);
	ssize_t length;
	int err;

	if (!code)
		return -ENOMEM;
	length = elf_read(planning->elf, symbol->offset, code, size);
	err = length < 0 ? (int)length
			 : site_find(code, (size_t)length, function->kind, function->arg_count, &probe->site);
	free(code);
	if (err)
		return err;
	probe->symbol = function->symbol;
	probe->kind = function->kind;
	probe->offset = symbol->offset + probe->site.offset;
	planning->plan->probe_count++;
	return 0;
}

static int plan_function(const struct elf_symbol *symbol, void *arg)
{
	struct planning *planning = arg;
	struct plan *plan = planning->plan;
	const struct allocator_function *function = allocator_find(plan->allocator, symbol->name);

	/*
	 * Aliases share an address, .dynsym and .symtab repeat each other. A function that only passes on has no range
	 * either: should some build of it call instead of jump, what it calls must still count.
	 */
	if (!function || function->passes || has_range(&plan->ranges, symbol->offset))
		return 0;
	if (plan->ranges.count == RANGES_MAX)
		return -E2BIG;
	if (symbol->offset + symbol->size > UINT32_MAX)
		return -EFBIG;
	plan->ranges.range[plan->ranges.count++] =
		(struct range){.start = (u32)symbol->offset, .end = (u32)(symbol->offset + symbol->size)};
	return add_probe(planning, function, symbol);
}

int plan_make(struct elf *elf, struct plan *ret_plan)
{
	struct planning planning = {.elf = elf, .plan = ret_plan};
	int err;

	memset(ret_plan, 0, sizeof(*ret_plan));
	if (!elf_is_64bit_x86(elf))
		return -ENOENT;
	err = find_allocator(elf, &ret_plan->allocator);
	if (err)
		return err;
	err = elf_for_each_function(elf, plan_function, &planning);
	if (err)
		return err;
	return ret_plan->probe_count ? 0 : -ENOENT;
}

u64 plan_cookie(const struct plan_probe *probe, u32 scope, u32 allocator)
{
	const struct site *site = &probe->site;

	return cookie_make(probe->kind, site->arg[0], site->arg[1], site->arg[2], scope, allocator, (u32)probe->offset);
}
