/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The step itself is include/unwind.h's, as in the programs. */
#include "unwind/walk.h"

#include <errno.h>
#include <string.h>

#include "binary/elf.h"
#include "system/address_map.h"

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
	bool exact; /* the ip of a frame that a signal interrupted is no return address */
	bool frame_pointer;
};

/* Whether `ip` may be a return address: where the code is in a file, a call is before it. */
static bool is_returned_to(const struct walk *walk, u64 ip)
{
	const struct mapping *mapping = address_map_find(walk->mappings, ip - 1, walk->event->header.time_ns);
	u64 offset = mapping ? ip - mapping->start + mapping->file_offset : 0;
	u8 code[UNWIND_CALL_BYTES];

	if (!mapping || !mapping->elf)
		return mapping;
	return offset >= sizeof(code) &&
	       elf_read(mapping->elf, offset - sizeof(code), code, sizeof(code)) == sizeof(code) &&
	       unwind_is_call(code);
}

/* Code without a rule may keep a frame pointer. */
static enum unwind_end find_frame_pointer(struct walk *walk, struct unwind_rule *ret_rule)
{
	u64 bp = walk->registers.bp, ip;

	if (bp < walk->registers.sp || bp % sizeof(u64) || read_word((void *)walk->event, bp + sizeof(u64), &ip) ||
	    !is_returned_to(walk, ip))
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
		return find_frame_pointer(walk, ret_rule);
	err = unwind_tables_rule(walk->tables, mapping->elf, address - mapping->start + mapping->file_offset, ret_rule);
	if (err && err != -ENOENT)
		return UNWIND_NO_TABLE;
	if (!err && ret_rule->cfa != CFA_UNKNOWN)
		return UNWIND_GOES_ON;
	if (!err && !walk->registers.bp && !read_word((void *)walk->event, walk->registers.sp, &argc) &&
	    argc < UNWIND_ARGC_MAX)
		return UNWIND_COMPLETE;
	return find_frame_pointer(walk, ret_rule);
}

enum unwind_end walk_raw(struct unwind_tables *tables, const struct address_map *mappings,
			 const struct event_raw *event, u64 *ip, u32 *ret_depth, bool *ret_frame_pointer)
{
	struct walk walk = {
		.tables = tables,
		.mappings = mappings,
		.event = event,
		.registers = {.ip = event->ip, .sp = event->sp, .bp = event->bp, .bx = event->bx},
	};
	enum unwind_end end = UNWIND_GOES_ON;
	u32 depth = 0;

	if (event->allocator)
		ip[depth++] = event->allocator;
	while (end == UNWIND_GOES_ON && depth < STACK_DEPTH_MAX) {
		struct unwind_rule rule;

		ip[depth++] = walk.registers.ip + walk.exact;
		end = find_rule(&walk, &rule);
		if (end != UNWIND_GOES_ON)
			break;
		walk.exact = rule.cfa == CFA_SIGNAL;
		end = UNWIND_STEP(&walk.registers, &rule, read_word, (void *)event);
	}
	*ret_depth = depth;
	*ret_frame_pointer = walk.frame_pointer;
	return end == UNWIND_GOES_ON ? UNWIND_TRUNCATED : end;
}
