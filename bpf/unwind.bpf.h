/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Walks the user stack by the tables of include/unwind.h, in one go: one call of the loop is one frame. It reads words
 * out of a snapshot of the stack, taken a page at a time as the walk gets there, since a copy of a page costs two reads
 * of a word.
 *
 * Functions that are neither static nor inlined are verified once instead of wherever they are called from; without
 * them the searches within the loop are more than the verifier will follow.
 *
 * x86-64. Another architecture provides: include/unwind.h's registers, rules and step (with the return address in a
 * register at the leaf, and signed return addresses stripped, where it has them), and here the start from pt_regs and
 * the rule for frame pointers.
 */
#include <bpf/bpf_core_read.h>

#include "include/stackcut.h"
#include "include/unwind_code.h"
#include "emit.bpf.h"
#include "hidden.bpf.h"
#include "snapshot.bpf.h"
#include "vma.bpf.h"

#define UNWIND_SEARCH_STEPS 17 /* of a binary search over 65536 */
#define UNWIND_BY_VMA	    ~0ULL

UNWIND_DEFINE_STEP(unwind_read)

/* The mapping that holds `addr` among those of one process (as in struct scope); UNWIND_NOTHING: none. */
__weak __noinline u32 unwind_find_mapping(u64 mappings, u64 addr)
{
	u32 low = mappings >> 32, high = low + (u32)mappings;

	for (u32 i = 0; i < UNWIND_SEARCH_STEPS && low < high; i++) {
		u32 middle = low + (high - low) / 2;
		const struct unwind_mapping *mapping = bpf_map_lookup_elem(&unwind_mappings, &middle);

		if (!mapping)
			break;
		if (addr < mapping->start)
			high = middle;
		else if (addr >= mapping->end)
			low = middle + 1;
		else
			return middle;
	}
	return UNWIND_NOTHING;
}

static __always_inline u32 unwind_table_word(u32 index)
{
	u32 pair = index / 2;
	const struct unwind_words *words = bpf_map_lookup_elem(&unwind_rows, &pair);

	return words ? words->word[index % 2] : 0;
}

/* The rule in force at an offset of the file that the table is for; UNWIND_NOTHING: the file has no code there. */
__weak __noinline u32 unwind_find_rule(u32 table, u64 offset)
{
	u32 page = offset >> UNWIND_PAGE_SHIFT, wanted = offset & ((1 << UNWIND_PAGE_SHIFT) - 1), low, high;

	if (offset >> UNWIND_PAGE_SHIFT >= unwind_table_word(table))
		return UNWIND_NOTHING;
	low = table + unwind_table_word(table + 1 + page);
	high = table + unwind_table_word(table + 2 + page);
	if (low >= high)
		return UNWIND_NOTHING;
	/* Always: the row at low is at or before the offset (a page begins with one of 0), that at high is after it. */
	for (u32 i = 0; i < UNWIND_SEARCH_STEPS && high - low > 1; i++) {
		u32 middle = low + (high - low) / 2;

		if ((unwind_table_word(middle) & 0xffff) <= wanted)
			low = middle;
		else
			high = middle;
	}
	return unwind_table_word(low) >> 16;
}

/*
 * The same, remembered. The table and its number are read at once, so that nothing is remembered of one that another says; words are
 * written whole, by whoever comes, and say what they are about.
 */
static __always_inline u32 unwind_rule_at(const struct unwind_mapping *mapping, u64 offset)
{
	u64 both = *(const volatile u64 *)&mapping->table_and_flags, known, name, *word;
	u32 number = both >> 32 >> UNWIND_NUMBER_SHIFT, place = unwind_found_place(number, offset), rule;

	name = unwind_found_name(number, offset);
	word = bpf_map_lookup_elem(&unwind_found, &place);
	known = word ? *(volatile u64 *)word : 0;
	if (name && known >> 16 == name)
		return (u16)known;
	rule = unwind_find_rule((u32)both, offset);
	if (word && name && rule != UNWIND_NOTHING)
		*(volatile u64 *)word = name << 16 | rule;
	return rule;
}

/*
 * Where a signal interrupted the trampoline itself: the return address it is about to go to, or has come to, 0 if it is
 * not there. From 6.11 on it is, at the offsets given, 0 push, 1 push, 2 push, 4 mov, 11 syscall, 13 pop, 15 pop, 16
 * ret; the call writes the return address over the word pushed first. Before, it is one trap.
 */
