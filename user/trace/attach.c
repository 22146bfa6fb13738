/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/link_keeper.h"
#include "trace/uprobe_link.h"

_Static_assert(RANGES_MAX + PLAN_RETURNS_MAX <= LINK_SITES_MAX, "all probes of a file fit into one link");

struct attach {
	u32 legs[2 * LINK_SITES_MAX]; /* perf: entry and return of each site */
	unsigned int count;
	unsigned int frees; /* so many of the first are those of functions that free, apart */
};

/* Offsets and cookies of a plan. */
struct sites {
	u64 offsets[LINK_SITES_MAX], cookies[LINK_SITES_MAX];
	u32 count;
	u32 returning, returning_count; /* those with a return leg: the first, and how many from there on */
};

/*
 * In the order in which the kernel puts them into running code, one by one: in a program that starts meanwhile no allocation
 * must be seen whose free is not.
 */
enum part {
	FREEING,
	PASSING, /* jumps from one function to another */
	MOVING,	 /* free one object and allocate another */
	RETURNING,
	THROWING, /* a return leg would end the program (see call_may_throw in alloc.bpf.c) */
};

const char *attach_kind_name(enum attach_kind kind)
{
	static const char *const names[] = {"none", "session", "multi", "perf"};

	return names[kind];
}

u32 attach_kind_type(enum attach_kind kind)
{
	return kind == ATTACH_SESSION ? ATTACH_UPROBE_SESSION : kind == ATTACH_MULTI ? ATTACH_UPROBE_MULTI : 0;
}

u32 attach_pool_type(enum attach_kind kind)
{
	return kind == ATTACH_PERF ? 0 : ATTACH_UPROBE_MULTI;
}

static enum part part_of(enum call_kind kind)
{
	switch (kind) {
	case CALL_FREE:
		return FREEING;
	case CALL_PASSED:
		return PASSING;
	case CALL_REALLOC:
	case CALL_RESIZE:
	case CALL_RESIZE_ARRAY:
		return MOVING;
	default:
		return kind >= CALL_NEW ? THROWING : RETURNING;
	}
}

static void add_sites(struct sites *sites, const struct plan *plan, u32 scope, u32 allocator, enum part part, bool pool)
{
	for (u32 i = 0; i < plan->probe_count; i++) {
		if (part_of(plan->probes[i].kind) != part || plan->probes[i].pool != pool)
			continue;
		sites->offsets[sites->count] = plan->probes[i].offset;
		sites->cookies[sites->count++] = plan_cookie(&plan->probes[i], scope, allocator);
	}
}

/* `count` sites from `first` on, all of them in one link where there are such links. */
static int open_link(struct attach *attach, u32 type, int prog_fd, int fd, const struct sites *sites, u32 first,
		     u32 count, pid_t pid, bool ret)
{
	struct link_leg leg = {.attach_type = type, .count = count, .pid = pid, .ret = ret};
	int err;

	memcpy(leg.offsets, sites->offsets + first, count * sizeof(*leg.offsets));
	memcpy(leg.cookies, sites->cookies + first, count * sizeof(*leg.cookies));
	err = link_keeper_open(&leg, prog_fd, fd, &attach->legs[attach->count]);
	attach->count += !err;
	return err;
}

/* The entries of all sites, or with `ret` the returns of those that want one. */
static int open_leg(struct attach *attach, u32 type, int prog_fd, int fd, const struct sites *sites, pid_t pid,
		    bool ret)
{
	u32 first = ret ? sites->returning : 0, count = ret ? sites->returning_count : sites->count;
	int err = 0;

	if (type)
		return count ? open_link(attach, type, prog_fd, fd, sites, first, count, pid, ret) : 0;
	for (u32 i = first; i < first + count && !err; i++)
		err = open_link(attach, type, prog_fd, fd, sites, i, 1, pid, ret);
	return err;
}

static int open_legs(struct attach *attach, enum attach_kind kind, const struct attach_programs *programs, int fd,
		     const struct sites *sites, pid_t pid)
{
	u32 type = attach_kind_type(kind);
	int err;

	if (kind == ATTACH_SESSION)
		return open_leg(attach, type, programs->session, fd, sites, pid, false);
	/* Return legs first: an entry without its return would be remembered in vain. */
	err = open_leg(attach, type, programs->leave, fd, sites, pid, true);
	return err ? err : open_leg(attach, type, programs->enter, fd, sites, pid, false);
}

/* In the order of enum part; a call that is remembered must be seen to return. */
static void add_pool_sites(struct sites *sites, const struct plan *plan, u32 scope, u32 allocator, bool with_free)
{
	if (with_free)
		add_sites(sites, plan, scope, allocator, FREEING, true);
	for (u32 i = 0; i < plan->return_count; i++) {
		sites->offsets[sites->count] = plan->returns[i];
		sites->cookies[sites->count++] = plan_return_cookie(scope, allocator);
	}
	add_sites(sites, plan, scope, allocator, MOVING, true);
	add_sites(sites, plan, scope, allocator, RETURNING, true);
}

/*
 * The sites of the sampler in the process. The ends go in first here too: of a process that runs meanwhile no object must be known
 * whose end is not.
 */
