/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the helpers of bpf_stub.h go by: maps, the ring, and what tests have them say. */
#include <stddef.h>

#include "base/hash.h"
#include "include/types.h"
#include "bpf/host/vmlinux.h"

#define STUB_MAPS_MAX	 16
#define STUB_KEY_WORDS	 4 /* of the longest key */
#define STUB_CPUS_MAX	 4
#define STUB_FAULT_BELOW 65536 /* user addresses that cannot be read */
#define STUB_UNUSED	 __attribute__((unused))

struct stub_element {
	UT_hash_handle hh;
	u64 data[]; /* the key, padded to whole words, then the value */
};

struct stub_map {
	const void *map;
	u32 type, key_size, value_size, max;
	struct stub_element *elements; /* of a hash */
	u8 *rows;	  /* of an array: one value a key; per CPU: STUB_CPUS_MAX values a key; of a queue: a ring */
	u32 first, count; /* of a queue: the row that is popped next, and how many there are */
};

enum stub_record_state {
	STUB_BUSY,
	STUB_READY,
	STUB_DISCARDED
};

struct stub_record {
	struct stub_record *next;
	size_t size;
	enum stub_record_state state;
	u64 data[];
};

static struct {
	struct stub_map maps[STUB_MAPS_MAX];
	u32 map_count;
	struct stub_record *first, *last, *taken;
	size_t ring_capacity, ring_used;
	u32 wakeups;
	/* what the helpers say */
	u64 now_ns, pid_tgid, cookie, func_ip, random;
	u32 cpu;
	bool storage_full; /* there is no memory for what a task keeps */
	bool newer;	   /* the kernel has the fields that bpf_core_field_exists asks for */
	char comm[16];
	struct task_struct *task;
	struct vm_area_struct *vmas; /* of the task */
	u32 vma_count;
	u64 memory, memory_end; /* the only user addresses that can be read; 0: all */
	u64 calls, calls_end;	/* but for these, where every instruction is a call */
} stub;

/* A task of which nothing is known. */
static STUB_UNUSED struct task_struct stub_task;
