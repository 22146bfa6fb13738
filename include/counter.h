/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The ledger: one list of counters, per process (per image). Names are the keys of "ledger" in index.json.
 *
 * It MUST balance:
 *   sampled = freed + live + ended + refused + lost_ring + lost_stash + failed + return_missed + entry_only + in_flight
 * and in the profile that a Go program keeps itself, of the objects whose ages are known, also
 *   ages_born = ages_died + ages_living + ages_refused + ages_lost
 *
 * The first group is counted in the kernel, the second by the recorder. The kernel counts a stack whoever it is of; a profile of mappings
 * has the stack_* of its own stacks, and that of the heap the others (heap/region_ledger.h).
 */
#include "types.h"

#define COUNTERS_KERNEL(X)                                                                                             \
	X(HITS_ALLOC, hits_alloc, "traps on allocation functions")                                                     \
	X(HITS_FREE, hits_free, "traps on free functions")                                                             \
	X(SAMPLED, sampled, "allocations the sampler took")                                                            \
	X(FAILED, failed, "sampled allocations that returned an error (of --alloc also: did not return)")              \
	X(LOST_RING, lost_ring, "sampled allocations lost: ring full")                                                 \
	X(LOST_STASH, lost_stash, "sampled allocations lost: no room to remember the call")                            \
	X(REFUSED, refused, "sampled allocations whose free cannot be seen: live map full, or table_full")             \
	X(RETURN_MISSED, return_missed, "sampled calls that never returned (longjmp, throw, thread exit)")             \
	X(FREE_DEFERRED, free_deferred, "frees that found the ring full and were reconciled later")                    \
	X(FREE_UNKNOWN, free_unknown, "frees of objects never seen (counted with -R 1 only)")                          \
	X(FREE_UNSEEN, free_unseen, "objects whose address was reused before their free was seen")                     \
	X(REVIVE_LOST, revive_lost, "failed reallocs whose old object could not be followed on")                       \
	X(INLINE, inline, "sampled allocations that the sampler in the process told of")                               \
	X(TABLE_FULL, table_full, "of these, refused: the table in the process has no room")                           \
	X(INHERITED, inherited, "frees, told by the sampler in the process, of objects that a parent's profile has")   \
	X(STACK_LOST_SLOT, stack_lost_slot, "stacks lost: no scratch slot")                                            \
	X(STACK_LOST_RING, stack_lost_ring, "stacks lost: ring full")                                                  \
	X(STACK_TRUNCATED, stack_truncated, "stacks deeper than 128 frames, those between leaf and root left out")     \
	X(STACK_TOO_DEEP, stack_too_deep, "stacks deeper than 1024 frames, root missing")                              \
	X(STACK_NO_MAPPING, stack_no_mapping, "stacks that end early: code in no known mapping")                       \
	X(STACK_NO_RULE, stack_no_rule, "stacks that end early: no rule how to unwind the code")                       \
	X(STACK_UNREADABLE, stack_unreadable, "stacks that end early: user stack unreadable")                          \
	X(STACK_STUCK, stack_stuck, "stacks that end early: user stack corrupt")                                       \
	X(STACK_FRAME_POINTER, stack_frame_pointer,                                                                    \
	  "stacks with a step by frame pointer: code without unwind information")                                      \
	X(STACK_RAW, stack_raw, "stacks sent raw: tables were not ready")                                              \
	X(STACK_RESENT, stack_resent, "stacks sent again: stack map full")                                             \
	X(CHILDREN, children, "child processes started and not traced")                                                \
	X(EVENT_LOST, event_lost, "exec and exit events lost: ring full")                                              \
	X(MAPPING_CALLS, mapping_calls, "calls that mapped or unmapped memory (--mappings)")                           \
	X(MAPPING_LOST, mapping_lost, "such calls that were lost: ring full, or no room to remember them")             \
	X(AGES_BORN, ages_born, "objects that Go sampled while its births and deaths were watched")                    \
	X(AGES_REFUSED, ages_refused, "of these, without an age: live map full")                                       \
	X(AGES_LOST, ages_lost, "of these, without an age: ring full")

#define COUNTERS_USER(X)                                                                                               \
	X(FREED, freed, "sampled objects freed (moved by realloc included)")                                           \
	X(LIVE, live, "sampled objects alive")                                                                         \
	X(ENDED, ended, "sampled objects alive when their process exited or exec'd")                                   \
	X(ENTRY_ONLY, entry_only,                                                                                      \
	  "sampled allocations counted but not followed (--alloc-only, or the call must not be waited for)")           \
	X(IN_FLIGHT, in_flight, "sampled calls that were under way when the profile was taken")                        \
	X(BUDGET_STEPS, budget_steps, "steps that --max-overhead took meanwhile")                                      \
	X(BUDGET_UNFOLLOWED, budget_unfollowed,                                                                        \
	  "of entry_only: those since --max-overhead ended the tracing of frees")                                      \
	X(BUDGET_SCALED, budget_scaled,                                                                                \
	  "of entry_only: those of the windows that --max-overhead left, each of which counts for several")            \
	X(AGES_DIED, ages_died, "of these, swept by Go's collector")                                                   \
	X(AGES_LIVING, ages_living, "of these, alive or not swept at the end")                                         \
	X(STACK_NO_TABLE, stack_no_table, "stacks that end early: unwind table not ready in time")                     \
	X(STACK_STALE, stack_stale,                                                                                    \
	  "allocations or mappings whose stack was cut where it was walked by the rules of code replaced just before") \
	X(STACK_NO_ROOM, stack_no_room,                                                                                \
	  "allocations or mappings booked without their stack: too many sites in memory")                              \
	X(STACK_CUT, stack_cut, "allocations or mappings whose stack was cut where it left all known code")            \
	X(MAP_LOST, map_lost, "mapping records lost: side-band full")                                                  \
	X(FILES_LATE, files_late,                                                                                      \
	  "files with an allocator probed after they were mapped: what came before is missing")                        \
	X(FILES_UNSEEN, files_unseen, "files that have an allocator, or may have one, and were never probed")          \
	X(FUNCTIONS_UNSEEN, functions_unseen, "allocation functions of which calls may be missing, or counted twice")  \
	X(MAPPING_UNPAIRED, mapping_unpaired,                                                                          \
	  "calls that unmapped what no call was seen to map: it was there before, or the kernel's own")                \
	X(MAPPING_PARTIAL, mapping_partial, "mappings of which a part was unmapped")                                   \
	X(MAPPING_NO_STACK, mapping_no_stack,                                                                          \
	  "mappings whose stack was lost; stack_lost_slot and stack_lost_ring have these, too")

#define COUNTERS(X) COUNTERS_KERNEL(X) COUNTERS_USER(X)

enum counter {
#define X(id, name, meaning) COUNTER_##id,
	COUNTERS_KERNEL(X)
#undef X
	COUNTER_KERNEL_MAX,
	COUNTER_BEFORE_USER = COUNTER_KERNEL_MAX - 1,
#define X(id, name, meaning) COUNTER_##id,
	COUNTERS_USER(X)
#undef X
	COUNTER_MAX
};

/* One process number's counters, as the kernel keeps them on each CPU. */
struct tally {
	u64 count[COUNTER_KERNEL_MAX];
};
