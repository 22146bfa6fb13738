/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk over the graph of a function's instructions, of which each is visited once for each thing that may be known of
 * the result (is it a failure?). Code that a function jumps to is walked as its own, so it does not matter where compilers
 * put the unlikely parts. What it calls is looked at to CALLEES_DEPTH_MAX: a callee that leads to a function that was
 * found, whatever happens, is as good as that one.
 */
#include "probe/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/code.h"

#define VISITED_MAX	  (1u << 13) /* rows of one walk's table, half of them used; a power of two */
#define PENDING_MAX	  1024
#define CALLEES_MAX	  256
#define CALLEES_DEPTH_MAX 3
#define STEPS_MAX	  (1u << 18) /* instructions of one file; mimalloc 2.0, which needs most of those known, has 13 754 */

/* What is known of the register that holds the result. */
enum result {
	RESULT_UNKNOWN,
	RESULT_ZERO,
	RESULT_CONSTANT, /* other than 0 */
};

/* A function that one of those found calls. */
struct callee {
	u64 offset;
	bool passes_on; /* all that it does is to lead to one of those found */
	u64 returns[ROUTE_RETURNS_MAX];
	u32 return_count;
};

struct routes {
	struct code *code;
	enum route_service (*service)(void *arg, u64 offset);
	void *arg;
	struct callee callees[CALLEES_MAX];
	u32 callee_count;
	u32 steps; /* instructions looked at so far, of all functions */
};

struct pending {
	u64 offset;
	enum result result;
};

/* One function's. */
struct walk {
	struct routes *routes;
	const struct route_function *function;
	struct route *route;
	unsigned int depth;
	u64 visited[VISITED_MAX];
	u32 visited_count;
	struct pending pending[PENDING_MAX];
	u32 pending_count;
};

struct routes *routes_new(struct elf *elf, const struct elf_dynamic *dynamic,
			  enum route_service (*service)(void *arg, u64 offset), void *arg)
{
	struct routes *routes = calloc(1, sizeof(*routes));

	if (!routes)
		return NULL;
	routes->service = service;
	routes->arg = arg;
	routes->code = code_new(elf, dynamic);
	if (routes->code)
		return routes;
	free(routes);
	return NULL;
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	code_free(routes->code);
	free(routes);
}

/* Functions that never return: behind a call of them there is other code. */
static bool is_final(const struct code_place *place)
{
	static const char *const names[] = {
		"abort",
		"exit",
		"_exit",
		"__stack_chk_fail",
		"__assert_fail",
		"__cxa_throw",
		"__cxa_rethrow",
		"_Unwind_Resume",
		"_ZSt9terminatev",
		"__cxa_bad_cast",
		"__fortify_fail",
		"__chk_fail",
		"__libc_message",
		"pthread_exit",
		"longjmp",
		"siglongjmp",
		"__longjmp_chk",
		"_ZSt17__throw_bad_allocv",
		"__stack_chk_fail_local",
	};

	for (size_t i = 0; place->name && i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(place->name, names[i]))
			return true;
	return false;
}

static u64 *visited_row(struct walk *walk, u64 key)
{
	u64 at = key * 0x9e3779b97f4a7c15ULL >> 32;

	for (;; at++) {
		u64 *row = &walk->visited[at & (VISITED_MAX - 1)];

		if (!*row || *row == key)
			return row;
	}
}

static void go_on(struct walk *walk, u64 offset, enum result result)
{
	u64 key = (offset << 2 | result) + 1, *row = visited_row(walk, key);

	if (*row)
		return;
	if (walk->pending_count == PENDING_MAX || walk->visited_count >= VISITED_MAX / 2) {
		walk->route->own = true;
		return;
	}
	*row = key;
	walk->visited_count++;
	walk->pending[walk->pending_count++] = (struct pending){offset, result};
}

