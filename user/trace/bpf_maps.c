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

static int look_up(const struct kernel *kernel, u32 row, struct tally *rows)
{
	return bpf_map_lookup_elem(bpf_map__fd(kernel->skeleton->maps.tallies), &row, rows);
}

/* The row of an image on every CPU; NULL: no memory. */
static struct tally *read_rows(const struct kernel *kernel, u32 row)
{
	struct tally *rows = calloc((size_t)kernel->cpus, sizeof(*rows));

	if (rows && look_up(kernel, row, rows)) {
		free(rows);
		return NULL;
	}
	return rows;
}

struct hits kernel_read_hits(const struct kernel *kernel, u32 process)
{
	struct tally *rows = read_rows(kernel, process & kernel->skeleton->rodata->config.tally_mask);
	struct hits hits = {0};

	for (int cpu = 0; rows && cpu < kernel->cpus; cpu++) {
		hits.alloc += rows[cpu].count[COUNTER_HITS_ALLOC];
		hits.free += rows[cpu].count[COUNTER_HITS_FREE];
		hits.born += rows[cpu].count[COUNTER_AGES_BORN];
	}
	free(rows);
	return hits;
}

u64 kernel_count_hits(const struct kernel *kernel, u32 process)
{
	const struct hits hits = kernel_read_hits(kernel, process);

	return hits.alloc + hits.free;
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
	int err = look_up(kernel, row, kernel->taken);

	if (err)
		return err;
	add_rows(kernel, kernel->taken, 0, COUNTER_KERNEL_MAX, ledger);
	memset(kernel->taken, 0, (size_t)kernel->cpus * sizeof(*kernel->taken));
	return bpf_map_update_elem(bpf_map__fd(kernel->skeleton->maps.tallies), &row, kernel->taken, BPF_ANY);
}

typedef void visit_row(void *arg, const void *key, const void *value);

/*
 * Visit all elements of a hash, bucket by bucket: unlike walking from key to key, this goes on when elements vanish
 * meanwhile. 0 or negative errno.
 */
static int for_each_row(const struct bpf_map *map, visit_row *visit, void *arg)
{
	size_t key_size = bpf_map__key_size(map), value_size = bpf_map__value_size(map);
	char *keys = malloc(BATCH * key_size), *values = malloc(BATCH * value_size);
	u32 in, out, count;
	bool first = true;
	int err = keys && values ? 0 : -ENOMEM;

	while (!err) {
		count = BATCH;
		err = bpf_map_lookup_batch(bpf_map__fd(map), first ? NULL : &in, &out, keys, values, &count, NULL);
		for (u32 i = 0; (!err || err == -ENOENT) && i < count; i++)
			visit(arg, keys + i * key_size, values + i * value_size);
		in = out;
		first = false;
	}
	free(keys);
	free(values);
	return err == -ENOENT ? 0 : err;
}

struct unsent {
	void (*each)(void *arg, u32 process, u64 object);
	void *arg;
};

static void visit_live(void *arg, const void *key, const void *value)
{
	const struct unsent *unsent = arg;
	u64 word = *(const u64 *)value;

	if (word & LIVE_STATE_MASK)
		unsent->each(unsent->arg, ((const struct live_key *)key)->process, word >> LIVE_STATE_BITS);
}

int kernel_for_each_unsent(struct kernel *kernel, void (*each)(void *arg, u32 process, u64 object), void *arg)
{
	return for_each_row(kernel->skeleton->maps.live, visit_live, &(struct unsent){each, arg});
}

struct pending {
	void (*each)(void *arg, u32 process);
	void *arg;
	const struct bpf_map *map; /* to take calls away */
	u32 process;
	u64 taken;
};

static void visit_stash(void *arg, const void *key, const void *value)
{
	const struct pending *pending = arg;
	const struct stash *stash = value;

	(void)key;
	if (stash->sampled)
		pending->each(pending->arg, stash->process);
}

static void take_stash(void *arg, const void *key, const void *value)
{
	const struct stash *stash = value;
	struct pending *pending = arg;

	if (stash->process != pending->process)
		return;
	pending->taken += stash->sampled;
	bpf_map_delete_elem(bpf_map__fd(pending->map), key);
}

static void drop_stash(void *arg, const void *key, const void *value)
{
	const struct pending *pending = arg;

	visit_stash(arg, key, value);
	bpf_map_delete_elem(bpf_map__fd(pending->map), key);
}

u64 kernel_take_pending(struct kernel *kernel, u32 process)
{
	struct pending pending = {.map = kernel->skeleton->maps.stashes, .process = process};

	for_each_row(pending.map, take_stash, &pending);
	return pending.taken;
}

int kernel_for_each_pending(struct kernel *kernel, void (*each)(void *arg, u32 process), void *arg)
{
	return for_each_row(kernel->skeleton->maps.stashes, visit_stash, &(struct pending){.each = each, .arg = arg});
}

int kernel_drop_pending(struct kernel *kernel, void (*each)(void *arg, u32 process), void *arg)
{
	const struct bpf_map *map = kernel->skeleton->maps.stashes;

	return for_each_row(map, drop_stash, &(struct pending){.each = each, .arg = arg, .map = map});
}

void kernel_forget_object(struct kernel *kernel, u32 process, u64 addr)
{
	struct live_key key = {.addr = addr, .process = process};

	bpf_map_delete_elem(bpf_map__fd(kernel->skeleton->maps.live), &key);
}

/* A batch ends at a key that is not there, and says how many were. */
void kernel_forget_stacks(struct kernel *kernel, const u64 *hashes, u32 count)
{
	int fd = bpf_map__fd(kernel->skeleton->maps.stacks_sent), err = 0;

	for (u32 done = 0, taken; done < count && (!err || err == -ENOENT); done += taken + 1) {
		taken = count - done;
		err = bpf_map_delete_batch(fd, hashes + done, &taken, NULL);
	}
}