__weak __noinline u64 unwind_interrupted_return(struct scratch *scratch)
{
	u64 trampoline = hidden_trampoline(), offset, words, place, original = 0;

	if (!scratch)
		return 0;
	offset = scratch->walk.registers.ip - trampoline;
	if (!trampoline || offset > 16)
		return 0;
	words = offset < 2 ? offset : offset == 2 || offset == 15 ? 2 : offset == 16 ? 1 : 3;
	place = scratch->walk.registers.sp + words * sizeof(u64) - sizeof(u64);
	if (offset < 13)
		original = hidden_return(place);
	else if (!unwind_load(scratch, place))
		original = scratch->walk.word;
	if (original)
		scratch->walk.registers.sp = place + sizeof(u64);
	return original;
}

struct unhiding {
	struct scratch *scratch;
	u64 trampoline;
};

static long unwind_unhide_word(u32 number, void *arg)
{
	struct unhiding *unhiding = arg;
	u64 *words = (void *)unhiding->scratch->raw.bytes, original;
	u32 i = number % (RAW_STACK_BYTES / sizeof(u64));

	if (words[i] != unhiding->trampoline)
		return 0;
	original = hidden_return(unhiding->scratch->raw.sp + i * sizeof(u64));
	if (original)
		words[i] = original;
	return 0;
}

/* Put the return addresses that probes hide back into the snapshot. */
__weak __noinline int unwind_unhide(struct scratch *scratch)
{
	struct unhiding unhiding = {.scratch = scratch, .trampoline = hidden_trampoline()};

	if (scratch && unhiding.trampoline)
		bpf_loop(scratch->raw.size / sizeof(u64), unwind_unhide_word, &unhiding, 0);
	return 0;
}

/* The mapping of the code at `addr`, usually that of the frame before; NULL: it is in none. */
static __always_inline const struct unwind_mapping *unwind_mapping_of(struct scratch *scratch, u64 addr)
{
	struct unwind_walk *walk = &scratch->walk;
	u32 index = walk->mapping;
	const struct unwind_mapping *mapping;

	if (walk->by_vma)
		return unwind_find_vma(scratch, addr) ? &scratch->vma : NULL;
	mapping = bpf_map_lookup_elem(&unwind_mappings, &index);
	if (mapping && addr >= mapping->start && addr < mapping->end)
		return mapping;
	index = unwind_find_mapping(walk->mappings, addr);
	mapping = bpf_map_lookup_elem(&unwind_mappings, &index);
	if (mapping)
		walk->mapping = index;
	return mapping;
}

/* Whether a call is before `ip`. This and the next are two, since there is little room on the stack of the programs. */
__weak __noinline int unwind_follows_call(u64 ip)
{
	u8 before[UNWIND_CALL_BYTES + 1] = {};

	return !bpf_probe_read_user(before, UNWIND_CALL_BYTES, (void *)(ip - UNWIND_CALL_BYTES)) &&
	       unwind_is_call(before);
}

/* Whether HotSpot goes on there without a call. */
__weak __noinline int unwind_follows_jump(struct scratch *scratch, u64 ip)
{
	return scratch && !bpf_probe_read_user(scratch->behind, UNWIND_BEHIND_BYTES, (void *)ip) &&
	       unwind_is_hotspots(scratch->behind, ip);
}

/*
 * Whether what stands behind the return address says how its frame is left, scratch->rule then being that. A mapping may end behind the
 * first few bytes; what is not there is 0.
 */
__weak __noinline int unwind_leaves_behind(struct scratch *scratch)
{
	void *ip;

	if (!scratch)
		return 0;
	ip = (void *)scratch->walk.registers.ip;
	__builtin_memset(scratch->behind, 0, UNWIND_BEHIND_BYTES);
	if (bpf_probe_read_user(scratch->behind, UNWIND_BEHIND_BYTES, ip))
		bpf_probe_read_user(scratch->behind, UNWIND_BEHIND_BYTES_MIN, ip);
	return unwind_leaves(scratch->behind, &scratch->rule);
}

/*
 * Code that no table tells about leaves its frame at once, as is to be seen, or keeps a frame pointer if we are lucky: if bp
 * points up the stack, to where a word is that a call left. (Its page may be missing, but not where the program is about to
 * go on.)
 */
static __always_inline enum unwind_end unwind_without_rule(struct scratch *scratch,
							   const struct unwind_mapping *mapping)
{
	struct unwind_walk *walk = &scratch->walk;
	u64 bp = walk->registers.bp, ip;

	if (walk->exact || !unwind_leaves_behind(scratch)) {
		if (mapping->flags & UNWIND_MAPPING_FRAMELESS || bp < walk->registers.sp || bp % sizeof(u64) ||
		    unwind_read(scratch, bp + sizeof(u64), &ip) ||
		    !(unwind_follows_call(ip) || unwind_follows_jump(scratch, ip)))
			return UNWIND_NO_RULE;
		scratch->rule = UNWIND_FRAME_POINTER;
		walk->frame_pointer = 1;
	}
	walk->exact = 0;
	return UNWIND_STEP(&walk->registers, &scratch->rule, unwind_read, scratch);
}

