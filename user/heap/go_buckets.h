/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The heap profile that a Go program keeps of itself, read from its memory while it runs (runtime/mprof.go). A bucket is what was sampled
 * with one stack and one size. Go books an allocation for a later cycle of its garbage collector, together with the deaths that
 * this one will find, and publishes a cycle when it is complete: what is read here is what runtime.MemProfile would say at that moment.
 *
 * Nothing in the memory is trusted: it may be torn, and the program may be hostile.
 */
#include "include/types.h"
#include "system/process_memory.h"

#define GO_BUCKETS_MAX (1u << 20)
#define GO_PCS_MAX     (32u << 20)
#define GO_DEPTH_MAX   1040 /* GODEBUG=profstackdepth allows 1024; Go 1.26 adds two of the runtime's */

/* In the process's addresses. */
struct go_buckets_place {
	u64 list, cycle;    /* runtime.mbuckets, runtime.mProfCycle */
	u64 text, etext;    /* the code of the program */
	unsigned int minor; /* release of Go: 19 .. */
};

struct go_bucket {
	u64 address; /* in the process */
	u64 size;
	u64 allocs, frees; /* samples, published */
	u32 depth;
	u64 first; /* of its stack in go_buckets.pcs */
};

struct go_buckets {
	struct go_bucket *buckets; /* those that have something published */
	u32 count;
	u64 *pcs; /* leaf first; return addresses, one for each function that was inlined too */
	u64 pc_count;
	u32 cycle;    /* of Go's garbage collector */
	bool at_once; /* no cycle is complete: all is in it that has been sampled, as Go does it */
};

/* Does heaptap know how that release keeps its buckets? */
bool go_buckets_known(unsigned int minor);

/*
 * What is published now. 0; -EAGAIN: it changed meanwhile; -EBADMSG: these are no buckets; -E2BIG: more than GO_BUCKETS_MAX of
 * them; -EFAULT: the process is gone, or its list leads nowhere; -ENOMEM. Release it in any case.
 */
int go_buckets_read(const struct process_memory *memory, const struct go_buckets_place *place,
		    struct go_buckets *ret_buckets);
void go_buckets_release(struct go_buckets *buckets);

/* Do two readings say the same? Then nothing was published between them. */
bool go_buckets_agree(const struct go_buckets *one, const struct go_buckets *other);
