/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The BPF helpers over plain C, so that the programs' code runs as an ordinary function: maps, the ring, random
 * numbers, the current task. As strict as can be: what a program deletes is freed at once, and fresh ring space is
 * filled with garbage, so that the sanitizers and the tests see a stale pointer or an unwritten field. One test
 * program, one copy of the state.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "include/types.h"
#include "unit/profile/chance.h"
#include "bpf/host/vmlinux.h"

#include "bpf_stub_state.h"

#define SEC(name)
#define __weak		     __attribute__((weak))
#define __noinline	     __attribute__((noinline, unused))
#define __uint(name, number) int(*name)[number]
#define __type(name, type)   __typeof__(type) *name

/* From bpf_tracing.h and bpf_core_read.h: what relocates against the running kernel there is a plain access here. */
#define bpf_core_field_exists(field)		       ((void)sizeof(field), stub.newer)
#define BPF_PROG(name, ...)			       name(__VA_ARGS__)
#define STUB_READ_1(from, one)			       ((from)->one)
#define STUB_READ_2(from, one, two)		       ((from)->one->two)
#define STUB_READ_3(from, one, two, three)	       ((from)->one->two->three)
#define STUB_READ_CHOICE(one, two, three, chosen, ...) chosen
#define BPF_CORE_READ(from, ...)		       STUB_READ_CHOICE(__VA_ARGS__, STUB_READ_3, STUB_READ_2, STUB_READ_1)(from, __VA_ARGS__)

/* --- maps: known by their address, described by their own declaration --- */

#define STUB_MAP(map)                                                                                                  \
	stub_map_get(map, sizeof(*(map)->type) / sizeof(int), sizeof(*(map)->key), sizeof(*(map)->value),              \
		     sizeof(*(map)->max_entries) / sizeof(int))
#define STUB_QUEUE(queue)                                                                                              \
	stub_map_get(queue, sizeof(*(queue)->type) / sizeof(int), 0, sizeof(*(queue)->value),                          \
		     sizeof(*(queue)->max_entries) / sizeof(int))

static STUB_UNUSED struct stub_map *stub_map_get(const void *map, size_t type, size_t key_size, size_t value_size,
						 size_t max)
{
	struct stub_map *found = stub.maps;

	while (found < stub.maps + stub.map_count && found->map != map)
		found++;
	if (found < stub.maps + stub.map_count)
		return found;
	if (stub.map_count++ == STUB_MAPS_MAX || key_size > STUB_KEY_WORDS * sizeof(u64))
		abort();
	*found = (struct stub_map){.map = map,
				   .type = (u32)type,
				   .key_size = (u32)key_size,
				   .value_size = (u32)value_size,
				   .max = (u32)max};
	if (type != BPF_MAP_TYPE_HASH)
		found->rows = calloc(max, (type == BPF_MAP_TYPE_PERCPU_ARRAY ? STUB_CPUS_MAX : 1) * value_size);
	return found;
}

static STUB_UNUSED void *stub_element_value(const struct stub_map *map, struct stub_element *element)
{
	return element->data + (map->key_size + 7) / 8;
}

static STUB_UNUSED struct stub_element *stub_element_find(const struct stub_map *map, const void *key)
{
	struct stub_element *element;
	u64 copy[STUB_KEY_WORDS];

	memcpy(copy, key, map->key_size);
	HASH_FIND(hh, map->elements, copy, map->key_size, element);
	return element;
}

static STUB_UNUSED void *stub_row(const struct stub_map *map, u32 row, u32 cpu)
{
	size_t step = map->type == BPF_MAP_TYPE_PERCPU_ARRAY ? STUB_CPUS_MAX : 1;

	return row < map->max ? map->rows + (row * step + (step > 1 ? cpu : 0)) * map->value_size : NULL;
}

static STUB_UNUSED void *stub_lookup(const struct stub_map *map, const void *key)
{
	struct stub_element *element;
	u32 row;

	if (map->type == BPF_MAP_TYPE_HASH) {
		element = stub_element_find(map, key);
		return element ? stub_element_value(map, element) : NULL;
	}
	memcpy(&row, key, sizeof(row));
	return stub_row(map, row, stub.cpu);
}

static STUB_UNUSED long stub_update(struct stub_map *map, const void *key, const void *value, u64 flags)
{
	void *old = stub_lookup(map, key);
	struct stub_element *element;

	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (old) {
		memcpy(old, value, map->value_size);
		return 0;
	}
	if (map->type != BPF_MAP_TYPE_HASH || HASH_COUNT(map->elements) >= map->max)
		return -E2BIG;
	element = calloc(1, sizeof(*element) + map->key_size + 8 + map->value_size);
	memcpy(element->data, key, map->key_size);
	memcpy(stub_element_value(map, element), value, map->value_size);
	HASH_ADD_KEYPTR(hh, map->elements, element->data, map->key_size, element);
	return 0;
}

