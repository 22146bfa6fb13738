/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One image of one process: from attach or exec to exec, exit or the end of the recording. What /proc said while it
 * lived is kept here, since a short-lived command is gone when its profile is written.
 */

#include "base/hash.h"
#include "include/counter.h"
#include "heap/heap.h"
#include "heap/regions.h"
#include "system/root_fs.h"
#include "heap/stack.h"
#include "profile/profile.h"

struct address_map;
struct restraint_state;
struct go_reading;
struct last_memory;

#define IMAGE_TRIGGERS_MAX 8

/* Which triggers have fired, and from where each of them counts growth: of its resident memory, or of its control group's. */
struct image_trigger {
	u32 fired;			    /* a bit each */
	u64 base_bytes[IMAGE_TRIGGERS_MAX]; /* 0: it has not been looked at */
};

struct image {
	u32 number; /* process number, as in events */
	u32 pid;
	u32 ordinal; /* 1, 2, 3 ... of this pid */
	u32 scope;
	char comm[16];
	char *exe, *cgroup;		     /* NULL: unknown */
	char *container_id, *container_name; /* NULL: in none, or unknown */
	struct root_fs root;		     /* the file system it sees */
	u64 user_seen_ns;		     /* when its user was read last */
	struct address_map *mappings;
	struct heap heap;
	struct regions regions; /* with --mappings */
	struct stack_table stacks;
	struct go_reading *go; /* of a Go program: what it says of its own heap (go_profile.h); NULL: nothing */
	u64 start_ns, end_ns;  /* end_ns 0: still going on */
	bool ended;	       /* by exit or exec, not by the end of the recording */
	struct profile_exit exit;
	u64 cpu_start_ns, cpu_end_ns;			    /* CPU time of the whole process at those moments */
	u64 rss_start_bytes, rss_end_bytes, rss_peak_bytes; /* 0: unknown; by the functions below */
	u64 rss_peak_seen,
		rss_peak_inuse;	    /* the largest resident size that was seen, and what was in use then; 0: none was */
	struct last_memory *memory; /* what it consisted of, as last read */
	u64 rss_noted_bytes;	    /* rss_end_bytes when that reading was begun; 0: there was none */
	char *memory_directory, *memory_path; /* where its limit stands, see cgroup_memory; NULL: unknown */
	u64 memory_limit, memory_used;	      /* of its cgroup when last seen; 0: unlimited or unknown */
	u64 ledger[COUNTER_MAX];
	u32 raw_waiting;			 /* stacks of it that raw_stacks.c holds */
	bool settled;				 /* settle_end has seen to it */
	bool searched;				 /* unprobed.c has looked for files that were not probed */
	struct image_trigger trigger;		 /* record/trigger.c's */
	const struct restraint_state *restraint; /* the recorder's; NULL: nothing is taken */
	struct {
		u64 alloc_hits, free_hits, go_hits, cpu_ns;
	} paid; /* trace/budget.c's: what it has had so far */
	/* live/untold.c's: what it had allocated when an answer had it last, and when one did that was kept */
	double answered_bytes, told_bytes;
	struct image *ended_next;     /* the recorder's: among those that have ended */
	UT_hash_handle hh, hh_by_pid; /* the recorder's */
};

/* NULL: no memory. */
struct image *image_new(u32 number, u32 pid, u32 ordinal, u64 sample_bytes, u64 now_ns);
void image_free(struct image *image);

/* Free what the heap, the regions and the stacks take, once a profile has them: the facts stay. */
void image_drop_heap(struct image *image);

void image_set_comm(struct image *image, const char *comm);

/*
 * Its resident memory in bytes (0: unknown, which changes nothing): when it begins, which says nothing of its peak; as it is
 * seen from then on; and the most that the kernel says it ever was. The kernel's peak may be lower than what was seen: it
 * is brought up to date only now and then, and not when the OOM killer takes the memory away.
 */
void image_begin_rss(struct image *image, u64 bytes);
void image_see_rss(struct image *image, u64 bytes);
void image_see_peak(struct image *image, u64 bytes);

/* Every event up to that time has been told: the clock of the model advances, unless frees are not traced any more. */
void image_tick(struct image *image, u64 now_ns);

/* Set those terms of the ledger that the heap knows: freed, live or ended, entry_only. May be repeated. */
void image_balance(struct image *image);
