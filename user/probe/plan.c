/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In three steps: which families the file belongs to, where their functions are, and which of them get a probe. */
#include "probe/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/insn_branch.h"
#include "probe/return_site.h"
#include "system/procfs.h"
#include "binary/elf.h"
#include "binary/elf_symbols.h"

#define FUNCTION_BYTES_MAX 65536 /* of code looked at; allocator entry points are far smaller */
#define FUNCTIONS_MAX	   128	 /* of all families, aliases not counted */
#define GAP_BYTES_MAX	   8192	 /* longer stretches without names are not an allocator's helpers */

struct found {
	const struct allocator_function *function;
	u64 offset, size;
	bool owns_gaps;
	bool pool; /* of --alloc */
};

struct planning {
	struct elf *elf;
	const struct custom_allocator *pools;
	struct plan *plan;
	unsigned int markers[ALLOCATOR_FAMILIES_MAX]; /* those found of each family, one bit each */
	struct found found[FUNCTIONS_MAX];
	unsigned int found_count;
	const struct found *current; /* the function whose branches are being looked at */
	bool leads_on;		     /* it has a branch to another function of an allocator */
	bool only_jumps;	     /* it is nothing but a jump to one */
	bool jumps_on;		     /* it has an unconditional jump to one */
};

static int match_marker(const struct elf_symbol *symbol, void *arg)
{
	struct planning *planning = arg;
	unsigned int count;
	const struct allocator *table = allocator_table(&count);

	for (unsigned int i = 0; i < count; i++)
		planning->markers[i] |= allocator_marker(&table[i], symbol->name);
	return 0;
}

static bool belongs(const struct planning *planning, const struct allocator *family, unsigned int number)
{
	return planning->markers[number] == (family->markers[1] ? 3 : 1);
}

static struct found *find_offset(struct planning *planning, u64 offset)
{
	for (unsigned int i = 0; i < planning->found_count; i++)
		if (planning->found[i].offset == offset)
			return &planning->found[i];
	return NULL;
}

/* Aliases share an address, .dynsym and .symtab repeat each other; the name that wants a probe wins. */
static int add_function(struct planning *planning, const struct allocator *family, bool pool,
			const struct elf_symbol *symbol)
{
	const struct allocator_function *function = allocator_find(family, symbol->name);
	struct found *found;

	if (!function)
		return 0;
	found = find_offset(planning, symbol->offset);
	if (!found) {
		if (planning->found_count == FUNCTIONS_MAX)
			return -E2BIG;
		if (symbol->offset + symbol->size > UINT32_MAX)
			return -EFBIG;
		found = &planning->found[planning->found_count++];
		*found = (struct found){function, symbol->offset, symbol->size, family->owns_gaps, pool};
	} else if (function->passing < found->function->passing) {
		found->function = function;
	}
	return 0;
}

static int match_function(const struct elf_symbol *symbol, void *arg)
{
	struct planning *planning = arg;
	unsigned int count;
	const struct allocator *table = allocator_table(&count);
	int err = 0;

	for (unsigned int i = 0; i < count && !err; i++)
		if (belongs(planning, &table[i], i))
			err = add_function(planning, &table[i], false, symbol);
	for (const struct custom_allocator *pool = planning->pools; pool && !err; pool = pool->next)
		if (custom_allocator_is_in(pool, elf_path(planning->elf)))
			err = add_function(planning, &pool->family, true, symbol);
	return err;
}

static void add_range(struct ranges *ranges, u64 start, u64 end)
{
	for (u32 i = 0; i < ranges->count; i++)
		if (ranges->range[i].start <= start && end <= ranges->range[i].end)
			return;
	if (ranges->count < RANGES_MAX)
		ranges->range[ranges->count++] = (struct range){.start = (u32)start, .end = (u32)end};
}

struct gap {
	u64 offset, start, end;
};

static int narrow_gap(const struct elf_symbol *symbol, void *arg)
{
	struct gap *gap = arg;

	if (symbol->offset <= gap->offset && symbol->offset + symbol->size > gap->start)
		gap->start = symbol->offset + symbol->size;
	if (symbol->offset > gap->offset && symbol->offset < gap->end)
		gap->end = symbol->offset;
	return 0;
}