static STUB_UNUSED long stub_delete(struct stub_map *map, const void *key)
{
	struct stub_element *element = map->type == BPF_MAP_TYPE_HASH ? stub_element_find(map, key) : NULL;

	if (!element)
		return -ENOENT;
	HASH_DEL(map->elements, element);
	free(element);
	return 0;
}

/* As the kernel's: of an empty queue comes a zero. */
static STUB_UNUSED long stub_pop(struct stub_map *map, void *value)
{
	if (!map->count) {
		memset(value, 0, map->value_size);
		return -ENOENT;
	}
	memcpy(value, map->rows + (size_t)map->first * map->value_size, map->value_size);
	map->first = (map->first + 1) % map->max;
	map->count--;
	return 0;
}

static STUB_UNUSED long stub_push(struct stub_map *map, const void *value, u64 flags)
{
	u32 row = (map->first + map->count) % map->max;

	if (flags)
		return -EINVAL;
	if (map->count == map->max)
		return -E2BIG;
	memcpy(map->rows + (size_t)row * map->value_size, value, map->value_size);
	map->count++;
	return 0;
}

#define bpf_map_push_elem(queue, value, flags)	    stub_push(STUB_QUEUE(queue), value, flags)
#define bpf_map_pop_elem(queue, value)		    stub_pop(STUB_QUEUE(queue), value)
#define bpf_map_lookup_elem(map, key)		    stub_lookup(STUB_MAP(map), key)
#define bpf_map_update_elem(map, key, value, flags) stub_update(STUB_MAP(map), key, value, flags)
#define bpf_map_delete_elem(map, key)		    stub_delete(STUB_MAP(map), key)

/* For tests: how full a queue is, how full a hash is and may be, and every element of it. */
#define stub_queued(queue)     (STUB_QUEUE(queue)->count)
#define stub_count(map)	       HASH_COUNT(STUB_MAP(map)->elements)
#define stub_limit(map, count) (STUB_MAP(map)->max = (count))
#define stub_for_each(map_, element_)                                                                                  \
	for (struct stub_element *element_ = STUB_MAP(map_)->elements; element_; element_ = element_->hh.next)
#define stub_value(map, element) stub_element_value(STUB_MAP(map), element)

/* --- ring --- */

/* What a record takes in the kernel's ring. */
static STUB_UNUSED size_t stub_ring_bytes(size_t size)
{
	return 8 + (size + 7) / 8 * 8;
}

static STUB_UNUSED void *stub_ring_reserve(size_t size)
{
	struct stub_record *record;

	if (stub.ring_used + stub_ring_bytes(size) > stub.ring_capacity - 1)
		return NULL;
	record = malloc(sizeof(*record) + size);
	memset(record->data, 0xa5, size);
	record->next = NULL;
	record->size = size;
	record->state = STUB_BUSY;
	if (stub.last)
		stub.last->next = record;
	else
		stub.first = record;
	stub.last = record;
	stub.ring_used += stub_ring_bytes(size);
	return record->data;
}

static STUB_UNUSED void stub_ring_finish(void *data, enum stub_record_state state, u64 flags)
{
	struct stub_record *record = (struct stub_record *)((u8 *)data - offsetof(struct stub_record, data));

	if (record->state != STUB_BUSY)
		abort();
	record->state = state;
	stub.wakeups += flags == BPF_RB_FORCE_WAKEUP;
}

static STUB_UNUSED long stub_ring_output(const void *data, size_t size, u64 flags)
{
	void *space = stub_ring_reserve(size);

	if (!space)
		return -EAGAIN;
	memcpy(space, data, size);
	stub_ring_finish(space, STUB_READY, flags);
	return 0;
}

#define bpf_ringbuf_reserve(ring, size, flags)	    ((void)(ring), stub_ring_reserve(size))
#define bpf_ringbuf_submit(data, flags)		    stub_ring_finish(data, STUB_READY, flags)
#define bpf_ringbuf_discard(data, flags)	    stub_ring_finish(data, STUB_DISCARDED, flags)
#define bpf_ringbuf_output(ring, data, size, flags) ((void)(ring), stub_ring_output(data, size, flags))
#define bpf_ringbuf_query(ring, what)		    ((void)(ring), (void)(what), (u64)stub.ring_used)

/* The next event in order, as a reader sees it; NULL when there is none (yet). Valid until the next call. */
static STUB_UNUSED const void *stub_ring_next(size_t *ret_size)
{
	free(stub.taken);
	stub.taken = NULL;
	while (stub.first && stub.first->state != STUB_BUSY) {
		struct stub_record *record = stub.first;

		stub.first = record->next;
		if (!stub.first)
			stub.last = NULL;
		stub.ring_used -= stub_ring_bytes(record->size);
		if (record->state == STUB_READY) {
			stub.taken = record;
			*ret_size = record->size;
			return record->data;
		}
		free(record);
	}
	return NULL;
}

