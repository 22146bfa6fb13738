/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unwinding raw stacks in user space; used by follow. The step itself is include/unwind.h's, as in the programs. */
#include "unwind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mapping.h"

#define WAITS_MAX 16 /* for tables, at the end: where there is no room for all that a stack needs, they come and go */

/* Of all stacks that wait, together: a thousand at least. */
#define WAITING_BYTES_MAX (16U << 20)

/* A raw stack that waits for a table, or for word of a mapping. */
struct raw {
	struct raw *next;
	bool looked_at;
	struct event_raw event;
};

struct unwinder {
	struct table_set *tables;
	struct recorder *recorder;
	struct raw *first, **last; /* oldest first */
	size_t bytes;		   /* what they take */
};

struct unwinder *unwinder_new(struct table_set *tables, struct recorder *recorder)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder)
		return NULL;
	unwinder->tables = tables;
	unwinder->recorder = recorder;
	unwinder->last = &unwinder->first;
	return unwinder;
}

void unwinder_free(struct unwinder *unwinder)
{
	struct raw *raw;

	if (!unwinder)
		return;
	while ((raw = unwinder->first)) {
		unwinder->first = raw->next;
		free(raw);
	}
	free(unwinder);
}

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

static const struct unwind_rule frame_pointer_rule = {.cfa = CFA_BP, .bp = BP_SAVED, .bp_offset = -16, .offset = 16};

/* The rule at `address`; UNWIND_GOES_ON when *ret_rule is set. Code without a file or table may keep frame pointers. */
static enum unwind_end find_rule(struct table_set *tables, const struct mapping_table *mappings, u64 address,
				 u64 time_ns, const struct unwind_registers *registers, struct unwind_rule *ret_rule,
				 bool *ret_guessed)
{
	const struct mapping *mapping = mapping_table_find(mappings, address, time_ns);
	int err = -ENOENT;

	if (mapping && mapping->elf)
		err = table_set_rule(tables, mapping->elf, address - mapping->start + mapping->file_offset, ret_rule);
	if (err && err != -ENOENT)
		return UNWIND_NO_TABLE;
	if (!err)
		return UNWIND_GOES_ON;
	if (!mapping || registers->bp <= registers->sp)
		return mapping ? UNWIND_NO_RULE : UNWIND_NO_MAPPING;
	*ret_rule = frame_pointer_rule;
	*ret_guessed = true;
	return UNWIND_GOES_ON;
}

static enum unwind_end walk(struct table_set *tables, const struct mapping_table *mappings,
			    const struct event_raw *event, u64 *ip, u32 *ret_depth, bool *ret_guessed)
{
	struct unwind_registers registers = {.ip = event->ip, .sp = event->sp, .bp = event->bp};
	enum unwind_end end = UNWIND_GOES_ON;
	bool exact = false; /* the ip of a frame that a signal interrupted is no return address */
	u32 depth = 0;

	*ret_guessed = false;
	while (end == UNWIND_GOES_ON && depth < STACK_DEPTH_MAX) {
		struct unwind_rule rule;
		u64 argc;

		ip[depth++] = registers.ip + exact;
		end = find_rule(tables, mappings, registers.ip - !exact, event->header.time_ns, &registers, &rule,
				ret_guessed);
		if (end == UNWIND_GOES_ON && rule.cfa == CFA_UNKNOWN && !registers.bp &&
		    !read_word((void *)event, registers.sp, &argc) && argc < UNWIND_ARGC_MAX)
			end = UNWIND_COMPLETE;
		if (end != UNWIND_GOES_ON)
			break;
		exact = rule.cfa == CFA_SIGNAL;
		end = UNWIND_STEP(&registers, &rule, read_word, (void *)event);
	}
	*ret_depth = depth;
	return end == UNWIND_GOES_ON ? UNWIND_TRUNCATED : end;
}

enum unwind_end unwind_raw(struct table_set *tables, const struct mapping_table *mappings,
			   const struct event_raw *event, u64 *ip, u32 *ret_depth)
{
	bool guessed;

	return walk(tables, mappings, event, ip, ret_depth, &guessed);
}

