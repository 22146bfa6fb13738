/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of the functions found get a probe. One that only leads to others has none, as they count its calls; one that serves
 * calls itself has one, and what it calls in turn is known by the return address. Where it leaves by a jump to another one,
 * that jump has a probe too, which takes the call back: the other one's counts.
 */
#include "probe/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "probe/function_list.h"
#include "probe/moving_text.h"
#include "probe/pymalloc_plan.h"
#include "probe/return_site.h"
#include "probe/route.h"
#include "system/procfs.h"

#define FUNCTION_BYTES_MAX 65536 /* of code looked at; allocator entry points are far smaller */
#define CODE_BYTES	   256	 /* where a symbol has no size */
#define MARKER_BYTES	   4	 /* of endbr64 */

/* What was decided about a function of the list. */
struct decision {
	bool probed;
	struct route route;
};

struct planning {
	struct elf *elf;
	struct routes *routes;
	struct plan *plan;
	struct function_list list;
	struct decision decisions[FUNCTION_LIST_MAX];
};

static bool frees(const struct listed_function *listed)
{
	return listed->function->kind == CALL_FREE;
}

static enum route_service service(void *arg, u64 offset)
{
	struct planning *planning = arg;
	const struct listed_function *listed = function_list_find(&planning->list, offset);

	return !listed ? ROUTE_OTHER : frees(listed) ? ROUTE_FREES : ROUTE_ALLOCATES;
}

/* --- aliases --- */

/*
 * A function that is nothing but a jump to another one of the file: if that is not listed, but has a name, it is what serves
 * the calls, under that name too. Where the table wants a probe, the jump has it: what it leads to is called from within.
 */
static void follow_alias(struct planning *planning, struct listed_function *listed)
{
	u64 target, size;

	if (listed->function->passing == PASSING_NO || !routes_jump(planning->routes, listed->offset, &target) ||
	    function_list_find(&planning->list, target) || (listed->size && target - listed->offset < listed->size) ||
	    target > UINT32_MAX)
		return;
	size = routes_size(planning->routes, target);
	if (size && target + size <= UINT32_MAX) {
		listed->offset = target;
		listed->size = size;
	}
}

/* --- who has a probe --- */

static bool leads_on(const struct route *route, enum passing passing)
{
	return route->leads && !route->own && !(passing == PASSING_BY_JUMP && route->calls);
}

static int decide(struct planning *planning, const struct listed_function *listed, struct decision *decision)
{
	const struct route_function function = {
		.offset = listed->offset,
		.size = listed->size,
		.frees = frees(listed),
		.returns_error = listed->function->kind == CALL_POSIX_MEMALIGN,
	};
	enum passing passing = listed->function->passing;
	u64 target;
	int err = 0;

	if (routes_jump(planning->routes, listed->offset, &target) && function_list_find(&planning->list, target))
		return 0;
	if (passing != PASSING_NO || listed->nests)
		err = routes_find(planning->routes, &function, &decision->route);
	if (listed->small && listed->function->kind == CALL_RESIZE)
		pymalloc_plan_jumps(planning->elf, &planning->list.pymalloc, &decision->route);
	decision->probed = passing == PASSING_NO || !leads_on(&decision->route, passing);
	return err;
}

static void add_range(struct ranges *ranges, u64 start, u64 end)
{
	for (u32 i = 0; i < ranges->count; i++)
		if (ranges->range[i].start <= start && end <= ranges->range[i].end)
			return;
	if (ranges->count < RANGES_MAX)
		ranges->range[ranges->count++] = (struct range){.start = (u32)start, .end = (u32)end};
}

static bool is_in_ranges(const struct ranges *ranges, u64 offset)
{
	for (u32 i = 0; i < ranges->count; i++)
		if (offset >= ranges->range[i].start && offset < ranges->range[i].end)
			return true;
	return false;
}

static bool relies_on_ranges(const struct planning *planning, const struct route *route)
{
	for (u32 i = 0; i < route->return_count; i++)
		if (is_in_ranges(&planning->plan->ranges, route->returns[i]))
			return true;
	return false;
}

/* What a function that is probed calls, in its own code and elsewhere, is no call of the program's. */
static void add_ranges(struct planning *planning, const struct listed_function *listed, const struct route *route)
{
	struct ranges *ranges = &planning->plan->ranges;

	add_range(ranges, listed->offset, listed->offset + listed->size);
	for (u32 i = 0; i < route->return_count && !frees(listed); i++)
		add_range(ranges, route->returns[i], route->returns[i] + 1);
}

/*
 * A function without a probe relies on its calls of others being counted. If one that has a probe makes the same calls, in code
 * that both use, they are not: so it needs a probe as well.
 */
