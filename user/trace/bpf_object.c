/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/bpf_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "trace/bpf_internal.h"
#include "trace/uprobe_link.h"

static size_t array_bytes(const struct bpf_map *map)
{
	return (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
}

/* The rows of an array, shared with the programs; NULL with errno. */
static void *map_array(const struct bpf_map *map)
{
	void *rows = mmap(NULL, array_bytes(map), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return rows == MAP_FAILED ? NULL : rows;
}

static void unmap_array(void *rows, const struct bpf_map *map)
{
	if (rows)
		munmap(rows, array_bytes(map));
}

static int map_arrays(struct kernel *kernel)
{
	kernel->scopes = map_array(kernel->skeleton->maps.scopes);
	kernel->unwind = (struct unwind_memory){
		.rules = map_array(kernel->skeleton->maps.unwind_rules),
		.rows = map_array(kernel->skeleton->maps.unwind_rows),
		.mappings = map_array(kernel->skeleton->maps.unwind_mappings),
		.row_count = UNWIND_ROWS_MAX,
		.mapping_count = UNWIND_MAPPINGS_MAX,
	};
	return kernel->scopes && kernel->unwind.rules && kernel->unwind.rows && kernel->unwind.mappings ? 0 : -errno;
}

static int push(const struct bpf_map *queue, u32 number)
{
	return bpf_map_update_elem(bpf_map__fd(queue), NULL, &number, BPF_ANY);
}

static u32 pop(const struct bpf_map *queue)
{
	u32 number;

	return bpf_map_lookup_and_delete_elem(bpf_map__fd(queue), NULL, &number) ? 0 : number;
}

/* Image number 0 means none; scope 0 is heaptap's own. */
static int fill_queues(struct kernel *kernel)
{
	int err = 0;

	for (u32 i = 1; i < kernel->scope_count && !err; i++) {
		err = push(kernel->skeleton->maps.free_scopes, i);
		if (!err)
			err = push(kernel->skeleton->maps.free_processes, i);
	}
	return err;
}

int kernel_open(const struct kernel_options *options, struct kernel **ret_kernel)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	int err;

	if (!kernel)
		return -ENOMEM;
	kernel->cpus = libbpf_num_possible_cpus();
	kernel->skeleton = heaptap__open();
	err = kernel->skeleton ? 0 : -errno;
	if (!err)
		err = kernel_configure(kernel, options);
	if (!err)
		err = heaptap__load(kernel->skeleton);
	if (!err)
		err = map_arrays(kernel);
	if (!err)
		err = fill_queues(kernel);
	if (!err)
		err = heaptap__attach(kernel->skeleton);
	if (err) {
		kernel_close(kernel);
		return err;
	}
	kernel->programs.session = bpf_program__fd(kernel->skeleton->progs.alloc_session);
	kernel->programs.enter = bpf_program__fd(kernel->skeleton->progs.alloc_enter);
	kernel->programs.leave = bpf_program__fd(kernel->skeleton->progs.alloc_return);
	*ret_kernel = kernel;
	return 0;
}

void kernel_close(struct kernel *kernel)
{
	if (kernel && kernel->skeleton) {
		unmap_array(kernel->scopes, kernel->skeleton->maps.scopes);
		unmap_array(kernel->unwind.rules, kernel->skeleton->maps.unwind_rules);
		unmap_array(kernel->unwind.rows, kernel->skeleton->maps.unwind_rows);
		unmap_array(kernel->unwind.mappings, kernel->skeleton->maps.unwind_mappings);
		heaptap__destroy(kernel->skeleton);
	}
	free(kernel);
}

const struct attach_programs *kernel_programs(const struct kernel *kernel)
{
	return &kernel->programs;
}

int kernel_ring_fd(const struct kernel *kernel)
{
	return bpf_map__fd(kernel->skeleton->maps.ring);
}

void kernel_populate(struct kernel *kernel, enum population population, const struct group *group)
{
	if (group)
		memcpy(&kernel->skeleton->bss->group, group, sizeof(*group));
	__atomic_store_n(&kernel->skeleton->bss->population, population, __ATOMIC_RELEASE);
}

u32 kernel_group_made(const struct kernel *kernel)
{
	return __atomic_load_n(&kernel->skeleton->bss->group.made, __ATOMIC_RELAXED);
}

u64 kernel_refused(const struct kernel *kernel)
{
	return __atomic_load_n(&kernel->skeleton->bss->population_refused, __ATOMIC_RELAXED);
}

u64 kernel_missed(const struct kernel *kernel)
{
	return __atomic_load_n(&kernel->skeleton->bss->population_unheard, __ATOMIC_RELAXED);
}

u32 kernel_processes_max(const struct kernel *kernel)
{
	return kernel->scope_count - 1;
}

void kernel_begin_drain(struct kernel *kernel)
{
	__atomic_fetch_add(&kernel->skeleton->bss->ring_drains, 1, __ATOMIC_RELAXED);
}

u32 kernel_draw_process(struct kernel *kernel)
{
	return pop(kernel->skeleton->maps.free_processes);
}

void kernel_give_process(struct kernel *kernel, u32 process)
{
	u32 next = process + kernel->scope_count;

	/* After four thousand million images the row rests: a number is never used twice. */
	if (next > process)
		push(kernel->skeleton->maps.free_processes, next);
}

u32 kernel_draw_scope(struct kernel *kernel)
{
	return pop(kernel->skeleton->maps.free_scopes);
}

void kernel_give_scope(struct kernel *kernel, u32 number)
{
	push(kernel->skeleton->maps.free_scopes, number);
}

u32 kernel_find_scope(struct kernel *kernel, u32 process)
{
	for (u32 i = 1; i < kernel->scope_count && process; i++)
		if (__atomic_load_n(&kernel->scopes[i].process, __ATOMIC_RELAXED) == process)
			return i;
	return 0;
}

struct scope *kernel_scope(struct kernel *kernel, u32 number)
{
	return &kernel->scopes[number];
}

const struct unwind_memory *kernel_unwind_memory(const struct kernel *kernel)
{
	return &kernel->unwind;
}

int kernel_add_pid(struct kernel *kernel, u32 pid, u32 scope)
{
	return bpf_map_update_elem(bpf_map__fd(kernel->skeleton->maps.scope_by_pid), &pid, &scope, BPF_NOEXIST);
}

bool kernel_remove_pid(struct kernel *kernel, u32 pid)
{
	return !bpf_map_delete_elem(bpf_map__fd(kernel->skeleton->maps.scope_by_pid), &pid);
}

void kernel_remove_pids(struct kernel *kernel)
{
	for (u32 i = 1; i < kernel->scope_count; i++) {
		u32 pid = __atomic_load_n(&kernel->scopes[i].pid, __ATOMIC_ACQUIRE);

		if (pid)
			kernel_remove_pid(kernel, pid);
	}
}

int kernel_set_ranges(struct kernel *kernel, u32 allocator, const struct ranges *ranges)
{
	return bpf_map_update_elem(bpf_map__fd(kernel->skeleton->maps.allocator_ranges), &allocator, ranges, BPF_ANY);
}
