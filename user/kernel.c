/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF object behind plain calls; owned by the tracer. */
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../include/row.h"
#include "heaptap.skel.h"
#include "link.h"

#define INITIAL_PIDNS_INUM 0xEFFFFFFCU /* PROC_PID_INIT_INO, fixed since 3.8 */
#define BATCH		   4096	       /* rows read at once: more than any bucket holds */
/* Sampling dense enough to have millions of samples gets more room than the 64 MiB of all maps else. */
#define DENSE_BELOW_BYTES 65536
#define RING_BYTES	  (16U << 20)
#define RING_BYTES_DENSE  (64U << 20)
#define SCOPES_POPULATION 2048
#define LIVE_MAX	  (1U << 20)
#define LIVE_MAX_DENSE	  (1U << 22)

struct kernel {
	struct heaptap *skeleton;
	struct attach_programs programs;
	struct scope *scopes;
	u32 scope_count; /* rows of scopes, and of counters; a power of two */
	struct unwind_rule *rules;
	u32 *rows;
	struct unwind_mapping *mappings;
	int cpus;
};

static u32 pid_namespace(void)
{
	struct stat stat_buffer;

	if (stat("/proc/self/ns/pid", &stat_buffer) || stat_buffer.st_ino == INITIAL_PIDNS_INUM)
		return 0;
	return (u32)stat_buffer.st_ino;
}

static u64 environment_size(const char *name, u64 fallback)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 10) : fallback;
}

/* A power of two: of a population, enough for it to double before the first has ended. */
static u32 scope_rows(const struct kernel_options *options)
{
	u32 wanted = options->dynamic ? SCOPES_POPULATION + 2 * options->processes : options->processes + 1;
	u32 rows = SCOPES_MIN;

	while (rows < wanted && rows < SCOPES_MAX)
		rows *= 2;
	return rows;
}

/* The kernel's own way of writing a device number. */
static u32 kernel_device(dev_t device)
{
	return (u32)(major(device) << 20 | minor(device));
}

static void configure_filter(struct config *config, const struct kernel_options *options)
{
	if (options->comm)
		memcpy(config->comm, options->comm, strnlen(options->comm, sizeof(config->comm) - 1));
	config->exe_inode = options->exe_inode;
	config->exe_device = kernel_device(options->exe_device);
}

/* The maps that have a row for each scope. */
static int size_scopes(struct heaptap *skeleton, u32 rows)
{
	int err = bpf_map__set_max_entries(skeleton->maps.tallies, rows);

	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.ring_uses, rows);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.scopes, rows);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.free_scopes, rows);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.free_processes, rows);
	/* Children that share their parent's memory have no scope of their own, but a pid. */
	return err ? err : bpf_map__set_max_entries(skeleton->maps.scope_by_pid, 2 * rows);
}

static int configure(struct heaptap *skeleton, const struct kernel_options *options)
{
	bool dense = options->sample_bytes < DENSE_BELOW_BYTES;
	u64 live = environment_size("HEAPTAP_LIVE_MAX", dense ? LIVE_MAX_DENSE : LIVE_MAX);
	u64 ring = environment_size("HEAPTAP_RING_BYTES", dense ? RING_BYTES_DENSE : RING_BYTES);
	int err;

	skeleton->rodata->config.sample_bytes = options->sample_bytes;
	skeleton->rodata->config.alloc_only = options->alloc_only;
	skeleton->rodata->config.show_allocator = options->show_allocator;
	skeleton->rodata->config.pidns_inum = pid_namespace();
	skeleton->rodata->config.ring_bytes = ring;
	skeleton->rodata->config.ring_half = ring / 2;
	skeleton->rodata->config.fair = options->dynamic || options->processes > 1;
	skeleton->rodata->config.tally_mask = scope_rows(options) - 1;
	skeleton->rodata->config.self = (u32)getpid();
	configure_filter(&skeleton->rodata->config, options);
	err = size_scopes(skeleton, scope_rows(options));
	if (err)
		return err;
	err = bpf_map__set_max_entries(skeleton->maps.ring, (u32)ring);
	if (err)
		return err;
	return bpf_map__set_max_entries(skeleton->maps.live, (u32)live);
}

static void choose(struct bpf_program *program, u32 attach_type)
{
	bpf_program__set_autoload(program, true);
	if (attach_type)
		bpf_program__set_expected_attach_type(program, attach_type);
}

static void choose_programs(struct heaptap *skeleton, enum attach_kind kind)
{
	u32 type = kind == ATTACH_MULTI ? ATTACH_UPROBE_MULTI : 0;

	if (kind == ATTACH_SESSION) {
		choose(skeleton->progs.alloc_session, ATTACH_UPROBE_SESSION);
		return;
	}
	choose(skeleton->progs.alloc_enter, type);
	choose(skeleton->progs.alloc_return, type);
}

#define RULES_BYTES    (UNWIND_RULES_MAX * sizeof(struct unwind_rule))
#define ROWS_BYTES     (UNWIND_ROWS_MAX * sizeof(u32))
#define MAPPINGS_BYTES (UNWIND_MAPPINGS_MAX * sizeof(struct unwind_mapping))

