/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A made-up raw stack of a few words, and a file whose rule at offset N is rules[N / 16]; this file answers what walk.c
 * asks the tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "binary/elf.h"
#include "system/address_map.h"
#include "unwind/tables.h"

static int said_rule(struct unwind_tables *set, struct elf *elf, u64 offset, struct unwind_rule *ret_rule);
static ssize_t said_bytes(const struct elf *elf, u64 offset, void *buffer, size_t size);

#define unwind_tables_rule said_rule
#define elf_read	   said_bytes
#include "unwind/walk.c"
#undef unwind_tables_rule
#undef elf_read

#define PROCESS	    3
#define STACK_ID    (RAW_STACK_ID | 9)
#define CODE	    0x400000 /* where the made-up file is mapped, its offset 0 */
#define CODE_END    0x500000
#define STACK	    0x7ffd00001000		/* where the made-up stack is */
#define OTHER_CODE  ((u64)(uintptr_t)made_code) /* mapped, without a file */
#define BEHIND_CODE (CODE_END + 1)

static struct event_raw event;
static struct address_map *mappings;
static u8 made_code[0x1000]; /* of this process; all calls at first */

static struct unwind_rule rules[64];
static int rule_error;
static u8 code_byte; /* that all of the made-up file consists of: e8 is a call */
static struct elf *const made_up = (struct elf *)rules;
static u64 *const words = (u64 *)event.bytes;

static inline int said_rule(struct unwind_tables *tables, struct elf *elf, u64 offset, struct unwind_rule *ret_rule)
{
	(void)tables;
	assert_ptr_equal(elf, made_up);
	if (rule_error)
		return rule_error;
	*ret_rule = rules[offset / 16 % 64];
	return 0;
}

static inline ssize_t said_bytes(const struct elf *elf, u64 offset, void *buffer, size_t size)
{
	assert_ptr_equal(elf, made_up);
	assert_true(offset + size <= CODE_END - CODE);
	memset(buffer, code_byte, size);
	return (ssize_t)size;
}

static inline void map(struct address_map *table, u64 start, u64 end, u64 from_ns, struct elf *elf)
{
	struct mapping mapping = {.start = start, .end = end, .from_ns = from_ns, .elf = elf};

	assert_int_equal(address_map_add(table, &mapping), 0);
}

static inline void map_made_up(struct address_map *table)
{
	map(table, CODE, CODE_END, 0, made_up);
	map(table, OTHER_CODE, OTHER_CODE + sizeof(made_code), 0, NULL);
}

/* An address whose rule is rules[number], as a return address. */
static inline u64 code(u32 number)
{
	return CODE + 16 * number + 8;
}

static inline int setup(void **state)
{
	(void)state;
	memset(rules, 0, sizeof(rules));
	memset(&event, 0, sizeof(event));
	rule_error = 0;
	code_byte = 0xe8;
	memset(made_code, 0xe8, sizeof(made_code));
	rules[1] = (struct unwind_rule){.cfa = CFA_SP, .offset = 16};
	rules[2] = (struct unwind_rule){.cfa = CFA_END};
	event.header = (struct event){.kind = EVENT_RAW, .process = PROCESS, .time_ns = 50};
	event.stack = STACK_ID;
	event.ip = code(1);
	event.sp = STACK;
	event.size = 256;
	mappings = address_map_new();
	map_made_up(mappings);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	address_map_free(mappings);
	return 0;
}