static void end(struct walk *walk, enum result result)
{
	if (result != (walk->function->returns_error ? RESULT_CONSTANT : RESULT_ZERO))
		walk->route->own = true;
}

static bool is_within(const struct walk *walk, u64 offset)
{
	return offset - walk->function->offset < walk->function->size;
}

static bool is_served(const struct walk *walk, const struct code_place *place)
{
	enum route_service wanted = walk->function->frees ? ROUTE_FREES : ROUTE_ALLOCATES;

	return place->offset && place->offset != walk->function->offset &&
	       walk->routes->service(walk->routes->arg, place->offset) == wanted;
}

static void add_return(struct route *route, u64 offset)
{
	for (u32 i = 0; i < route->return_count; i++)
		if (route->returns[i] == offset)
			return;
	if (route->return_count == ROUTE_RETURNS_MAX)
		route->uncertain = true;
	else
		route->returns[route->return_count++] = offset;
}

static void jump_on(struct walk *walk, u64 from)
{
	struct route *route = walk->route;

	route->leads = true;
	for (u32 i = 0; i < route->jump_count; i++)
		if (route->jumps[i] == from)
			return;
	if (route->jump_count == ROUTE_JUMPS_MAX)
		route->uncertain = true;
	else
		route->jumps[route->jump_count++] = from;
}

static void jump(struct walk *walk, u64 from, struct code_place place, enum result result)
{
	if (is_served(walk, &place))
		jump_on(walk, from);
	else if (place.offset)
		go_on(walk, place.offset, result);
	else if (!is_final(&place))
		walk->route->own = true;
}

static void jump_maybe(struct walk *walk, u64 offset, enum result result)
{
	struct code_place place = {.offset = offset};

	if (!is_served(walk, &place)) {
		go_on(walk, offset, result);
		return;
	}
	walk->route->leads = true;
	walk->route->uncertain = true;
}

static int look_at_callee(struct walk *walk, u64 offset, const struct callee **ret_callee);

static bool is_end(const struct walk *walk, u64 offset)
{
	const struct route_function *function = walk->function;

	return (function->size && offset == function->offset + function->size) ||
	       code_begins(walk->routes->code, offset);
}

/* The call of `place`, behind which `back` comes. */
static int call(struct walk *walk, struct code_place place, u64 back)
{
	struct route *route = walk->route;
	const struct callee *callee = NULL;
	bool served = is_served(walk, &place);
	int err = 0;

	if (!served && place.offset && !walk->function->frees && walk->depth < CALLEES_DEPTH_MAX &&
	    place.offset != walk->function->offset)
		err = look_at_callee(walk, place.offset, &callee);
	if (err)
		return err;
	for (u32 i = 0; callee && i < callee->return_count; i++)
		add_return(route, callee->returns[i]);
	if (served || (callee && callee->passes_on)) {
		route->leads = route->calls = true;
		if (!is_within(walk, back - 1) || !walk->function->size)
			add_return(route, back);
	} else if (!is_final(&place) && !is_end(walk, back)) {
		go_on(walk, back, RESULT_UNKNOWN);
	}
	return 0;
}

/* What is known of the result behind a plain instruction. */
static enum result result_after(const struct code *code, const cs_insn *insn, enum result result)
{
	const cs_x86_op *operands = insn->detail->x86.operands;

	if (!code_writes_result(code, insn))
		return result;
	if (insn->detail->x86.op_count != 2 || operands[0].type != X86_OP_REG || operands[0].size < 4)
		return RESULT_UNKNOWN;
	if (insn->id == X86_INS_XOR && operands[1].type == X86_OP_REG && operands[1].reg == operands[0].reg)
		return RESULT_ZERO;
	if (insn->id == X86_INS_MOV && operands[1].type == X86_OP_IMM)
		return operands[1].imm ? RESULT_CONSTANT : RESULT_ZERO;
	return RESULT_UNKNOWN;
}

