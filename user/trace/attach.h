/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Links on one file's probe plan. There are three ways of attaching; which one works is found by trying (attach_method.h). */
#include <sys/types.h>

#include "probe/go_sites.h"
#include "probe/plan.h"

/* The best first. */
enum attach_kind {
	ATTACH_NONE = 0,
	ATTACH_SESSION = 1, /* uprobe session link, 6.13 */
	ATTACH_MULTI = 2,   /* uprobe multi links, 6.6 */
	ATTACH_PERF = 3,    /* perf-event uprobes, 6.1 */
};

const char *attach_kind_name(enum attach_kind kind); /* "session", "multi", "perf" */
u32 attach_kind_type(enum attach_kind kind);	     /* the expected attach type of its programs; 0: the default */
/*
 * The same of the program for --alloc. Not a session: a session link that is filtered for one process takes the return leg of
 * every other one that has the breakpoint, as children that it forks.
 */
u32 attach_pool_type(enum attach_kind kind);

struct attach_programs {
	int session, enter, leave; /* descriptors; only those of the kind in use */
	int pool;		   /* of --alloc: never with a return leg */
	int inlined;		   /* at the sites of the sampler in the process: likewise */
	int go;			   /* in Go's runtime: likewise; negative: ages of Go's objects are not wanted */
};

enum attach_leave_out {
	ATTACH_NO_FREE = 1,    /* functions that free */
	ATTACH_NO_NEW = 2,     /* functions that throw */
	ATTACH_NO_OTHERS = 4,  /* functions that do not throw */
	ATTACH_FREE_APART = 8, /* nothing, but functions that free get links of their own, for attach_close_frees */
};

struct attach;

/*
 * The links are made and held by another process (link_keeper.h), which has been started.
 *
 * Probe the file behind descriptor `fd` as planned, for process `pid` alone (0: all that map it), under scope and
 * allocator numbers. `leave_out`: enum attach_leave_out, what not to probe. 0; -ESRCH: no such process; -EINVAL, -EOPNOTSUPP: the
 * kernel has no such links; other negative errno.
 */
int attach_open(enum attach_kind kind, const struct attach_programs *programs, int fd, const struct plan *plan,
		pid_t pid, u32 scope, u32 allocator, unsigned int leave_out, struct attach **ret_attach);

/* The same in Go's runtime, for all processes of the program. */
int attach_open_go(enum attach_kind kind, const struct attach_programs *programs, int fd, const struct go_sites *sites,
		   struct attach **ret_attach);

/*
 * Begin to remove the probes. Hits stop at once, but the kernel takes up to 0.1 s for a multi link, and about as long for each perf
 * probe: link_keeper_wait waits for that.
 */
void attach_close(struct attach *attach);

/* The same of those on functions that free alone, which were opened with ATTACH_FREE_APART: no call of another function is missed. */
void attach_close_frees(struct attach *attach);