static void settle(struct planning *planning)
{
	bool again = true;

	for (unsigned int i = 0; i < planning->list.count; i++)
		if (planning->decisions[i].probed)
			add_ranges(planning, &planning->list.functions[i], &planning->decisions[i].route);
	while (again) {
		again = false;
		for (unsigned int i = 0; i < planning->list.count; i++) {
			struct decision *decision = &planning->decisions[i];

			if (decision->probed || frees(&planning->list.functions[i]) ||
			    !relies_on_ranges(planning, &decision->route))
				continue;
			decision->probed = again = true;
			add_ranges(planning, &planning->list.functions[i], &decision->route);
		}
	}
}

/* --- the probes --- */

static void doubt(struct plan *plan, const char *symbol)
{
	size_t length = strlen(plan->doubtful);

	plan->doubtful_count++;
	snprintf(plan->doubtful + length, sizeof(plan->doubtful) - length, "%s%s", length ? ", " : "", symbol);
}

static bool add_returns(struct plan *plan, const struct return_sites *sites)
{
	u32 kept = plan->return_count;

	for (unsigned int i = 0; i < sites->count; i++) {
		u32 known = 0;

		while (known < kept && plan->returns[known] != sites->offset[i])
			known++;
		if (known < kept)
			continue;
		if (plan->return_count == PLAN_RETURNS_MAX) {
			plan->return_count = kept;
			return false;
		}
		plan->returns[plan->return_count++] = sites->offset[i];
	}
	return true;
}

/* A function of --alloc is waited for where it returns. */
static int find_returns(struct planning *planning, const struct listed_function *listed, struct plan_probe *probe)
{
	struct return_sites sites;
	int err = return_site_find(planning->elf, listed->offset, listed->size, &sites);

	if (err)
		return err;
	for (unsigned int i = 0; i < sites.count && !sites.unseen; i++)
		if (sites.offset[i] == probe->offset)
			sites.unseen = "it does nothing but return";
	if (!sites.unseen && !add_returns(planning->plan, &sites))
		sites.unseen = "the file's functions return at too many places";
	probe->unseen = sites.unseen;
	return 0;
}

static int find_site(const u8 *code, size_t size, const struct allocator_function *function, struct site *ret_site)
{
	unsigned int arguments = allocator_arguments(function);
	int err = site_find(code, size, function->kind, arguments, false, ret_site);

	/* Hardly any file has such a site, so only then is the machine asked. */
	if (!err && ret_site->on_call && procfs_has_shadow_stacks())
		err = site_find(code, size, function->kind, arguments, true, ret_site);
	return err;
}

/*
 * When it is called for a function that throws, what it calls in turn must not be counted: it is probed itself, so that such
 * calls are known, or makes none. libstdc++'s nothrow operator calls the one that throws, which a program has replaced.
 */
static int find_nothrow(struct planning *planning, const struct listed_function *listed, struct plan_probe *probe)
{
	const struct route_function nothrow = {
		.offset = listed->nothrow,
		.size = routes_size(planning->routes, listed->nothrow),
	};
	struct route route;
	int err;

	if (!listed->nothrow)
		return 0;
	err = routes_find(planning->routes, &nothrow, &route);
	if (!err && (is_in_ranges(&planning->plan->ranges, listed->nothrow) || (!route.calls && !route.uncertain)))
		probe->nothrow = listed->nothrow;
	return err;
}

static int add_probe(struct planning *planning, const struct listed_function *listed, const u8 *code, size_t size)
{
	struct plan *plan = planning->plan;
	struct plan_probe *probe = &plan->probes[plan->probe_count];
	const struct allocator_function *function = listed->function;
	unsigned int third = function->arg[2];
	int err = find_site(code, size, function, &probe->site);

	/* The cookie has no room for the third's register: where it has moved, the first instruction must do. */
	if (!err && third && probe->site.arg[third - 1] != ARG_DX)
		err = find_site(code, size < MARKER_BYTES ? size : MARKER_BYTES, function, &probe->site);
	if (err)
		return err;
	if (plan->probe_count == RANGES_MAX - 1 || plan->ranges.count == RANGES_MAX)
		return -E2BIG;
	for (unsigned int i = 0; i < 2; i++)
		probe->arg[i] = function->arg[i] ? probe->site.arg[function->arg[i] - 1] : (u8)ARG_DI;
	memcpy(probe->argument, function->arg, sizeof(probe->argument));
	probe->symbol = function->symbol;
	probe->kind = function->kind;
	probe->offset = listed->offset + probe->site.offset;
	probe->pool = listed->pool;
	probe->small = listed->small;
	if (listed->small)
		pymalloc_plan_probe(planning->elf, &plan->pymalloc, probe);
	plan->probe_count++;
	if (listed->pool && function->kind != CALL_FREE)
		return find_returns(planning, listed, probe);
	return find_nothrow(planning, listed, probe);
}

