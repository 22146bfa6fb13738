/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One image of one process: owned by the recorder. */
#include "heap/process.h"

#include <stdlib.h>
#include <string.h>

#include "system/address_map.h"

struct process *process_new(u32 number, u32 pid, u32 image, u64 sample_bytes, u64 now_ns)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->mappings = address_map_new();
	if (!process->mappings) {
		free(process);
		return NULL;
	}
	process->root.fd = -1;
	process->number = number;
	process->pid = pid;
	process->image = image;
	process->start_ns = now_ns;
	heap_init(&process->heap, sample_bytes);
	return process;
}

void process_free(struct process *process)
{
	if (!process)
		return;
	heap_release(&process->heap);
	stack_table_release(&process->stacks);
	address_map_free(process->mappings);
	root_fs_close(&process->root);
	free(process->exe);
	free(process->cgroup);
	free(process->memory_directory);
	free(process->memory_path);
	free(process->container_id);
	free(process->container_name);
	free(process);
}

void process_set_comm(struct process *process, const char *comm)
{
	memset(process->comm, 0, sizeof(process->comm));
	memcpy(process->comm, comm, strnlen(comm, sizeof(process->comm) - 1));
}

void process_balance(struct process *process)
{
	u64 left = process->heap.inuse_count, unfollowed = process->heap.unfollowed_count;
	u64 refused = process->ledger[COUNTER_REFUSED];

	process->ledger[COUNTER_FREED] = process->heap.freed_count;
	process->ledger[COUNTER_STACK_NO_ROOM] = process->heap.no_room_count;
	process->ledger[COUNTER_LIVE] = process->ended ? 0 : left;
	process->ledger[COUNTER_ENDED] = process->ended ? left : 0;
	/*
	 * What the live map refused is not followed either, but has a term of its own. Of a living image more may have
	 * been refused than was told of.
	 */
	process->ledger[COUNTER_ENTRY_ONLY] = unfollowed > refused ? unfollowed - refused : 0;
}