/* The rows of an array; NULL with errno. */
static void *map_array(const struct bpf_map *map, size_t bytes)
{
	void *rows = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return rows == MAP_FAILED ? NULL : rows;
}

static int map_arrays(struct kernel *kernel)
{
	kernel->scopes = map_array(kernel->skeleton->maps.scopes, kernel->scope_count * sizeof(struct scope));
	kernel->rules = kernel->scopes ? map_array(kernel->skeleton->maps.unwind_rules, RULES_BYTES) : NULL;
	kernel->rows = kernel->rules ? map_array(kernel->skeleton->maps.unwind_rows, ROWS_BYTES) : NULL;
	kernel->mappings = kernel->rows ? map_array(kernel->skeleton->maps.unwind_mappings, MAPPINGS_BYTES) : NULL;
	return kernel->mappings ? 0 : -errno;
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

/* Number 0 of either is nobody's; scope 0 is heaptap's own. */
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

static void unmap(void *rows, size_t bytes)
{
	if (rows)
		munmap(rows, bytes);
}

int kernel_open(const struct kernel_options *options, struct kernel **ret_kernel)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	int err;

	if (!kernel)
		return -ENOMEM;
	kernel->cpus = libbpf_num_possible_cpus();
	kernel->skeleton = heaptap__open();
	if (!kernel->skeleton) {
		err = -errno;
		goto fail;
	}
	choose_programs(kernel->skeleton, options->kind);
	err = configure(kernel->skeleton, options);
	kernel->scope_count = scope_rows(options);
	if (!err)
		err = heaptap__load(kernel->skeleton);
	if (!err)
		err = map_arrays(kernel);
	if (!err)
		err = fill_queues(kernel);
	if (!err)
		err = heaptap__attach(kernel->skeleton);
	if (err)
		goto fail;
	kernel->programs.session = bpf_program__fd(kernel->skeleton->progs.alloc_session);
	kernel->programs.enter = bpf_program__fd(kernel->skeleton->progs.alloc_enter);
	kernel->programs.leave = bpf_program__fd(kernel->skeleton->progs.alloc_return);
	*ret_kernel = kernel;
	return 0;
fail:
	kernel_close(kernel);
	return err;
}

void kernel_close(struct kernel *kernel)
{
	if (!kernel)
		return;
	unmap(kernel->scopes, kernel->scope_count * sizeof(struct scope));
	unmap(kernel->rules, RULES_BYTES);
	unmap(kernel->rows, ROWS_BYTES);
	unmap(kernel->mappings, MAPPINGS_BYTES);
	heaptap__destroy(kernel->skeleton);
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

struct unwind_rule *kernel_unwind_rules(struct kernel *kernel)
{
	return kernel->rules;
}

u32 *kernel_unwind_rows(struct kernel *kernel, u32 *ret_count)
{
	*ret_count = UNWIND_ROWS_MAX;
	return kernel->rows;
}

struct unwind_mapping *kernel_unwind_mappings(struct kernel *kernel, u32 *ret_count)
{
	*ret_count = UNWIND_MAPPINGS_MAX;
	return kernel->mappings;
}

int kernel_add_pid(struct kernel *kernel, u32 pid, u32 scope)
{
	return bpf_map_update_elem(bpf_map__fd(kernel->skeleton->maps.scope_by_pid), &pid, &scope, BPF_NOEXIST);
}

void kernel_remove_pid(struct kernel *kernel, u32 pid)
{
	bpf_map_delete_elem(bpf_map__fd(kernel->skeleton->maps.scope_by_pid), &pid);
}

int kernel_set_ranges(struct kernel *kernel, u32 allocator, const struct ranges *ranges)
{
	return bpf_map_update_elem(bpf_map__fd(kernel->skeleton->maps.allocator_ranges), &allocator, ranges, BPF_ANY);
}

/* The row of an image on every CPU; NULL: no memory. */
static struct tally *read_rows(const struct kernel *kernel, u32 row)
{
	struct tally *rows = calloc((size_t)kernel->cpus, sizeof(*rows));

	if (rows && bpf_map_lookup_elem(bpf_map__fd(kernel->skeleton->maps.tallies), &row, rows)) {
		free(rows);
		return NULL;
	}
	return rows;
}

u64 kernel_count_hits(const struct kernel *kernel, u32 process)
{
	struct tally *rows = read_rows(kernel, process & kernel->skeleton->rodata->config.tally_mask);
	u64 hits = 0;

	for (int cpu = 0; rows && cpu < kernel->cpus; cpu++)
		hits += rows[cpu].count[COUNTER_HITS_ALLOC] + rows[cpu].count[COUNTER_HITS_FREE];
	free(rows);
	return hits;
}

static void add_rows(const struct kernel *kernel, const struct tally *rows, u32 first, u32 end, u64 ledger[COUNTER_MAX])
{
	for (int cpu = 0; cpu < kernel->cpus; cpu++)
		for (u32 i = first; i < end; i++)
			ledger[i] += rows[cpu].count[i];
}

int kernel_peek_tally(const struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX])
{
	u32 row = process & kernel->skeleton->rodata->config.tally_mask;
	struct tally *before = read_rows(kernel, row), *after = before ? read_rows(kernel, row) : NULL;

	if (after) {
		add_rows(kernel, before, 0, COUNTER_SAMPLED, ledger);
		add_rows(kernel, after, COUNTER_SAMPLED, COUNTER_SAMPLED + 1, ledger);
		add_rows(kernel, before, COUNTER_SAMPLED + 1, COUNTER_KERNEL_MAX, ledger);
	}
	free(before);
	free(after);
	return after ? 0 : -ENOMEM;
}

