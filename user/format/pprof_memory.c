/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/pprof_memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define NUMBERS(EACH) EACH(read_unix_ns) EACH(share) EACH(heap_lazy) EACH(counter) EACH(inuse) EACH(free)

#define PACK(name)   message->name = parts->name;
#define UNPACK(name) parts.name = message->name;

/* --- packing --- */

static void pack_amount(const struct memory_amount *amount, Pprof__Amount *message)
{
	pprof__amount__init(message);
	message->resident = amount->resident;
	message->swap = amount->swap;
	message->hugetlb = amount->hugetlb;
}

static void pack_parts(const struct memory_parts *parts, struct pprof_memory *memory)
{
	for (unsigned int i = 0; i < MEMORY_PART_MAX; i++) {
		pack_amount(&parts->part[i], &memory->part[i]);
		memory->parts[i] = &memory->part[i];
	}
	memory->message.part = memory->parts;
	memory->message.n_part = MEMORY_PART_MAX;
}

static void pack_others(const struct memory_parts *parts, struct pprof_memory *memory)
{
	for (u32 i = 0; i < parts->other_count; i++) {
		pprof__other__init(&memory->other[i]);
		pack_amount(&parts->others[i].amount, &memory->amount[i]);
		memory->other[i].name = (char *)parts->others[i].name;
		memory->other[i].mappings = parts->others[i].mappings;
		memory->other[i].amount = &memory->amount[i];
		memory->others[i] = &memory->other[i];
	}
	memory->message.other = memory->others;
	memory->message.n_other = parts->other_count;
}

Pprof__Memory *pprof_memory_pack(const struct memory_parts *parts, struct pprof_memory *memory)
{
	Pprof__Memory *message = &memory->message;

	if (!parts->known)
		return NULL;
	pprof__memory__init(message);
	NUMBERS(PACK)
	message->processes = parts->processes;
	message->stacks = parts->stacks;
	message->inuse_known = parts->inuse_known;
	message->free_known = parts->free_known;
	message->inuse_error = parts->inuse_error;
	pack_parts(parts, memory);
	pack_others(parts, memory);
	return message;
}

/* --- unpacking --- */

static struct memory_amount amount_of(const Pprof__Amount *message)
{
	return message ? (struct memory_amount){message->resident, message->swap, message->hugetlb}
		       : (struct memory_amount){0};
}

static bool is_plausible(const Pprof__Memory *message)
{
	return message->processes <= UINT32_MAX && message->stacks <= UINT32_MAX &&
	       message->n_part <= MEMORY_PART_MAX && message->n_other <= MEMORY_OTHERS_MAX &&
	       isfinite(message->inuse_error);
}

int pprof_memory_unpack(const Pprof__Memory *message, struct memory_parts *ret_parts)
{
	struct memory_parts parts = {.known = message};

	*ret_parts = (struct memory_parts){0};
	if (!message)
		return 0;
	if (!is_plausible(message))
		return -EBADMSG;
	NUMBERS(UNPACK)
	parts.processes = (u32)message->processes;
	parts.stacks = (u32)message->stacks;
	parts.inuse_known = message->inuse_known;
	parts.free_known = message->free_known;
	parts.inuse_error = message->inuse_error;
	for (size_t i = 0; i < message->n_part; i++)
		parts.part[i] = amount_of(message->part[i]);
	for (size_t i = 0; i < message->n_other; i++) {
		struct memory_other other = {.mappings = (u32)message->other[i]->mappings,
					     .amount = amount_of(message->other[i]->amount)};

		snprintf(other.name, sizeof(other.name), "%s", message->other[i]->name);
		memory_add_other(&parts, &other);
	}
	*ret_parts = parts;
	return 0;
}
