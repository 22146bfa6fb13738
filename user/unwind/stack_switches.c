/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unwind/stack_switches.h"

#include <stdlib.h>
#include <string.h>

#include "binary/elf_symbols.h"

#define GO_SECTION     ".note.go.buildid"
#define GO_SECTION_MAX 4096

static const struct {
	const char *name;
	struct unwind_rule rule, framed; /* `framed`: if it begins with push %rbp; mov %rsp, %rbp */
} rows[] = {
	/* .abi0: as assembly has it; the bare name is then a wrapper that Go compiled, of which the truth is said. */
	{"runtime.asmcgocall.abi0", {.cfa = CFA_UNKNOWN}, {.cfa = CFA_UNKNOWN}},
	{"runtime.systemstack.abi0",
	 {.cfa = CFA_CUT},
	 {.cfa = CFA_BP, .offset = 16, .bp = SAVED_AT_CFA, .bp_offset = -16, .bx = SAVED_LOST, .switches = 1}},
	{"runtime.cgocallback.abi0", {.cfa = CFA_CUT}, {.cfa = CFA_CUT}},
	{"runtime.mcall", {.cfa = CFA_END}, {.cfa = CFA_END}},
	{"runtime.morestack.abi0", {.cfa = CFA_END}, {.cfa = CFA_END}},
	{"runtime.rt0_go.abi0", {.cfa = CFA_END}, {.cfa = CFA_END}},
	{"runtime.goexit.abi0", {.cfa = CFA_END}, {.cfa = CFA_END}},
	{"caml_call_realloc_stack", {.cfa = CFA_CUT}, {.cfa = CFA_CUT}},
};

struct reading {
	struct elf *elf;
	struct stack_switches *list;
};

static bool keeps_frame_pointer(const struct elf *elf, u64 offset)
{
	static const u8 wanted[] = {0x55, 0x48, 0x89, 0xe5};
	u8 code[sizeof(wanted)];

	return elf_read(elf, offset, code, sizeof(code)) == sizeof(code) && !memcmp(code, wanted, sizeof(code));
}

static int add(const struct elf_symbol *symbol, void *arg)
{
	struct reading *reading = arg;
	struct stack_switches *list = reading->list;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && list->count < STACK_SWITCHES_MAX; i++) {
		if (strcmp(symbol->name, rows[i].name) != 0)
			continue;
		list->functions[list->count].offset = symbol->offset;
		list->functions[list->count].rule =
			keeps_frame_pointer(reading->elf, symbol->offset) ? rows[i].framed : rows[i].rule;
		list->count++;
	}
	return 0;
}

bool stack_switches_is_go(const struct elf *elf)
{
	u8 *note;
	u64 size;

	if (elf_read_section(elf, GO_SECTION, GO_SECTION_MAX, &note, &size, NULL) != 0)
		return false;
	free(note);
	return true;
}

void stack_switches_read(struct elf *elf, struct stack_switches *ret_list)
{
	struct reading reading = {elf, ret_list};

	ret_list->count = 0;
	elf_for_each_function(elf, add, &reading);
}

const struct unwind_rule *stack_switches_rule(const struct stack_switches *list, u64 offset)
{
	for (u32 i = 0; i < list->count; i++)
		if (list->functions[i].offset == offset)
			return &list->functions[i].rule;
	return NULL;
}
