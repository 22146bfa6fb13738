/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk over the instructions, as in route.c, but each way has its own registers and frame. An instruction is visited a few
 * times, since what holds the argument differs by the way.
 */
#include "probe/argument_flow.h"

#include <stdlib.h>
#include <string.h>

#include "probe/values.h"

#define PENDING_MAX 32
#define VISITS_MAX  3
#define VISITED_MAX 1024 /* rows, a power of two */

struct state {
	u64 offset;
	bool called; /* the call has been passed */
	struct values values;
};

struct walk {
	struct code *code;
	u64 back;
	bool (*ends)(const char *name);
	struct argument_flow *flow;
	bool found;
	u32 steps;
	u64 visited[VISITED_MAX]; /* offset * VISITS_MAX + how often, plus one */
	struct state pending[PENDING_MAX];
	u32 pending_count;
};

static const x86_reg argument_registers[FLOW_ARGUMENTS] = {X86_REG_RDI, X86_REG_RSI, X86_REG_RDX,
							   X86_REG_RCX, X86_REG_R8,  X86_REG_R9};

static bool hands_back(struct state *state, x86_reg reg)
{
	return state->called && !state->values.kept && values_register(&state->values, reg).kind == VALUE_RESULT;
}

/* False: the way has been followed often enough from there. */
static bool visit(struct walk *walk, u64 offset)
{
	u64 at = offset * 0x9e3779b97f4a7c15ULL >> 32;

	for (u32 tries = 0; tries < VISITED_MAX; tries++, at++) {
		u64 *row = &walk->visited[at % VISITED_MAX];

		if (*row && (*row - 1) / VISITS_MAX != offset)
			continue;
		if (*row && (*row - 1) % VISITS_MAX == VISITS_MAX - 1)
			return false;
		*row = *row ? *row + 1 : offset * VISITS_MAX + 1;
		return true;
	}
	return false;
}

static void go_on(struct walk *walk, const struct state *state, u64 offset)
{
	if (walk->pending_count == PENDING_MAX)
		return;
	walk->pending[walk->pending_count] = *state;
	walk->pending[walk->pending_count++].offset = offset;
}

/* The call, or the jump, that is asked for: what its arguments are. */
static void note_call(struct walk *walk, struct state *state, const struct code_place *place)
{
	walk->found = true;
	walk->flow->callee = *place;
	for (u32 i = 0; i < FLOW_ARGUMENTS; i++) {
		struct value value = values_register(&state->values, argument_registers[i]);

		if (value.kind == VALUE_ARGUMENT)
			walk->flow->from[i] |= (u8)value.number;
		if (value.kind == VALUE_CONSTANT && value.number == 1)
			walk->flow->one |= (u8)(1 << i);
	}
}

/* memset and its like: what they return is what they have got. */
static bool returns_first(const char *name)
{
	return name && (!strcmp(name, "memset") || !strcmp(name, "memcpy") || !strcmp(name, "memmove"));
}

static void call(struct walk *walk, struct state *state, const struct code_place *place, u64 next)
{
	static const x86_reg clobbered[] = {X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RSI, X86_REG_RDI,
					    X86_REG_R8,	 X86_REG_R9,  X86_REG_R10, X86_REG_R11};
	struct value first = values_register(&state->values, X86_REG_RDI);
	bool asked = walk->back && next == walk->back;

	if (asked)
		note_call(walk, state, place);
	for (size_t i = 0; i < sizeof(clobbered) / sizeof(*clobbered); i++)
		values_set_register(&state->values, clobbered[i], (struct value){0});
	if (asked) {
		state->called = true;
		values_set_register(&state->values, X86_REG_RAX, (struct value){VALUE_RESULT, 0});
		if (first.kind == VALUE_FRAME)
			values_set_slot(&state->values, first.number, (struct value){VALUE_RESULT, 0});
		walk->flow->hands_back |=
			first.kind == VALUE_ARGUMENT && place->name && !strcmp(place->name, "posix_memalign");
	} else if (returns_first(place->name)) {
		values_set_register(&state->values, X86_REG_RAX, first);
	}
	go_on(walk, state, next);
}

static void jump(struct walk *walk, struct state *state, const struct code_place *place)
{
	bool elsewhere = !place->offset || (walk->ends && place->name && walk->ends(place->name));

	if (!elsewhere) {
		go_on(walk, state, place->offset);
	} else if (!walk->back) {
		note_call(walk, state, place);
		walk->flow->hands_back = true;
	} else if (returns_first(place->name)) {
		walk->flow->hands_back |= hands_back(state, X86_REG_RDI);
	}
}

static bool is_conditional(const cs_insn *insn)
{
	for (u8 i = 0; i < insn->detail->groups_count; i++)
		if (insn->detail->groups[i] == X86_GRP_BRANCH_RELATIVE)
			return insn->detail->x86.op_count == 1 && insn->detail->x86.operands[0].type == X86_OP_IMM;
	return false;
}

static void step(struct walk *walk, struct state *state)
{
	const cs_insn *insn = code_at(walk->code, state->offset);
	struct code_place place;
	u64 next = insn ? state->offset + insn->size : 0;

	if (!insn || insn->id == X86_INS_UD2 || insn->id == X86_INS_HLT || insn->id == X86_INS_INT3)
		return;
	if (insn->id == X86_INS_RET) {
		walk->flow->hands_back |= hands_back(state, X86_REG_RAX);
	} else if (insn->id == X86_INS_JMP) {
		if (code_target(walk->code, insn, &place))
			jump(walk, state, &place);
	} else if (insn->id == X86_INS_CALL) {
		code_target(walk->code, insn, &place);
		call(walk, state, &place, next);
	} else if (is_conditional(insn)) {
		go_on(walk, state, (u64)insn->detail->x86.operands[0].imm);
		go_on(walk, state, next);
	} else {
		values_step(&state->values, walk->code, insn);
		go_on(walk, state, next);
	}
}

static void begin(struct walk *walk, u64 start)
{
	struct state state = {0};

	for (u32 i = 0; i < FLOW_ARGUMENTS; i++)
		values_set_register(&state.values, argument_registers[i], (struct value){VALUE_ARGUMENT, 1 << i});
	values_set_register(&state.values, X86_REG_RSP, (struct value){VALUE_FRAME, 0});
	go_on(walk, &state, start);
}

bool argument_flow_find(struct code *code, u64 start, u64 back, bool (*ends)(const char *name),
			struct argument_flow *ret_flow)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	bool found;

	*ret_flow = (struct argument_flow){0};
	if (!walk)
		return false;
	walk->code = code;
	walk->back = back;
	walk->ends = ends;
	walk->flow = ret_flow;
	begin(walk, start);
	while (walk->pending_count && walk->steps < FLOW_STEPS_MAX) {
		struct state state = walk->pending[--walk->pending_count];

		if (!visit(walk, state.offset))
			continue;
		walk->steps++;
		step(walk, &state);
	}
	found = walk->found && !walk->pending_count;
	free(walk);
	return found;
}