/* As the programs count the stacks that they walk. */
static void count_end(struct process *process, enum unwind_end end, bool guessed)
{
	static const enum counter counters[] = {
		[UNWIND_TRUNCATED] = COUNTER_STACK_TRUNCATED,	[UNWIND_NO_MAPPING] = COUNTER_STACK_NO_MAPPING,
		[UNWIND_NO_TABLE] = COUNTER_STACK_NO_TABLE,	[UNWIND_NO_RULE] = COUNTER_STACK_NO_RULE,
		[UNWIND_UNREADABLE] = COUNTER_STACK_UNREADABLE, [UNWIND_STUCK] = COUNTER_STACK_STUCK,
	};

	process->ledger[COUNTER_STACK_FRAME_POINTER] += guessed;
	if (end != UNWIND_COMPLETE)
		process->ledger[counters[end]]++;
}

/*
 * False: a table is missing still, or a mapping that may have been made after the side-band was last read: that is
 * known at the next look, and a mapping missing then will stay so.
 */
static bool unwind_one(struct unwinder *unwinder, struct raw *raw, bool all)
{
	const struct event_raw *event = &raw->event;
	struct process *process = recorder_find(unwinder->recorder, event->header.process);
	struct event_stack stack = {.header = event->header, .stack = event->stack};
	enum unwind_end end;
	bool guessed;

	if (!process)
		return true;
	end = walk(unwinder->tables, process->mappings, event, stack.ip, &stack.depth, &guessed);
	if (!all && (end == UNWIND_NO_TABLE || (end == UNWIND_NO_MAPPING && !raw->looked_at))) {
		raw->looked_at = end == UNWIND_NO_MAPPING;
		return false;
	}
	stack.header.kind = EVENT_STACK;
	stack.header.flags = end == UNWIND_TRUNCATED ? EVENT_TRUNCATED : 0;
	stack.end = end;
	count_end(process, end, guessed);
	recorder_event(unwinder->recorder, &stack.header, sizeof(stack));
	return true;
}

static size_t raw_bytes(const struct raw *raw)
{
	return offsetof(struct raw, event.bytes) + raw->event.size;
}

/* Take the stack that *link is about off the chain. */
static void drop(struct unwinder *unwinder, struct raw **link)
{
	struct raw *raw = *link;

	*link = raw->next;
	if (!raw->next)
		unwinder->last = link;
	unwinder->bytes -= raw_bytes(raw);
	free(raw);
}

static void settle(struct unwinder *unwinder, bool all)
{
	struct raw **link = &unwinder->first;

	while (*link) {
		if (unwind_one(unwinder, *link, all))
			drop(unwinder, link);
		else
			link = &(*link)->next;
	}
}

/*
 * The oldest have waited longest for what may never come. A quarter at a time, since whether the others have to wait
 * still costs a walk of each.
 */
static void relieve(struct unwinder *unwinder)
{
	settle(unwinder, false);
	while (unwinder->bytes > WAITING_BYTES_MAX / 4 * 3) {
		unwind_one(unwinder, unwinder->first, true);
		drop(unwinder, &unwinder->first);
	}
}

int unwinder_add(struct unwinder *unwinder, const struct event_raw *event, size_t size)
{
	struct raw *raw;

	if (size < offsetof(struct event_raw, bytes) || event->size > size - offsetof(struct event_raw, bytes) ||
	    event->size > sizeof(event->bytes))
		return -EBADMSG;
	raw = calloc(1, offsetof(struct raw, event.bytes) + event->size);
	if (!raw)
		return -ENOMEM;
	memcpy(&raw->event, event, offsetof(struct event_raw, bytes) + event->size);
	*unwinder->last = raw;
	unwinder->last = &raw->next;
	unwinder->bytes += raw_bytes(raw);
	if (unwinder->bytes > WAITING_BYTES_MAX)
		relieve(unwinder);
	return 0;
}

void unwinder_settle(struct unwinder *unwinder, bool all)
{
	settle(unwinder, false);
	/* A walk asks for a table where it gets to code of the file; there may be more files further on. */
	for (u32 i = 0; i < WAITS_MAX && all && unwinder->first; i++) {
		table_set_wait(unwinder->tables, -1);
		settle(unwinder, false);
	}
	if (all)
		settle(unwinder, true);
}