/* The code around `offset` that no symbol names; *ret_gap is empty when one does. */
static int find_gap(const struct planning *planning, u64 offset, struct gap *ret_gap)
{
	int err;

	*ret_gap = (struct gap){.offset = offset, .end = UINT64_MAX};
	err = elf_for_each_function(planning->elf, narrow_gap, ret_gap);
	if (!err && ret_gap->start > offset)
		ret_gap->end = ret_gap->start;
	return err;
}

/* An entry of the PLT: maybe endbr64, maybe `bnd`, and a jump through a slot. */
static bool is_plt_entry(const struct planning *planning, u64 offset)
{
	static const u8 endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	u8 code[8] = {0};
	const u8 *at = code;

	if (elf_read(planning->elf, offset, code, sizeof(code)) < (ssize_t)sizeof(code))
		return false;
	if (!memcmp(at, endbr64, sizeof(endbr64)))
		at += sizeof(endbr64);
	if (*at == 0xf2)
		at++;
	return at[0] == 0xff && at[1] == 0x25;
}

static int look_at_branch(const struct insn_branch *branch, void *arg)
{
	struct planning *planning = arg;
	const struct found *current = planning->current;
	u64 target = current->offset + (u64)branch->target;
	const struct found *served = find_offset(planning, target);
	struct gap gap;
	int err;

	if (target - current->offset < current->size)
		return 0;
	if (served) {
		planning->leads_on = true;
		planning->jumps_on |= branch->always;
		planning->only_jumps |= branch->first;
		return 0;
	}
	err = find_gap(planning, target, &gap);
	if (err || gap.start == gap.end)
		return err;
	planning->leads_on = true;
	if (is_plt_entry(planning, target))
		planning->jumps_on |= branch->always;
	else if (current->owns_gaps && gap.end - gap.start <= GAP_BYTES_MAX)
		add_range(&planning->plan->ranges, gap.start, gap.end);
	return 0;
}

static bool needs_probe(const struct planning *planning, const struct allocator_function *function)
{
	if (planning->only_jumps)
		return false;
	switch (function->passing) {
	case PASSING_YES:
		return !planning->leads_on;
	case PASSING_BY_CODE:
		return !planning->jumps_on;
	default:
		return true;
	}
}

static bool add_returns(struct plan *plan, const struct return_sites *sites)
{
	u32 kept = plan->return_count;

	for (unsigned int i = 0; i < sites->count; i++) {
		u32 known = 0;

		while (known < kept && plan->returns[known] != sites->offset[i])
			known++;
		if (known < kept)
			continue;
		if (plan->return_count == PLAN_RETURNS_MAX) {
			plan->return_count = kept;
			return false;
		}
		plan->returns[plan->return_count++] = sites->offset[i];
	}
	return true;
}

/* A function of --alloc is waited for where it returns. */
static int find_returns(struct planning *planning, const struct found *found, struct plan_probe *probe)
{
	struct return_sites sites;
	int err = return_site_find(planning->elf, found->offset, found->size, &sites);

	if (err)
		return err;
	for (unsigned int i = 0; i < sites.count && !sites.unseen; i++)
		if (sites.offset[i] == probe->offset)
			sites.unseen = "it does nothing but return";
	if (!sites.unseen && !add_returns(planning->plan, &sites))
		sites.unseen = "the file's functions return at too many places";
	probe->unseen = sites.unseen;
	return 0;
}

static int find_site(const u8 *code, size_t size, const struct allocator_function *function, struct site *ret_site)
{
	unsigned int arguments = allocator_arguments(function);
	int err = site_find(code, size, function->kind, arguments, false, ret_site);

	/* Hardly any file has such a site, so only then is the machine asked. */
	if (!err && ret_site->on_call && procfs_has_shadow_stacks())
		err = site_find(code, size, function->kind, arguments, true, ret_site);
	return err;
}

