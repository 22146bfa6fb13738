/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settling accounts at the end of images and of the recording; called by the tracer. */
#include "trace/account.h"

#include <stdlib.h>
#include <string.h>

#include "system/cgroup.h"
#include "system/container.h"
#include "system/cgroup_mounts.h"
#include "system/address_map.h"
#include "system/procfs.h"

/* The program of an image that began with an exec we saw: the kernel maps it before anything else. */
static char *first_file(const struct address_map *mappings)
{
	const struct mapping *oldest = NULL;

	for (unsigned int i = 0; i < address_map_count(mappings); i++) {
		const struct mapping *mapping = address_map_get(mappings, i);

		if (mapping->from_ns && mapping->path[0] == '/' && (!oldest || mapping->from_ns < oldest->from_ns))
			oldest = mapping;
	}
	return oldest ? strdup(oldest->path) : NULL;
}

static void look_at_memory(struct process *process)
{
	if (process->memory_directory)
		cgroup_memory(process->memory_directory, process->memory_path, &process->memory_limit,
			      &process->memory_used);
}

static void find_container(const struct account_sources *sources, struct process *process)
{
	char id[CONTAINER_ID_SIZE];
	const char *runtime, *name;

	if (!process->cgroup || !container_of_cgroup(process->cgroup, id, &runtime))
		return;
	free(process->container_id);
	free(process->container_name);
	process->container_id = strdup(id);
	name = sources->containers ? container_names_find(sources->containers, id) : NULL;
	process->container_name = name ? strdup(name) : NULL;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

void account_facts(const struct account_sources *sources, struct process *process, const struct process *origin,
		   bool forked)
{
	pid_t pid = (pid_t)process->pid;
	char comm[16];

	if (!process->comm[0] && !procfs_comm(pid, comm))
		process_set_comm(process, comm);
	/*
	 * Asking /proc may be too late: by now another program may have been exec'd. Nor does the oldest mapping tell a
	 * forked one's, if its parent's program was there before heaptap.
	 */
	process->exe = origin && forked ? copy(origin->exe) : first_file(process->mappings);
	if (!process->exe)
		process->exe = procfs_exe(pid);
	process->cgroup = procfs_cgroup(pid);
	if (!process->cgroup && origin)
		process->cgroup = copy(origin->cgroup);
	/* Whoever belongs to a recorded group was there, or below. */
	if (!process->cgroup)
		process->cgroup = copy(sources->group);
	find_container(sources, process);
	if (sources->hierarchy)
		cgroup_mounts_memory(sources->hierarchy, pid, &process->memory_directory, &process->memory_path);
	look_at_memory(process);
	root_fs_close(&process->root);
	root_fs_open(pid, &process->root);
	process->rss_start_bytes = procfs_rss_bytes(pid);
	process->rss_end_bytes = process->rss_start_bytes;
}

void account_look(struct process *process)
{
	u64 rss = procfs_rss_bytes((pid_t)process->pid);

	root_fs_look(&process->root);
	if (!rss)
		return;
	process->rss_end_bytes = rss;
	if (rss > process->rss_peak_bytes)
		process->rss_peak_bytes = rss;
}

struct sweep {
	struct kernel *kernel;
	struct process *process;
};

/* Of this image alone: another's object may be in a realloc that is yet to fail. */
static void book_death(void *arg, u32 number, u64 id)
{
	const struct sweep *sweep = arg;
	struct process *process = sweep->process;
	struct heap_object *object;

	if (number != process->number)
		return;
	HASH_FIND(hh, process->heap.objects, &id, sizeof(id), object);
	/* Its event may have come after all, when the address was handed out again. */
	if (!object)
		return;
	if (process->ended)
		kernel_forget_object(sweep->kernel, number, object->addr);
	heap_free(&process->heap, id);
}

static void settle(struct kernel *kernel, struct process *process)
{
	struct sweep sweep = {.kernel = kernel, .process = process};

	kernel_take_tally(kernel, process->number, process->ledger);
	if (process->ledger[COUNTER_FREE_DEFERRED])
		kernel_for_each_unsent(kernel, book_death, &sweep);
}

/* Calls that were sampled, and of which no more has been heard: their threads died in them. */
static bool is_waited_for(const struct process *process)
{
	const u64 *ledger = process->ledger;

	return ledger[COUNTER_SAMPLED] > process->heap.alloc_count + ledger[COUNTER_FAILED] +
						 ledger[COUNTER_LOST_RING] + ledger[COUNTER_LOST_STASH] +
						 ledger[COUNTER_RETURN_MISSED];
}

void account_end(struct kernel *kernel, struct process *process)
{
	struct heap_object *object;
	struct stack *stack;

	if (process->settled)
		return;
	process->settled = true;
	settle(kernel, process);
	for (object = process->heap.objects; object; object = object->hh.next)
		kernel_forget_object(kernel, process->number, object->addr);
	for (stack = process->stacks.stacks; stack; stack = stack->hh.next)
		kernel_forget_stack(kernel, stack->hash);
	if (is_waited_for(process))
		process->ledger[COUNTER_RETURN_MISSED] += kernel_take_pending(kernel, process->number);
	kernel_give_process(kernel, process->number);
}

void account_stop(struct kernel *kernel, struct process *process, u64 now_ns)
{
	settle(kernel, process);
	account_look(process);
	look_at_memory(process);
	process->end_ns = now_ns;
	process->cpu_end_ns = procfs_cpu_ns((pid_t)process->pid);
}

static void book_pending(void *arg, u32 number)
{
	struct process *process = recorder_find(arg, number);

	if (process)
		process->ledger[process->ended ? COUNTER_RETURN_MISSED : COUNTER_IN_FLIGHT]++;
}

void account_pending(struct kernel *kernel, struct recorder *recorder)
{
	kernel_for_each_pending(kernel, book_pending, recorder);
}
