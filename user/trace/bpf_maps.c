/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/bpf_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/row.h"
#include "trace/bpf_internal.h"

#define BATCH 4096 /* rows read at once: more than any bucket holds */

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
