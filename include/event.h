/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What travels through the ring, in the order in which it happened.
 *
 * Words used everywhere: `pid` is the process (the kernel's tgid, as heaptap's own PID namespace numbers it), `tid` the
 * thread; `process` is heaptap's process number, drawn in the kernel for every image (attach, exec) and never used
 * twice in one recording; `addr` is a heap address, `ip` a code address. Times are CLOCK_MONOTONIC nanoseconds.
 */
#include "types.h"

#define STACK_DEPTH_MAX 128

enum event_kind {
	EVENT_NONE = 0,
	EVENT_STACK = 1,       /* the frames of a stack, ahead of the first event that names it */
	EVENT_ALLOC = 2,       /* a sampled allocation has returned */
	EVENT_FREE = 3,	       /* a sampled object dies: free() was entered */
	EVENT_MOVED = 4,       /* a sampled object dies: realloc() was entered with it */
	EVENT_REVIVED = 5,     /* that realloc() failed: the object of EVENT_MOVED lives on */
	EVENT_EXEC = 6,	       /* a new image begins */
	EVENT_EXIT = 7,	       /* the last thread is gone */
	EVENT_LEADER_EXIT = 8, /* the main thread is gone alone, others run on */
	EVENT_OVERWRITE = 9,   /* a sampled object was still live when its address was handed out again */
	EVENT_FORK = 11,       /* a new image begins: a child's, with what its parent had mapped */
	EVENT_ENTER = 12,      /* a new image begins: a running process has come into the cgroup */
	EVENT_LEAVE = 13,      /* an image ends: its process runs on, but has left the cgroup */
	EVENT_REGION = 14,     /* memory was mapped or unmapped by a system call (--mappings) */
	EVENT_RAW = 10, /* instead of STACK: bytes of a stack whose tables were not ready, for user space to unwind */
};

enum event_flag {
	EVENT_REFUSED = 1 << 0,	   /* ALLOC: counted as allocated, but not followed: the live map was full */
	EVENT_UNFOLLOWED = 1 << 2, /* ALLOC: --alloc-only, in-use unknown by design */
	EVENT_OOM_VICTIM = 1 << 3, /* EXIT: the kernel's OOM killer chose the process */
	EVENT_GO = 1 << 4,	   /* ALLOC: Go's own profiler has sampled it; `stack` is the address of Go's bucket */
};

struct event {
	u16 kind;
	u16 flags; /* enum event_flag */
	u32 process;
	u64 time_ns;
};

struct event_alloc {
	struct event header;
	u64 object; /* id, never used twice in one recording; 0 is no object */
	u64 addr;
	u64 size;  /* as requested */
	u64 stack; /* of EVENT_STACK or EVENT_RAW; 0: kept without its stack (see counters stack_lost_*) */
};

/* FREE, OVERWRITE */
struct event_object {
	struct event header;
	u64 object;
};

/* MOVED, REVIVED: a thread is in one realloc at a time, so its tid connects the two. */
struct event_moved {
	struct event header;
	u64 object;
	u32 tid;
	u32 reserved;
};

/*
 * Frames are return addresses: the code that runs is the code before them, so subtract one before looking it up.
 * Where a signal interrupted code, the address is exact; one has been added to it so that the same holds. So has one to
 * the allocator's, where --show-allocator keeps it.
 */
struct event_stack {
	struct event header;
	u64 stack; /* hash of process and frames, bit 63 clear */
	u32 depth;
	u32 end;		 /* enum unwind_end */
	u64 ip[STACK_DEPTH_MAX]; /* leaf first; only depth of them are sent; of one that was deeper, see stackcut.h */
};

#define RAW_STACK_BYTES 16384
#define RAW_STACK_ID	(1ULL << 63)

struct event_raw {
	struct event header;
	u64 stack;	    /* RAW_STACK_ID | a number never used twice in one recording */
	u64 ip, sp, bp, bx; /* of the leaf: ip is a return address */
	u64 allocator;	    /* 0, or the frame to show before it (--show-allocator) */
	u32 size;
	u32 reserved;
	u8 bytes[RAW_STACK_BYTES]; /* from sp on; only size of them are sent */
};

/* The system calls that map and unmap; what a region is said to be is what the call was asked for, or has returned. */
enum region_call {
	REGION_NONE = 0,
	REGION_MMAP = 1,   /* addr: where, size; flags: MAP_... */
	REGION_MUNMAP = 2, /* addr, size */
	REGION_MREMAP = 3, /* old_addr, old_size, addr: where it is now, size; flags: MREMAP_... */
	REGION_BRK = 4,	   /* old_addr: the heap's end before, addr: that now */
	REGION_SHMAT = 5,  /* addr: where, size */
	REGION_SHMDT = 6,  /* addr: as shmat returned it */
};

/*
 * One call that succeeded, told as it returns. Sizes need not be whole pages. `entered_ns` is when a call that unmaps was entered: another
 * thread may be given the place before the call has returned, and what is born since is not what the call took away.
 */
struct event_region {
	struct event header;
	u64 entered_ns; /* of those that only map: 0 */
	u64 addr, size, old_addr, old_size;
	u64 stack; /* as in struct event_alloc; 0 also where nothing is mapped */
	u32 call;  /* enum region_call */
	u32 flags;
};

/* EXEC, EXIT, LEADER_EXIT, FORK, ENTER, LEAVE */
struct event_process {
	struct event header; /* process: the image that ends (0: none) */
	u32 pid;
	u32 tid;	   /* EXEC: the thread that called exec, as numbered before; FORK: the parent */
	u32 next;	   /* EXEC, FORK, ENTER: process number of the new image (EXEC: 0, it is not wanted) */
	u32 scope;	   /* which of the traced processes (see struct scope in config.h) */
	u64 cpu_ns;	   /* CPU time of the process up to now, all threads */
	u64 max_rss_bytes; /* EXIT: high-water mark */
	char comm[16];
	u32 parent;	 /* EXEC, FORK, ENTER: whose child it is; 0: unknown */
	u32 wait_status; /* EXIT: as wait(2) has it */
};

_Static_assert(sizeof(struct event) == 16, "event header");
_Static_assert(sizeof(struct event_alloc) == 48, "event_alloc");
_Static_assert(sizeof(struct event_object) == 24, "event_object");
_Static_assert(sizeof(struct event_moved) == 32, "event_moved");
_Static_assert(sizeof(struct event_stack) == 32 + 8 * (STACK_DEPTH_MAX), "event_stack");
_Static_assert(sizeof(struct event_raw) == 72 + RAW_STACK_BYTES, "event_raw");
_Static_assert(sizeof(struct event_region) == 72, "event_region");
_Static_assert(sizeof(struct event_process) == 72, "event_process");