static int add_probe(struct planning *planning, const struct found *found, const u8 *code, size_t size)
{
	struct plan *plan = planning->plan;
	struct plan_probe *probe = &plan->probes[plan->probe_count];
	const struct allocator_function *function = found->function;
	int err = find_site(code, size, function, &probe->site);

	if (err)
		return err;
	if (plan->probe_count == RANGES_MAX - 1 || plan->ranges.count == RANGES_MAX)
		return -E2BIG;
	for (unsigned int i = 0; i < 2; i++)
		probe->arg[i] = function->arg[i] ? probe->site.arg[function->arg[i] - 1] : (u8)ARG_DI;
	probe->symbol = function->symbol;
	probe->kind = function->kind;
	probe->offset = found->offset + probe->site.offset;
	probe->pool = found->pool;
	plan->probe_count++;
	add_range(&plan->ranges, found->offset, found->offset + found->size);
	return found->pool && function->kind != CALL_FREE ? find_returns(planning, found, probe) : 0;
}

/*
 * A function that only passes on gets no range either: if some build of it calls instead of jumping, the function that it
 * calls must still count. A function that passes on by the table but leads nowhere has the other one inlined.
 */
static int plan_function(struct planning *planning, const struct found *found)
{
	size_t size = found->size && found->size < FUNCTION_BYTES_MAX ? found->size : 256;
	u8 *code = malloc(size);
	ssize_t length;
	int err;

	if (!code)
		return -ENOMEM;
	planning->current = found;
	planning->leads_on = planning->only_jumps = planning->jumps_on = false;
	length = elf_read(planning->elf, found->offset, code, size);
	err = length < 0 ? (int)length : insn_branch_for_each(code, (size_t)length, look_at_branch, planning);
	if (!err && needs_probe(planning, found->function))
		err = add_probe(planning, found, code, (size_t)length);
	free(code);
	return err;
}

static int name_families(struct planning *planning)
{
	char *name = planning->plan->name;
	size_t size = sizeof(planning->plan->name), length = 0;
	unsigned int count;
	const struct allocator *table = allocator_table(&count);

	for (unsigned int i = 0; i < count && length < size; i++)
		if (belongs(planning, &table[i], i))
			length += (size_t)snprintf(name + length, size - length, "%s%s", length ? ", " : "",
						   table[i].name);
	for (const struct custom_allocator *pool = planning->pools; pool && length < size; pool = pool->next)
		if (custom_allocator_is_in(pool, elf_path(planning->elf)))
			length += (size_t)snprintf(name + length, size - length, "%s%s", length ? ", " : "",
						   pool->family.name);
	return length ? 0 : -ENOENT;
}

static int make(struct planning *planning)
{
	int err = elf_for_each_function(planning->elf, match_marker, planning);

	if (!err)
		err = name_families(planning);
	if (!err)
		err = elf_for_each_function(planning->elf, match_function, planning);
	for (unsigned int i = 0; i < planning->found_count && !err; i++)
		err = plan_function(planning, &planning->found[i]);
	if (err)
		return err;
	return planning->plan->probe_count ? 0 : -ENOENT;
}

int plan_make(struct elf *elf, const struct custom_allocator *pools, struct plan *ret_plan)
{
	struct planning *planning;
	int err;

	memset(ret_plan, 0, sizeof(*ret_plan));
	if (!elf_is_64bit_x86(elf))
		return -ENOENT;
	planning = calloc(1, sizeof(*planning));
	if (!planning)
		return -ENOMEM;
	planning->elf = elf;
	planning->pools = pools;
	planning->plan = ret_plan;
	err = make(planning);
	free(planning);
	return err;
}

bool plan_throws(const struct plan *plan)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].kind >= CALL_NEW)
			return true;
	return false;
}

bool plan_has_pool(const struct plan *plan)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].pool)
			return true;
	return false;
}

u64 plan_cookie(const struct plan_probe *probe, u32 scope, u32 allocator)
{
	u64 cookie = cookie_make(probe->kind, probe->arg[0], probe->arg[1], scope, allocator, (u32)probe->offset);

	return probe->unseen ? cookie | COOKIE_RETURN_UNSEEN : cookie;
}

u64 plan_return_cookie(u32 scope, u32 allocator)
{
	return cookie_make(CALL_RETURN, 0, 0, scope, allocator, 0);
}