/* --- the rest --- */

static STUB_UNUSED u64 stub_random(void)
{
	return chance_next(&stub.random);
}

/* As the kernel's: what cannot be read as a whole is filled with zeros. */
static STUB_UNUSED long bpf_probe_read_user(void *to, u32 size, const void *from)
{
	u64 start = (uintptr_t)from;

	if (start >= stub.calls && start + size <= stub.calls_end) {
		memset(to, 0xe8, size);
		return 0;
	}
	if (start < STUB_FAULT_BELOW || start + size < start ||
	    (stub.memory_end && (start < stub.memory || start + size > stub.memory_end))) {
		memset(to, 0, size);
		return -EFAULT;
	}
	memcpy(to, from, size);
	return 0;
}

/* As the kernel's: the length with the end, `size` at most, and the end is always there. */
static STUB_UNUSED long bpf_probe_read_user_str(void *to, u32 size, const void *from)
{
	char *bytes = to;

	for (u32 i = 0; i < size; i++) {
		if (bpf_probe_read_user(bytes + i, 1, (const char *)from + i))
			return -EFAULT;
		if (!bytes[i])
			return i + 1;
	}
	bytes[size - 1] = 0;
	return size;
}

static STUB_UNUSED long bpf_core_read(void *to, u32 size, const void *from)
{
	memcpy(to, from, size);
	return 0;
}

static STUB_UNUSED long bpf_probe_read_kernel(void *to, u32 size, const void *from)
{
	return bpf_core_read(to, size, from);
}

static STUB_UNUSED long bpf_loop(u32 count, long (*step)(u32 number, void *arg), void *arg, u64 flags)
{
	u32 done = 0;

	if (flags)
		return -EINVAL;
	while (done < count)
		if (step(done++, arg))
			break;
	return done;
}

static STUB_UNUSED long bpf_find_vma(struct task_struct *current, u64 addr,
				     long (*each)(struct task_struct *, struct vm_area_struct *, void *), void *arg,
				     u64 flags)
{
	if (flags)
		return -EINVAL;
	for (u32 i = 0; i < stub.vma_count; i++) {
		if (addr < stub.vmas[i].vm_start || addr >= stub.vmas[i].vm_end)
			continue;
		each(current, &stub.vmas[i], arg);
		return 0;
	}
	return -ENOENT;
}

/* The only task there is has the only value; `stub.storage_full`: no memory for one. */
static STUB_UNUSED void *stub_task_storage(struct stub_map *map, u64 flags)
{
	u32 task = 0;

	if (!map->count && (!flags || stub.storage_full))
		return NULL;
	map->count = 1;
	return stub_row(map, task, 0);
}

#define bpf_task_storage_get(map, task, initial, flags)                                                                \
	((void)(task), (void)(initial),                                                                                \
	 stub_task_storage(stub_map_get(map, BPF_MAP_TYPE_ARRAY, sizeof(u32), sizeof(*(map)->value), 1), flags))

static STUB_UNUSED long bpf_get_current_comm(void *to, u32 size)
{
	memcpy(to, stub.comm, size < sizeof(stub.comm) ? size : sizeof(stub.comm));
	return 0;
}

#define bpf_get_prandom_u32()	   ((u32)(stub_random() >> 32))
#define bpf_ktime_get_ns()	   (++stub.now_ns)
#define bpf_get_current_pid_tgid() (stub.pid_tgid)
#define bpf_get_current_task()	   ((u64)(uintptr_t)stub.task)
#define bpf_get_current_task_btf() (stub.task)
#define bpf_get_smp_processor_id() (stub.cpu)
#define bpf_get_attach_cookie(ctx) ((void)(ctx), stub.cookie)
#define bpf_get_func_ip(ctx)	   ((void)(ctx), stub.func_ip)

/* Everything as after loading: empty maps, an empty ring of that many bytes. */
static STUB_UNUSED void stub_reset(size_t ring_capacity)
{
	size_t size;

	for (u32 i = 0; i < stub.map_count; i++) {
		struct stub_element *element, *next;

		HASH_ITER (hh, stub.maps[i].elements, element, next) {
			HASH_DEL(stub.maps[i].elements, element);
			free(element);
		}
		free(stub.maps[i].rows);
	}
	while (stub_ring_next(&size))
		;
	if (stub.first)
		abort();
	memset(&stub, 0, sizeof(stub));
	stub.task = &stub_task;
	stub.ring_capacity = ring_capacity;
	stub.random = 1;
}
