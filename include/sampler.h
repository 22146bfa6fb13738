/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The sampler that runs inside a traced process, as three parties see it: its own code (user/inline/blob/), the code that
 * writes it into a file (user/inline/), and the BPF program at its sites (bpf/inline.bpf.c).
 *
 * An allocation function begins with a jump to a few instructions made for it, its fast path: subtract the size from a slot's
 * count, and go on in the function unless the count has become negative. What remains is rare and goes through the blob, which is
 * position-independent, touches general registers only, and calls nothing outside. Its image:
 *
 *   text and constants, beginning with struct sampler_header | page: struct sampler_config | page: the sites | data, not in the file
 */
#include "types.h"

#define SAMPLER_MAGIC 0x31706d6173706148ULL /* "Hapsamp1" */
#define SAMPLER_PAGE  4096

/*
 * Where samples trap: one-byte nops. At BORN and FREED rsp, rbx, rbp and r12 to r15 are as at the entry of the call, so [rsp] is
 * the return address. At MOVED and SETTLED of one call rsp is the same, somewhere below.
 */
enum sampler_site {
	/* rdi: the object, rsi: the size asked for, rdx: the function's address, rcx: 1 if its end will not be told (no room) */
	SAMPLER_BORN,
	SAMPLER_FREED, /* rdi: the object, which is about to be freed */
	SAMPLER_MOVED, /* rdi: the object, with which realloc is about to be called */
	SAMPLER_SETTLED, /* that call has returned: rdi as in MOVED, rsi: 1 it is gone, 0 realloc has failed and it lives on */
	SAMPLER_SITES
};

/*
 * What a slow path is entered by, with rsp and all argument registers as at the function's entry; rax, r10 and r11 are free. Or, where
 * the function's callers may count on these and on the flags, with rsp SAMPLER_PUSHED below: there lies what the function gets in r11,
 * r10 and rax, from the second word on, and in the first one its flags, as lahf and seto %al leave them in ax.
 */
#define SAMPLER_PUSHED 32
enum sampler_entry {
	/* rax: the function, and unless it is a CALL_DUPLICATE r10: the size asked for (0 too), r11: the slot, from which it, or 1, has been
	   subtracted */
	SAMPLER_ALLOC,
	SAMPLER_FREE, /* rax: the function, r10: the pointer (NULL too) whose filter byte is not 0 */
	SAMPLER_MOVING, /* rax: the function, r10: the size, of which nothing has been subtracted yet; the pointer's filter byte is not 0 */
	SAMPLER_ENTRIES
};

struct sampler_header {
	u64 magic;
	u32 config; /* all of these: bytes from the header */
	u32 sites[SAMPLER_SITES];
	u32 entries[SAMPLER_ENTRIES];
	u32 kept_entries[SAMPLER_ENTRIES]; /* with SAMPLER_PUSHED bytes on the stack */
	u32 eh_frame, eh_frame_bytes;	   /* call frame information, pc-relative; no empty entry ends it */
	u32 slots;			   /* data begins here, on a page; struct sampler_slot [SAMPLER_SLOTS] */
	u32 filter;			   /* u8 [SAMPLER_FILTER] */
	u32 state;			   /* struct sampler_state */
	u32 table;			   /* u64 [1 << config.table_bits]; the last */
};

/*
 * Counts are many so that threads do not share one: the slot is the top bits of (u32)fs:0 * SAMPLER_HASH. Wiped in a forked child
 * (inline/blob/fork_wipe.h), which would otherwise take its first sample where its brothers do.
 */
#define SAMPLER_HASH	  0x9e3779b1U
#define SAMPLER_SLOT_BITS 12
#define SAMPLER_SLOTS	  (1 << SAMPLER_SLOT_BITS)
struct sampler_slot {
	s64 left; /* bytes until the next sample; negative: a slow path is about to draw it anew */
	u64 seed; /* of its random numbers (splitmix64); 0: not drawn yet, and `left` means nothing */
	u64 unused[6];
};
#define SAMPLER_SLOT_SHIFT 6 /* log2 of its size */

/*
 * Objects whose end will be told: an exact table of buckets of 8 pointers, and a filter in front of it, whose bytes count the
 * objects that lead to them, up to 255: one that has come so far stays so. The bucket is the top (table_bits - 3) bits of SAMPLER_HASH *
 * (u32)pointer. An entry is the pointer with its lower 63 bits inverted, 0: none. The top bit is set while realloc has the object in its
 * hands.
 *
 * The filter byte is the top SAMPLER_FILTER_BITS bits of SAMPLER_FILTER_FACTOR * (u32)pointer, so that neighbours in the heap are
 * neighbours in the filter: a byte stands for 63 bytes of the heap, a page for 258 KB, and all of it for 66 MB, behind which it begins again.
 * So a process has a page fault for each 258 KB of its heap; by SAMPLER_HASH a compiler that lives for 20 ms had one in each of the 256
 * pages. The factor is odd, so the pages of 4 GiB have bytes of their own.
 */
#define SAMPLER_FILTER_FACTOR  65
#define SAMPLER_FILTER_BITS    20
#define SAMPLER_FILTER	       (1 << SAMPLER_FILTER_BITS)
#define SAMPLER_FILTER_FULL    255
#define SAMPLER_BUCKET	       8
#define SAMPLER_ENTRY_MASK     (~0ULL >> 1)
#define SAMPLER_ENTRY_MOVING   (1ULL << 63)
#define SAMPLER_TABLE_BITS_MAX 20

static inline u32 sampler_filter_index(u64 pointer)
{
	return (u32)pointer * SAMPLER_FILTER_FACTOR >> (32 - SAMPLER_FILTER_BITS);
}

/* The index of the first entry of its bucket. 64 bits, as the shift may be by 32. */
static inline u64 sampler_bucket_index(u64 pointer, u32 table_bits)
{
	return ((u64)((u32)pointer * SAMPLER_HASH) >> (32 + 3 - table_bits)) * SAMPLER_BUCKET;
}

/* What searches memory for pointers to objects, as leak checkers do, must not find them here. No user's pointer becomes 0. */
static inline u64 sampler_entry(u64 pointer)
{
	return pointer ^ SAMPLER_ENTRY_MASK;
}

struct sampler_state {
	u32 prepared; /* the slots are wiped at fork */
	u32 reserved;
};

/* A function: made beside its fast path. Offsets are from this struct's own first byte. */
struct sampler_function {
	s32 original; /* its first instructions, moved, and a jump to those behind them */
	s32 function; /* where it begins */
	u8 kind;      /* enum call_kind */
	u8 pointer;   /* which argument, from 1 on, is the old block (or where posix_memalign's result goes); 0: none */
	u8 reserved[2];
	s32 nothrow; /* what is called for a sample in its place, as it may throw and no exception can pass the sampler; 0: it is called itself */
};

/* Code whose calls are the allocator's own, as struct ranges, but from the config's first byte. */
struct sampler_range {
	s32 start, end;
};

/* Set when the sampler is written into a file; the first two words may change while it runs. */
struct sampler_config {
	u64 sample_bytes; /* mean bytes between samples; 0: never */
	u64 session;	  /* a random number of the recording */
	u32 table_bits;	  /* 3 .. SAMPLER_TABLE_BITS_MAX */
	u32 has_rdrand;
	u32 range_count;
	u32 reserved;
	struct sampler_range ranges[128]; /* RANGES_MAX */
};

_Static_assert(sizeof(struct sampler_slot) == 64, "a slot fills a line of the cache");
_Static_assert(sizeof(struct sampler_config) <= SAMPLER_PAGE, "the config is a page of its own");