/* From a frame, whose code is at `addr` in `mapping`, to its caller. */
static __always_inline enum unwind_end unwind_step(struct scratch *scratch, const struct unwind_mapping *mapping,
						   u64 addr)
{
	struct unwind_walk *walk = &scratch->walk;
	const struct unwind_rule *rule;
	u32 index;
	u64 argc;

	/* What is in no mapping may have been mapped a moment ago. */
	if (!mapping || (!mapping->table && !(mapping->flags & UNWIND_MAPPING_NO_TABLE)))
		return UNWIND_NO_TABLE;
	if (!mapping->table)
		return unwind_without_rule(scratch, mapping);
	index = unwind_rule_at(mapping, addr - mapping->start + mapping->file_offset);
	if (walk->by_vma && !unwind_table_stayed(scratch))
		return UNWIND_NO_TABLE;
	rule = bpf_map_lookup_elem(&unwind_rules, &index);
	if (!rule)
		return unwind_without_rule(scratch, mapping);
	if (rule->cfa == CFA_UNKNOWN) {
		if (!walk->registers.bp && !unwind_read(scratch, walk->registers.sp, &argc) && argc < UNWIND_ARGC_MAX)
			return UNWIND_COMPLETE;
		return unwind_without_rule(scratch, mapping);
	}
	walk->exact = rule->cfa == CFA_SIGNAL;
	return UNWIND_STEP(&walk->registers, rule, unwind_read, scratch);
}

/* One frame: write it down, go on to its caller. */
static long unwind_frame(u32 number, void *arg)
{
	struct scratch *scratch = *(struct scratch **)arg;
	struct unwind_walk *walk = &scratch->walk;
	u64 addr = walk->registers.ip - !walk->exact, original = 0;
	u32 frame = number + walk->shown;
	const struct unwind_mapping *mapping = unwind_mapping_of(scratch, addr);

	/* The place of the word that was the return address is that below the caller's stack. */
	if (number && (!mapping || !mapping->table))
		original = walk->exact ? unwind_interrupted_return(scratch)
				       : hidden_return(walk->registers.sp - sizeof(u64));
	if (original) {
		walk->registers.ip = original;
		walk->exact = 0;
		addr = original - 1;
		mapping = unwind_mapping_of(scratch, addr);
	}
	scratch->stack.ip[stack_place(frame) % (STACK_DEPTH_MAX)] = walk->registers.ip + walk->exact;
	walk->depth = frame + 1;
	walk->end = unwind_step(scratch, mapping, addr);
	return walk->end != UNWIND_GOES_ON;
}

/*
 * The frames of the current stack, `at` being where the thread is, into scratch->stack.ip, their number into walk.depth, and how it ended into walk.end
 * (UNWIND_GOES_ON: not within STACK_WALK_MAX). More than STACK_DEPTH_MAX are where stack_place() says.
 * `allocator`: an address to be shown as the leaf, as a return address; 0: none. `entered`: the registers are those at the
 * entry of a function, before it has touched the stack, and not those of its return. `mappings`: the list to go by, as in struct
 * scope; UNWIND_BY_VMA: none, the kernel's own mappings as they are now.
 */
static __always_inline void unwind(const struct unwind_registers *at, u64 mappings, u64 allocator, bool entered,
				   struct scratch *scratch)
{
	struct unwind_walk *walk = &scratch->walk;
	u64 return_ip = 0, hidden = entered ? hidden_at_entry(at->sp) : 0;

	walk->registers.ip = scratch->raw.ip = at->ip;
	walk->registers.sp = scratch->raw.sp = at->sp;
	walk->registers.bp = scratch->raw.bp = at->bp;
	walk->registers.bx = scratch->raw.bx = at->bx;
	if (entered && !bpf_probe_read_user(&return_ip, sizeof(return_ip), (void *)at->sp)) {
		walk->registers.ip = scratch->raw.ip = hidden ? hidden : return_ip;
		walk->registers.sp = scratch->raw.sp = at->sp + sizeof(u64);
	}
	walk->registers.signal = 0;
	walk->mappings = mappings;
	walk->mapping = UNWIND_NOTHING;
	walk->by_vma = mappings == UNWIND_BY_VMA;
	scratch->vma.start = scratch->vma.end = 0;
	walk->shown = allocator != 0;
	walk->depth = 0;
	walk->end = UNWIND_GOES_ON;
	walk->exact = 0;
	walk->frame_pointer = 0;
	scratch->raw.allocator = scratch->stack.ip[0] = allocator;
	unwind_snapshot_from(scratch, scratch->raw.sp);
	bpf_loop(STACK_WALK_MAX - walk->shown, unwind_frame, &scratch, 0);
}
