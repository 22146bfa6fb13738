/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/json_memory.h"

#include <math.h>
#include <stdio.h>

/* --- writing --- */

static void write_amount(struct json *json, const struct memory_amount *amount)
{
	json_u64(json, "resident_bytes", amount->resident);
	json_u64(json, "swap_bytes", amount->swap);
	json_u64(json, "hugetlb_bytes", amount->hugetlb);
}

static void write_parts(struct json *json, const struct memory_parts *parts)
{
	json_object(json, "parts");
	for (unsigned int i = 0; i < MEMORY_PART_MAX; i++) {
		json_object(json, memory_part_names[i]);
		write_amount(json, &parts->part[i]);
		json_close(json);
	}
	json_close(json);
	json_array(json, "others");
	for (u32 i = 0; i < parts->other_count; i++) {
		json_object(json, NULL);
		json_text(json, "name", parts->others[i].name);
		json_u64(json, "mappings", parts->others[i].mappings);
		write_amount(json, &parts->others[i].amount);
		json_close(json);
	}
	json_close(json);
}

void json_memory_write(struct json *json, const struct memory_parts *parts)
{
	struct memory_amount sum = memory_sum(parts);

	if (!parts->known) {
		json_null(json, "memory");
		return;
	}
	json_object(json, "memory");
	json_u64(json, "read_unix_ns", parts->read_unix_ns);
	json_u64(json, "processes", parts->processes);
	write_amount(json, &sum);
	json_u64(json, "share_bytes", parts->share);
	json_u64_if(json, "counter_bytes", parts->counter, parts->counter);
	json_u64_if(json, "inuse_space", parts->inuse_known, parts->inuse);
	json_double(json, "inuse_standard_error", parts->inuse_known ? parts->inuse_error : NAN);
	json_u64_if(json, "kept_bytes", parts->inuse_known, memory_kept(parts));
	json_u64_if(json, "free_bytes", parts->free_known, parts->free);
	json_u64_if(json, "untouched_bytes", parts->inuse_known, memory_untouched(parts));
	json_u64(json, "heap_lazy_bytes", parts->heap_lazy);
	json_u64(json, "stack_mappings", parts->stacks);
	write_parts(json, parts);
	json_close(json);
}

void json_memory_group_write(struct json *json, const struct cgroup_usage *usage)
{
	if (!usage->known) {
		json_null(json, "group_memory");
		return;
	}
	json_object(json, "group_memory");
	json_u64(json, "used_bytes", usage->used);
	json_u64_if(json, "limit_bytes", usage->limit, usage->limit);
	json_u64(json, "anon_bytes", usage->anon);
	json_u64(json, "file_bytes", usage->file);
	json_u64(json, "kernel_bytes", usage->kernel);
	json_u64(json, "sock_bytes", usage->sock);
	json_u64(json, "swap_bytes", usage->swap);
	json_close(json);
}

/* --- reading --- */

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* 0 for what is no size. */
static double size_of(const cJSON *object, const char *name)
{
	const cJSON *item = member(object, name);

	return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble < 0x1p63 ? item->valuedouble : 0;
}

static u64 number(const cJSON *object, const char *name)
{
	return (u64)size_of(object, name);
}

static struct memory_amount amount_of(const cJSON *object)
{
	return (struct memory_amount){
		.resident = number(object, "resident_bytes"),
		.swap = number(object, "swap_bytes"),
		.hugetlb = number(object, "hugetlb_bytes"),
	};
}

static void read_others(const cJSON *list, struct memory_parts *parts)
{
	const cJSON *row;

	cJSON_ArrayForEach (row, list) {
		const cJSON *name = member(row, "name");
		struct memory_other other = {.mappings = (u32)number(row, "mappings"), .amount = amount_of(row)};

		if (!cJSON_IsString(name))
			continue;
		snprintf(other.name, sizeof(other.name), "%s", name->valuestring);
		memory_add_other(parts, &other);
	}
}

struct memory_parts json_memory_read(const cJSON *memory)
{
	const cJSON *parts_read = member(memory, "parts");
	struct memory_parts parts = {
		.known = cJSON_IsObject(memory),
		.processes = (u32)number(memory, "processes"),
		.read_unix_ns = number(memory, "read_unix_ns"),
		.stacks = (u32)number(memory, "stack_mappings"),
		.share = number(memory, "share_bytes"),
		.heap_lazy = number(memory, "heap_lazy_bytes"),
		.counter = number(memory, "counter_bytes"),
		.inuse_known = cJSON_IsNumber(member(memory, "inuse_space")),
		.inuse = number(memory, "inuse_space"),
		.inuse_error = size_of(memory, "inuse_standard_error"),
		.free_known = cJSON_IsNumber(member(memory, "free_bytes")),
		.free = number(memory, "free_bytes"),
	};

	for (unsigned int i = 0; i < MEMORY_PART_MAX; i++)
		parts.part[i] = amount_of(member(parts_read, memory_part_names[i]));
	read_others(member(memory, "others"), &parts);
	return parts;
}

struct cgroup_usage json_memory_group_read(const cJSON *group)
{
	return (struct cgroup_usage){
		.known = cJSON_IsObject(group),
		.used = number(group, "used_bytes"),
		.limit = number(group, "limit_bytes"),
		.anon = number(group, "anon_bytes"),
		.file = number(group, "file_bytes"),
		.kernel = number(group, "kernel_bytes"),
		.sock = number(group, "sock_bytes"),
		.swap = number(group, "swap_bytes"),
	};
}
