/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/call_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/address_map.h"
#include "system/proc_maps.h"
#include "system/process_memory.h"

#define PIECE	    (1U << 20)
#define MAPPING_MAX (64U << 20)

static const u8 call_code[] = {0x0f, 0x05, 0xc3};

/* glibc's and musl's. */
static const struct restorer {
	u8 bytes[9];
	u8 size;
} restorers[] = {
	{{0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}, 9},
	{{0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05}, 7},
};

struct search {
	int memory;
	u8 *piece;
	struct call_gate *gate;
};

static void search_piece(struct search *search, size_t size, u64 address)
{
	struct call_gate *gate = search->gate;
	const u8 *found = memmem(search->piece, size, call_code, sizeof(call_code));

	if (found && !gate->call)
		gate->call = address + (u64)(found - search->piece);
	for (size_t i = 0; i < sizeof(restorers) / sizeof(*restorers) && !gate->restorer; i++) {
		found = memmem(search->piece, size, restorers[i].bytes, restorers[i].size);
		if (!found)
			continue;
		gate->restorer = address + (u64)(found - search->piece);
		gate->restorer_size = restorers[i].size;
	}
}

static int search_mapping(struct mapping *mapping, void *arg)
{
	struct search *search = arg;
	const u64 overlap = sizeof(restorers[0].bytes) - 1;

	/* What has no file may be gone the next moment, and [vsyscall] is no memory. */
	if (mapping->path[0] != '/' || mapping->path[1] == '/' || mapping->end - mapping->start > MAPPING_MAX)
		return 0;
	for (u64 at = mapping->start; at < mapping->end; at += PIECE - overlap) {
		u64 left = mapping->end - at;
		ssize_t size = pread(search->memory, search->piece, left < PIECE ? left : PIECE, (off_t)at);

		if (size <= 0)
			break;
		search_piece(search, (size_t)size, at);
		if (search->gate->call && search->gate->restorer)
			return 1;
	}
	return 0;
}

int call_gate_find(pid_t pid, struct call_gate *ret_gate)
{
	struct search search = {.piece = malloc(PIECE), .gate = ret_gate, .memory = process_memory_open(pid, O_RDONLY)};
	int found = search.piece ? search.memory : -ENOMEM;

	memset(ret_gate, 0, sizeof(*ret_gate));
	if (found >= 0)
		found = proc_maps_for_each(pid, search_mapping, &search);
	if (search.memory >= 0)
		close(search.memory);
	free(search.piece);
	return found < 0 ? found : found ? 0 : -ENOENT;
}

static bool has(int memory, u64 address, const u8 *bytes, size_t size)
{
	u8 found[sizeof(restorers[0].bytes)];

	return pread(memory, found, size, (off_t)address) == (ssize_t)size && !memcmp(found, bytes, size);
}

bool call_gate_holds(int memory, const struct call_gate *gate)
{
	bool holds = false;

	for (size_t i = 0; i < sizeof(restorers) / sizeof(*restorers); i++)
		holds |= restorers[i].size == gate->restorer_size &&
			 has(memory, gate->restorer, restorers[i].bytes, restorers[i].size);
	return holds && has(memory, gate->call, call_code, sizeof(call_code));
}