static void add_inlined_sites(struct sites *sites, const struct plan *plan, bool with_ends)
{
	static const enum sampler_site order[] = {SAMPLER_FREED, SAMPLER_SETTLED, SAMPLER_MOVED, SAMPLER_BORN};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		if (order[i] != SAMPLER_BORN && !with_ends)
			continue;
		sites->offsets[sites->count] = plan->sites[order[i]];
		sites->cookies[sites->count++] =
			cookie_make(CALL_INLINE, order[i], 0, SCOPE_BY_PID, 0, (u32)plan->sites[order[i]]);
	}
}

static void add_all_sites(struct sites *sites, struct sites *pool_sites, const struct plan *plan, u32 scope,
			  u32 allocator, unsigned int leave_out)
{
	if (!(leave_out & (ATTACH_NO_FREE | ATTACH_NO_OTHERS)))
		add_sites(sites, plan, scope, allocator, FREEING, false);
	if (!(leave_out & ATTACH_NO_OTHERS))
		add_sites(sites, plan, scope, allocator, PASSING, false);
	sites->returning = sites->count;
	if (!(leave_out & ATTACH_NO_OTHERS)) {
		add_sites(sites, plan, scope, allocator, MOVING, false);
		add_sites(sites, plan, scope, allocator, RETURNING, false);
		add_pool_sites(pool_sites, plan, scope, allocator, !(leave_out & ATTACH_NO_FREE));
	}
	sites->returning_count = sites->count - sites->returning;
	if (!(leave_out & ATTACH_NO_NEW))
		add_sites(sites, plan, scope, allocator, THROWING, false);
}

/* Before all others, as in one link. */
static int open_frees(struct attach *attach, enum attach_kind kind, const struct attach_programs *programs, int fd,
		      const struct plan *plan, pid_t pid, u32 scope, u32 allocator)
{
	struct sites sites = {.count = 0}, pool_sites = {.count = 0};
	int err = 0;

	add_sites(&sites, plan, scope, allocator, FREEING, false);
	add_sites(&pool_sites, plan, scope, allocator, FREEING, true);
	if (sites.count)
		err = open_legs(attach, kind, programs, fd, &sites, pid);
	if (!err && pool_sites.count)
		err = open_leg(attach, attach_pool_type(kind), programs->pool, fd, &pool_sites, pid, false);
	attach->frees = attach->count;
	return err;
}

int attach_open(enum attach_kind kind, const struct attach_programs *programs, int fd, const struct plan *plan,
		pid_t pid, u32 scope, u32 allocator, unsigned int leave_out, struct attach **ret_attach)
{
	struct attach *attach = calloc(1, sizeof(*attach));
	struct sites sites = {.count = 0}, pool_sites = {.count = 0}, inlined_sites = {.count = 0};
	bool apart =
		leave_out & ATTACH_FREE_APART && !(leave_out & (ATTACH_NO_FREE | ATTACH_NO_OTHERS)) && !plan->inlined;
	int err = 0;

	if (!attach)
		return -ENOMEM;
	if (apart) {
		err = open_frees(attach, kind, programs, fd, plan, pid, scope, allocator);
		leave_out |= ATTACH_NO_FREE;
	}
	if (plan->inlined)
		add_inlined_sites(&inlined_sites, plan, !(leave_out & ATTACH_NO_FREE));
	else
		add_all_sites(&sites, &pool_sites, plan, scope, allocator, leave_out);
	if (!err && sites.count)
		err = open_legs(attach, kind, programs, fd, &sites, pid);
	/* Without a filter: the file is COMMAND's own, and a filter ends with the main thread. */
	if (!err && inlined_sites.count)
		err = open_leg(attach, attach_pool_type(kind), programs->inlined, fd, &inlined_sites, 0, false);
	if (!err && pool_sites.count)
		err = open_leg(attach, attach_pool_type(kind), programs->pool, fd, &pool_sites, pid, false);
	if (err)
		attach_close(attach);
	else
		*ret_attach = attach;
	return err;
}

void attach_close_frees(struct attach *attach)
{
	for (unsigned int i = 0; i < attach->frees; i++)
		link_keeper_close(attach->legs[i]);
	attach->count -= attach->frees;
	memmove(attach->legs, attach->legs + attach->frees, attach->count * sizeof(*attach->legs));
	attach->frees = 0;
}

/* Deaths first, as for frees. */
int attach_open_go(enum attach_kind kind, const struct attach_programs *programs, int fd, const struct go_sites *sites,
		   struct attach **ret_attach)
{
	struct attach *attach = calloc(1, sizeof(*attach));
	const struct sites both = {
		.offsets = {sites->died, sites->born},
		.cookies = {go_cookie_make(GO_DIED, sites->kind, sites->kind_offset), go_cookie_make(GO_BORN, 0, 0)},
		.count = 2,
	};
	int err = attach ? open_leg(attach, attach_pool_type(kind), programs->go, fd, &both, 0, false) : -ENOMEM;

	if (err)
		attach_close(attach);
	else
		*ret_attach = attach;
	return err;
}

void attach_close(struct attach *attach)
{
	for (unsigned int i = 0; attach && i < attach->count; i++)
		link_keeper_close(attach->legs[i]);
	free(attach);
}
