/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/bpf_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "system/shortage.h"
#include "trace/bpf_internal.h"
#include "trace/link_keeper.h"
#include "trace/uprobe_link.h"

#define INITIAL_PIDNS_INUM 0xEFFFFFFCU /* PROC_PID_INIT_INO, fixed since 3.8 */
#define SCOPES_POPULATION  2048

/* --- what is decided before loading: programs, constants, sizes of maps ------------------------------------------- */

static u32 pid_namespace(void)
{
	struct stat stat_buffer;

	if (stat("/proc/self/ns/pid", &stat_buffer) || stat_buffer.st_ino == INITIAL_PIDNS_INUM)
		return 0;
	return (u32)stat_buffer.st_ino;
}

static u64 environment_size(const char *name, u64 most)
{
	const char *text = getenv(name);
	u64 size = text && *text ? strtoull(text, NULL, 10) : most;

	return size < most ? size : most;
}

/* A power of two, with room for a population to double before its first process has ended. */
static u32 scope_rows(const struct kernel_options *options)
{
	u32 wanted = options->population ? SCOPES_POPULATION + 2 * options->processes : options->processes + 1;
	u32 rows = SCOPES_MIN;

	while (rows < wanted && rows < SCOPES_MAX)
		rows *= 2;
	return rows;
}

static void choose_program(struct bpf_program *program, u32 type)
{
	bpf_program__set_autoload(program, true);
	if (type)
		bpf_program__set_expected_attach_type(program, type);
}

/* Whoever does not ask for them has neither programs nor links at these calls. */
static int choose_region_programs(struct heaptap *skeleton, enum region_method method)
{
	struct bpf_program *const at_functions[] = {
		skeleton->progs.region_mmap,	    skeleton->progs.region_munmap_enter,
		skeleton->progs.region_munmap,	    skeleton->progs.region_mremap_enter,
		skeleton->progs.region_mremap,	    skeleton->progs.region_brk_enter,
		skeleton->progs.region_brk,	    skeleton->progs.region_shmat,
		skeleton->progs.region_shmdt_enter, skeleton->progs.region_shmdt,
	};

	for (size_t i = 0; method == REGIONS_BY_FUNCTION && i < sizeof(at_functions) / sizeof(*at_functions); i++)
		choose_program(at_functions[i], 0);
	if (method == REGIONS_BY_TRACEPOINT) {
		choose_program(skeleton->progs.region_sys_enter, 0);
		choose_program(skeleton->progs.region_sys_exit, 0);
	}
	return bpf_map__set_autocreate(skeleton->maps.region_entries, method != REGIONS_NOT);
}

static void choose_programs(struct heaptap *skeleton, const struct kernel_options *options)
{
	u32 type = attach_kind_type(options->kind);

	if (options->kind == ATTACH_SESSION) {
		choose_program(skeleton->progs.alloc_session, type);
	} else {
		choose_program(skeleton->progs.alloc_enter, type);
		choose_program(skeleton->progs.alloc_return, type);
	}
	if (options->pools)
		choose_program(skeleton->progs.alloc_pool, attach_pool_type(options->kind));
	if (options->inlined)
		choose_program(skeleton->progs.inline_site, attach_pool_type(options->kind));
	if (options->go)
		choose_program(skeleton->progs.go_object, attach_pool_type(options->kind));
	if (options->population == POPULATION_CGROUP) {
		choose_program(skeleton->progs.process_moved, 0);
		choose_program(skeleton->progs.group_made, 0);
	}
}

/* The maps that have a row for each scope. */
static int size_scopes(struct heaptap *skeleton, u32 rows)
{
	struct bpf_map *const maps[] = {skeleton->maps.tallies, skeleton->maps.ring_uses, skeleton->maps.scopes,
					skeleton->maps.free_scopes, skeleton->maps.free_processes};
	int err = 0;

	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps) && !err; i++)
		err = bpf_map__set_max_entries(maps[i], rows);
	/* Children that share their parent's memory have no scope of their own, but a pid. */
	return err ? err : bpf_map__set_max_entries(skeleton->maps.scope_by_pid, 2 * rows);
}