int kernel_take_tally(struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX])
{
	u32 row = process & kernel->skeleton->rodata->config.tally_mask;
	struct tally *rows = read_rows(kernel, row);
	int err;

	if (!rows)
		return -ENOMEM;
	add_rows(kernel, rows, 0, COUNTER_KERNEL_MAX, ledger);
	memset(rows, 0, (size_t)kernel->cpus * sizeof(*rows));
	err = bpf_map_update_elem(bpf_map__fd(kernel->skeleton->maps.tallies), &row, rows, BPF_ANY);
	free(rows);
	return err;
}

/*
 * All elements of a hash, bucket by bucket: unlike walking from key to key, this goes on when elements vanish
 * meanwhile. `keys` and `values` hold BATCH rows.
 */
static int for_each_row(int fd, void *keys, void *values, void (*each)(void *arg, u32 index), void *arg)
{
	u32 in, out, count;
	bool first = true;
	int err;

	do {
		count = BATCH;
		err = bpf_map_lookup_batch(fd, first ? NULL : &in, &out, keys, values, &count, NULL);
		if (err && err != -ENOENT)
			return err;
		for (u32 i = 0; i < count; i++)
			each(arg, i);
		in = out;
		first = false;
	} while (!err);
	return 0;
}

struct unsent {
	struct live_key keys[BATCH];
	u64 words[BATCH];
	void (*each)(void *arg, u32 process, u64 object);
	void *arg;
};

static void visit_live(void *arg, u32 index)
{
	struct unsent *unsent = arg;

	if (unsent->words[index] & LIVE_STATE_MASK)
		unsent->each(unsent->arg, unsent->keys[index].process, unsent->words[index] >> LIVE_STATE_BITS);
}

int kernel_for_each_unsent(struct kernel *kernel, void (*each)(void *arg, u32 process, u64 object), void *arg)
{
	struct unsent *unsent = malloc(sizeof(*unsent));
	int err;

	if (!unsent)
		return -ENOMEM;
	unsent->each = each;
	unsent->arg = arg;
	err = for_each_row(bpf_map__fd(kernel->skeleton->maps.live), unsent->keys, unsent->words, visit_live, unsent);
	free(unsent);
	return err;
}

struct pending {
	struct stash_key keys[BATCH];
	struct stash stashes[BATCH];
	void (*each)(void *arg, u32 process);
	void *arg;
	struct kernel *kernel; /* to take away those of one process */
	u32 process;
	u64 taken;
};

static void visit_stash(void *arg, u32 index)
{
	struct pending *pending = arg;

	if (pending->stashes[index].sampled)
		pending->each(pending->arg, pending->stashes[index].process);
}

static void take_stash(void *arg, u32 index)
{
	struct pending *pending = arg;

	if (pending->stashes[index].process != pending->process)
		return;
	pending->taken += pending->stashes[index].sampled;
	bpf_map_delete_elem(bpf_map__fd(pending->kernel->skeleton->maps.stashes), &pending->keys[index]);
}

u64 kernel_take_pending(struct kernel *kernel, u32 process)
{
	struct pending *pending = malloc(sizeof(*pending));
	u64 taken;

	if (!pending)
		return 0;
	pending->kernel = kernel;
	pending->process = process;
	pending->taken = 0;
	for_each_row(bpf_map__fd(kernel->skeleton->maps.stashes), pending->keys, pending->stashes, take_stash, pending);
	taken = pending->taken;
	free(pending);
	return taken;
}

int kernel_for_each_pending(struct kernel *kernel, void (*each)(void *arg, u32 process), void *arg)
{
	struct pending *pending = malloc(sizeof(*pending));
	int err;

	if (!pending)
		return -ENOMEM;
	pending->each = each;
	pending->arg = arg;
	err = for_each_row(bpf_map__fd(kernel->skeleton->maps.stashes), pending->keys, pending->stashes, visit_stash,
			   pending);
	free(pending);
	return err;
}

void kernel_forget_object(struct kernel *kernel, u32 process, u64 addr)
{
	struct live_key key = {.addr = addr, .process = process};

	bpf_map_delete_elem(bpf_map__fd(kernel->skeleton->maps.live), &key);
}

void kernel_forget_stack(struct kernel *kernel, u64 hash)
{
	bpf_map_delete_elem(bpf_map__fd(kernel->skeleton->maps.stacks_sent), &hash);
}
