/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The step itself is include/unwind.h's, as in the programs. */
#include "unwind/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "include/stackcut.h"
#include "include/unwind_code.h"
#include "binary/elf.h"
#include "system/address_map.h"
#include "system/process_memory.h"

static int read_word(void *arg, u64 addr, u64 *ret_value)
{
	const struct event_raw *event = arg;
	u64 offset = addr - event->sp;

	if (event->size < sizeof(*ret_value) || offset > event->size - sizeof(*ret_value))
		return -EFAULT;
	memcpy(ret_value, event->bytes + offset, sizeof(*ret_value));
	return 0;
}

UNWIND_DEFINE_STEP(read_word)

struct walk {
	struct unwind_tables *tables;
	const struct address_map *mappings;
	const struct event_raw *event;
	struct unwind_registers registers;
	pid_t pid;
	int memory; /* of the process, where code is in no file; -1: not opened yet, or not to be had */
	bool exact; /* the ip of a frame that a signal interrupted is no return address */
	bool frame_pointer;
};

static ssize_t read_memory(struct walk *walk, u64 address, void *buffer, size_t size)
{
	if (walk->memory < 0)
		walk->memory = process_memory_open(walk->pid, O_RDONLY);
	return walk->memory < 0 ? -1 : pread(walk->memory, buffer, size, (off_t)address);
}

/* The code at `address`: that of the file, or what the process has there now. Bytes that could not be had are 0; how many could. */
static size_t read_code(struct walk *walk, u64 address, void *buffer, size_t size)
{
	const struct mapping *mapping = address_map_find(walk->mappings, address, walk->event->header.time_ns);
	ssize_t count;

	memset(buffer, 0, size);
	if (!mapping)
		return 0;
	if (size > mapping->end - address)
		size = mapping->end - address;
	if (mapping->elf)
		count = elf_read(mapping->elf, address - mapping->start + mapping->file_offset, buffer, size);
	else
		count = read_memory(walk, address, buffer, size);
	return count > 0 ? (size_t)count : 0;
}

/* Whether a call may return to `ip`: one is before it, or HotSpot goes on there without one. */
static bool is_returned_to(struct walk *walk, u64 ip)
{
	u8 before[UNWIND_CALL_BYTES], behind[UNWIND_BEHIND_BYTES];

	return (read_code(walk, ip - sizeof(before), before, sizeof(before)) == sizeof(before) &&
		unwind_is_call(before)) ||
	       (read_code(walk, ip, behind, sizeof(behind)) && unwind_is_hotspots(behind, ip));
}

/* Code without a rule leaves its frame at once, as is to be seen, or may keep a frame pointer. */
static enum unwind_end find_rule_of_code(struct walk *walk, const struct mapping *mapping, struct unwind_rule *ret_rule)
{
	u64 bp = walk->registers.bp, ip;
	u8 behind[UNWIND_BEHIND_BYTES];

	if (!walk->exact && read_code(walk, walk->registers.ip, behind, sizeof(behind)) &&
	    unwind_leaves(behind, ret_rule))
		return UNWIND_GOES_ON;
	if (mapping->frameless || bp < walk->registers.sp || bp % sizeof(u64) ||
	    read_word((void *)walk->event, bp + sizeof(u64), &ip) || !is_returned_to(walk, ip))
		return UNWIND_NO_RULE;
	*ret_rule = UNWIND_FRAME_POINTER;
	walk->frame_pointer = true;
	return UNWIND_GOES_ON;
}

/* The rule at the frame's code; UNWIND_GOES_ON when *ret_rule is set. */
static enum unwind_end find_rule(struct walk *walk, struct unwind_rule *ret_rule)
{
	u64 address = walk->registers.ip - !walk->exact, argc;
	const struct mapping *mapping = address_map_find(walk->mappings, address, walk->event->header.time_ns);
	int err;

	if (!mapping)
		return UNWIND_NO_MAPPING;
	if (!mapping->elf)
		return find_rule_of_code(walk, mapping, ret_rule);
	err = unwind_tables_rule(walk->tables, mapping->elf, address - mapping->start + mapping->file_offset, ret_rule);
	if (err && err != -ENOENT)
		return UNWIND_NO_TABLE;
	if (!err && ret_rule->cfa != CFA_UNKNOWN)
		return UNWIND_GOES_ON;
	if (!err && !walk->registers.bp && !read_word((void *)walk->event, walk->registers.sp, &argc) &&
	    argc < UNWIND_ARGC_MAX)
		return UNWIND_COMPLETE;
	return find_rule_of_code(walk, mapping, ret_rule);
}

enum unwind_end walk_raw(struct unwind_tables *tables, const struct address_map *mappings, pid_t pid,
			 const struct event_raw *event, u64 *ip, u32 *ret_depth, bool *ret_frame_pointer)
{
	struct walk walk = {
		.tables = tables,
		.mappings = mappings,
		.event = event,
		.pid = pid,
		.memory = -1,
		.registers = {.ip = event->ip, .sp = event->sp, .bp = event->bp, .bx = event->bx},
	};
	enum unwind_end end = UNWIND_GOES_ON;
	u64 spare[STACK_ROOT_MAX];
	u32 depth = 0;

	if (event->allocator)
		ip[depth++] = event->allocator;
	while (end == UNWIND_GOES_ON && depth < STACK_WALK_MAX) {
		struct unwind_rule rule;

		ip[stack_place(depth++)] = walk.registers.ip + walk.exact;
		end = find_rule(&walk, &rule);
		if (end != UNWIND_GOES_ON)
			break;
		walk.exact = rule.cfa == CFA_SIGNAL;
		end = UNWIND_STEP(&walk.registers, &rule, read_word, (void *)event);
	}
	if (walk.memory >= 0)
		close(walk.memory);
	*ret_depth = depth;
	*ret_frame_pointer = walk.frame_pointer;
	return depth > STACK_DEPTH_MAX ? stack_cut(ip, ret_depth, end, spare) : end;
}