/* Constants and sizes, between open and load. 0 or negative errno. */
static int configure(struct kernel *kernel, const struct kernel_options *options)
{
	struct heaptap *skeleton = kernel->skeleton;
	struct config *config = &skeleton->rodata->config;
	u64 live = environment_size("HEAPTAP_LIVE_MAX", options->footprint.live_rows);
	u64 ring = environment_size("HEAPTAP_RING_BYTES", options->footprint.ring_bytes);
	int err;

	kernel->unwind.row_count = options->footprint.unwind_rows;
	kernel->scope_count = scope_rows(options);
	*config = (struct config){
		.sample_bytes = options->sample_bytes,
		.alloc_only = options->alloc_only,
		.show_allocator = options->show_allocator,
		.pidns_inum = pid_namespace(),
		.ring_bytes = ring,
		.ring_half = ring / 2,
		.fair = options->population || options->processes > 1,
		.tally_mask = kernel->scope_count - 1,
		.self = (u32)getpid(),
		.keeper = (u32)link_keeper_pid(),
		.exe_inode = options->exe_inode,
		/* The kernel's own way of writing a device number. */
		.exe_device = (u32)(major(options->exe_device) << 20 | minor(options->exe_device)),
	};
	if (options->comm)
		memcpy(config->comm, options->comm, strnlen(options->comm, sizeof(config->comm) - 1));
	choose_programs(skeleton, options);
	err = choose_region_programs(skeleton, options->region_method);
	err = err ? err : size_scopes(skeleton, kernel->scope_count);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.ring, (u32)ring);
	if (!err) /* a row is a pair of words */
		err = bpf_map__set_max_entries(skeleton->maps.unwind_rows, options->footprint.unwind_rows / 2);
	return err ? err : bpf_map__set_max_entries(skeleton->maps.live, (u32)live);
}

/* --- the object --------------------------------------------------------------------------------------------------- */

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
		.files = map_array(kernel->skeleton->maps.unwind_files),
		.row_count = kernel->unwind.row_count,
		.mapping_count = UNWIND_MAPPINGS_MAX,
	};
	return kernel->scopes && kernel->unwind.rules && kernel->unwind.rows && kernel->unwind.mappings &&
			       kernel->unwind.files
		       ? 0
		       : -errno;
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
	/* libbpf does not tell every failure by its cause. */
	err = shortage_check();
	if (err) {
		kernel_close(kernel);
		return err;
	}
	kernel->cpus = libbpf_num_possible_cpus();
	kernel->taken = kernel->cpus > 0 ? calloc((size_t)kernel->cpus, sizeof(*kernel->taken)) : NULL;
	kernel->skeleton = heaptap__open();
	err = kernel->skeleton ? 0 : -errno;
	if (!err && !kernel->taken)
		err = kernel->cpus > 0 ? -ENOMEM : kernel->cpus;
	if (!err)
		err = configure(kernel, options);
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
	kernel->programs.pool = bpf_program__fd(kernel->skeleton->progs.alloc_pool);
	kernel->programs.inlined = bpf_program__fd(kernel->skeleton->progs.inline_site);
	kernel->programs.go = bpf_program__fd(kernel->skeleton->progs.go_object);
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
		unmap_array(kernel->unwind.files, kernel->skeleton->maps.unwind_files);
		heaptap__destroy(kernel->skeleton);
	}
	if (kernel)
		free(kernel->taken);
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

u64 kernel_ring_bytes(const struct kernel *kernel)
{
	return bpf_map__max_entries(kernel->skeleton->maps.ring);
}

void kernel_populate(struct kernel *kernel, enum population population, const struct group *group)
{
	if (group)
		memcpy(&kernel->skeleton->bss->group, group, sizeof(*group));
	__atomic_store_n(&kernel->skeleton->bss->population, population, __ATOMIC_RELEASE);
}

void kernel_end_frees(struct kernel *kernel)
{
	__atomic_store_n(&kernel->skeleton->bss->frees_ended, 1, __ATOMIC_RELEASE);
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