static bool is_conditional(const cs_insn *insn)
{
	for (u8 i = 0; i < insn->detail->groups_count; i++)
		if (insn->detail->groups[i] == X86_GRP_BRANCH_RELATIVE)
			return insn->detail->x86.op_count == 1 && insn->detail->x86.operands[0].type == X86_OP_IMM;
	return false;
}

static int step(struct walk *walk, u64 offset, enum result result)
{
	struct code *code = walk->routes->code;
	const cs_insn *insn = code_at(code, offset);
	struct code_place place;
	u64 next = insn ? offset + insn->size : 0;

	if (!insn) {
		walk->route->own = true;
	} else if (insn->id == X86_INS_RET) {
		end(walk, result);
	} else if (insn->id == X86_INS_JMP) {
		if (code_target(code, insn, &place))
			jump(walk, offset, place, result);
		else
			walk->route->own = true;
	} else if (insn->id == X86_INS_CALL) {
		code_target(code, insn, &place);
		return call(walk, place, next);
	} else if (is_conditional(insn)) {
		jump_maybe(walk, (u64)insn->detail->x86.operands[0].imm, result);
		go_on(walk, next, result);
	} else if (insn->id != X86_INS_UD2 && insn->id != X86_INS_HLT && insn->id != X86_INS_INT3) {
		go_on(walk, next, result_after(code, insn, result));
	}
	return 0;
}

static int walk_function(struct routes *routes, const struct route_function *function, unsigned int depth,
			 struct route *ret_route)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int err = 0;

	*ret_route = (struct route){0};
	if (!walk)
		return -ENOMEM;
	walk->routes = routes;
	walk->function = function;
	walk->route = ret_route;
	walk->depth = depth;
	go_on(walk, function->offset, RESULT_UNKNOWN);
	while (!err && walk->pending_count && routes->steps < STEPS_MAX) {
		struct pending next = walk->pending[--walk->pending_count];

		routes->steps++;
		err = step(walk, next.offset, next.result);
	}
	/* A file that costs more was made for that, and must not hold up the thread that empties the ring. */
	if (walk->pending_count)
		ret_route->own = ret_route->uncertain = true;
	free(walk);
	return err;
}

/* *ret_callee stays NULL when there are too many. One that is being looked at further up is as far as it is known. */
static int look_at_callee(struct walk *walk, u64 offset, const struct callee **ret_callee)
{
	struct routes *routes = walk->routes;
	struct route_function function = {.offset = offset, .returns_error = walk->function->returns_error};
	struct callee *callee = routes->callees;
	struct route route;
	int err;

	while (callee < routes->callees + routes->callee_count && callee->offset != offset)
		callee++;
	if (callee == routes->callees + CALLEES_MAX)
		return 0;
	*ret_callee = callee;
	if (callee < routes->callees + routes->callee_count)
		return 0;
	routes->callee_count++;
	callee->offset = offset;
	err = walk_function(routes, &function, walk->depth + 1, &route);
	if (err)
		return err;
	callee->passes_on = route.leads && !route.own && !route.uncertain;
	callee->return_count = route.return_count;
	memcpy(callee->returns, route.returns, sizeof(route.returns));
	return 0;
}

int routes_find(struct routes *routes, const struct route_function *function, struct route *ret_route)
{
	return walk_function(routes, function, 0, ret_route);
}

u64 routes_size(const struct routes *routes, u64 offset)
{
	return code_size(routes->code, offset);
}

bool routes_jump(struct routes *routes, u64 offset, u64 *ret_target)
{
	const cs_insn *insn = code_at(routes->code, offset);
	struct code_place place;

	if (insn && insn->id == X86_INS_ENDBR64)
		insn = code_at(routes->code, offset + insn->size);
	if (!insn || insn->id != X86_INS_JMP || !code_target(routes->code, insn, &place) || !place.offset)
		return false;
	*ret_target = place.offset;
	return true;
}