/* The jump is emulated, as every direct one is; through memory it is stepped. */
static int add_jump(struct plan *plan, const struct listed_function *listed, u64 offset)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].offset == offset)
			return 0;
	if (plan->probe_count == RANGES_MAX - 1)
		return -E2BIG;
	plan->probes[plan->probe_count++] = (struct plan_probe){
		.symbol = listed->function->symbol,
		.kind = CALL_PASSED,
		.offset = offset,
		.arg = {ARG_DI, ARG_DI},
		.site = {.offset = offset - listed->offset, .emulated = true},
	};
	return 0;
}

static int plan_function(struct planning *planning, const struct listed_function *listed)
{
	size_t size = listed->size && listed->size < FUNCTION_BYTES_MAX ? listed->size : CODE_BYTES;
	u8 *code = malloc(size);
	ssize_t length;
	int err;

	if (!code)
		return -ENOMEM;
	length = elf_read(planning->elf, listed->offset, code, size);
	err = length < 0 ? (int)length : add_probe(planning, listed, code, (size_t)length);
	free(code);
	/* The kernel takes no probe there, or there is no code. */
	if (err != -EOPNOTSUPP && err != -ENODATA)
		return err;
	doubt(planning->plan, listed->function->symbol);
	return 0;
}

static int plan_jumps(struct planning *planning, const struct listed_function *listed, const struct route *route)
{
	int err = 0;

	for (u32 i = 0; i < route->jump_count && !err && !frees(listed); i++)
		err = add_jump(planning->plan, listed, route->jumps[i]);
	if (!err && route->uncertain)
		doubt(planning->plan, listed->function->symbol);
	return err;
}

static int plan_functions(struct planning *planning)
{
	int err = 0;

	for (unsigned int i = 0; i < planning->list.count; i++)
		follow_alias(planning, &planning->list.functions[i]);
	for (unsigned int i = 0; i < planning->list.count && !err; i++)
		err = decide(planning, &planning->list.functions[i], &planning->decisions[i]);
	if (err)
		return err;
	settle(planning);
	for (unsigned int i = 0; i < planning->list.count && !err; i++)
		if (planning->decisions[i].probed)
			err = plan_function(planning, &planning->list.functions[i]);
	for (unsigned int i = 0; i < planning->list.count && !err; i++)
		if (planning->decisions[i].probed)
			err = plan_jumps(planning, &planning->list.functions[i], &planning->decisions[i].route);
	return err;
}

static int make(struct planning *planning, struct custom_allocator *pools)
{
	int err = function_list_make(planning->elf, pools, &planning->list);

	planning->plan->hands_on = planning->list.hands_on;
	planning->plan->heap = planning->list.heap;
	if (err)
		return err;
	planning->plan->unknown = planning->list.unknown;
	planning->plan->pymalloc = planning->list.pymalloc;
	memcpy(planning->plan->name, planning->list.name, sizeof(planning->plan->name));
	planning->routes = routes_new(planning->elf, planning->list.dynamic, service, planning);
	err = planning->routes ? plan_functions(planning) : -ENOMEM;
	routes_free(planning->routes);
	if (err)
		return err;
	planning->plan->mover = moving_text_find(planning->elf);
	return planning->plan->probe_count ? 0 : -ENOENT;
}

int plan_make(struct elf *elf, struct custom_allocator *pools, struct plan *ret_plan)
{
	struct planning *planning;
	int err;

	memset(ret_plan, 0, sizeof(*ret_plan));
	if (!elf_is_64bit_x86(elf))
		return -ENOENT;
	planning = calloc(1, sizeof(*planning));
	if (!planning)
		return -ENOMEM;
	planning->elf = elf;
	planning->plan = ret_plan;
	err = make(planning, pools);
	function_list_release(&planning->list);
	free(planning);
	return err;
}

bool plan_throws(const struct plan *plan)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].kind >= CALL_NEW)
			return true;
	return false;
}

u64 plan_cookie(const struct plan_probe *probe, u32 scope, u32 allocator)
{
	u64 cookie = cookie_make(probe->kind, probe->arg[0], probe->arg[1], scope, allocator, (u32)probe->offset);

	return cookie | (probe->unseen ? COOKIE_RETURN_UNSEEN : 0) | (probe->small ? COOKIE_SMALL : 0);
}

u64 plan_return_cookie(u32 scope, u32 allocator)
{
	return cookie_make(CALL_RETURN, 0, 0, scope, allocator, 0);
}
