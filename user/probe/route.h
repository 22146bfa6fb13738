/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where the calls of one function lead: to other functions that the plan has found, or does it serve them itself? Each way
 * through its code is followed, instruction by instruction: through jumps wherever they go, through the PLT by the
 * relocations of its slots, and into the functions that it calls.
 */
#include "binary/elf_dynamic.h"
#include "binary/elf_symbols.h"
#include "include/config.h"

#define ROUTE_JUMPS_MAX	  8
#define ROUTE_RETURNS_MAX 24

struct route {
	bool own;	/* some way ends without a call or jump to another of them, and not by saying that it failed */
	bool leads;	/* some way leads to another of them */
	bool calls;	/* some way calls one; else it only jumps */
	bool uncertain; /* what becomes of some way could not be found out */
	u64 jumps[ROUTE_JUMPS_MAX]; /* the jumps by which it leaves to another of them: file offsets */
	u32 jump_count;
	u64 returns[ROUTE_RETURNS_MAX]; /* file offsets behind the calls of them that are made for it in other code */
	u32 return_count;
};

/* What is asked for. */
struct route_function {
	u64 offset, size; /* file offset; size 0: unknown */
	bool frees;
	bool returns_error; /* 0 is no failure, a constant other than 0 is (posix_memalign) */
};

enum route_service {
	ROUTE_OTHER, /* the function there is none of those found */
	ROUTE_ALLOCATES,
	ROUTE_FREES,
};

struct routes;

/*
 * `service` says what function begins at a file offset. `dynamic` may be NULL. All are borrowed. NULL: no memory.
 */
struct routes *routes_new(struct elf *elf, const struct elf_dynamic *dynamic,
			  enum route_service (*service)(void *arg, u64 offset), void *arg);
void routes_free(struct routes *routes);

/* 0, -ENOMEM or an error of reading. A file whose functions take too many steps leaves routes that are `own` and `uncertain`. */
int routes_find(struct routes *routes, const struct route_function *function, struct route *ret_route);

/* How long the function is that begins there, by its symbol; 0: no symbol of that place tells. */
u64 routes_size(const struct routes *routes, u64 offset);

/* Is the function there nothing but a jump to another one of the file? */
bool routes_jump(struct routes *routes, u64 offset, u64 *ret_target);
