/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/pymalloc_plan.h"

#include "binary/elf.h"

_Static_assert(PYMALLOC_JUMPS_MAX <= ROUTE_JUMPS_MAX, "a route has room for all jumps");

void pymalloc_plan_jumps(const struct elf *elf, const struct pymalloc *pymalloc, struct route *route)
{
	u64 offset;

	for (u32 i = 0; i < pymalloc->jump_count; i++)
		if (!elf_vaddr_to_offset(elf, pymalloc->jumps[i], &offset))
			route->jumps[route->jump_count++] = offset;
}

/* In the order of the tables. */
static unsigned int number_of(enum call_kind kind)
{
	return kind == CALL_MALLOC ? 0 : kind == CALL_CALLOC ? 1 : kind == CALL_FREE ? 3 : 2;
}

/* The jump to malloc is in realloc's code, which goes there for NULL: what comes there is a call of malloc either way. */
static u64 cheap_entry(const struct pymalloc *pymalloc, unsigned int number)
{
	if (pymalloc->entry_is_nop[number])
		return pymalloc->entries[number];
	return number ? 0 : pymalloc->malloc_jump;
}

void pymalloc_plan_probe(const struct elf *elf, struct pymalloc *pymalloc, struct plan_probe *probe)
{
	unsigned int number = number_of(probe->kind);
	u64 entry = probe->site.emulated ? 0 : cheap_entry(pymalloc, number), offset;

	/* NULL is malloc's. */
	if (probe->kind == CALL_RESIZE && pymalloc->malloc_jump)
		probe->kind = CALL_REALLOC;
	if (!entry || elf_vaddr_to_offset(elf, entry, &offset))
		return;
	pymalloc->entries[number] = entry;
	probe->offset = offset;
	probe->site = (struct site){.emulated = true, .arg = {ARG_DI, ARG_SI, ARG_DX, ARG_CX}};
	for (unsigned int i = 0; i < 2; i++)
		probe->arg[i] = probe->argument[i] ? probe->site.arg[probe->argument[i] - 1] : (u8)ARG_DI;
}

/* Its own, or that of a jump by which one of its functions hands a call on. */
static bool is_of_small(const struct plan *plan, const struct plan_probe *probe)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].small && plan->probes[i].symbol == probe->symbol)
			return true;
	return probe->small;
}

bool pymalloc_plan_leave(struct plan *plan)
{
	u32 kept = 0;

	for (u32 i = 0; i < plan->probe_count; i++)
		plan->probes[i].small = is_of_small(plan, &plan->probes[i]);
	for (u32 i = 0; i < plan->probe_count; i++)
		if (!plan->probes[i].small)
			plan->probes[kept++] = plan->probes[i];
	plan->probe_count = kept;
	plan->pymalloc = (struct pymalloc){0};
	return kept;
}
