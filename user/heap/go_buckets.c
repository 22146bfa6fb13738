/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/go_buckets.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

#define TYPE_MEMORY 1 /* memProfile */
#define SIZE_MAX_GO ((u64)1 << 47)
#define CYCLES	    3 /* future */
#define LATEST	    27

/* mprof.go, bucket: words in front of the stack. */
enum bucket_word {
	BUCKET_NEXT,
	BUCKET_ALLNEXT,
	BUCKET_TYPE,
	BUCKET_HASH,
	BUCKET_SIZE,
	BUCKET_DEPTH,
	BUCKET_WORDS
};

/* memRecordCycle: allocs, frees, and up to Go 1.26 their bytes. */
#define RECORD_WORDS_MAX 4

struct walk {
	const struct process_memory *memory;
	const struct go_buckets_place *place;
	struct go_buckets *buckets;
	unsigned int words; /* of a record */
	u32 cycle;
	u64 seen, outside; /* frames; those that are not in the program's code */
	u64 mark, steps, next_mark;
};

struct counts {
	u64 allocs, frees;
};

bool go_buckets_known(unsigned int minor)
{
	return minor >= 19 && minor <= LATEST;
}

void go_buckets_release(struct go_buckets *buckets)
{
	free(buckets->buckets);
	free(buckets->pcs);
	*buckets = (struct go_buckets){0};
}

bool go_buckets_agree(const struct go_buckets *one, const struct go_buckets *other)
{
	if (one->count != other->count || one->at_once != other->at_once)
		return false;
	for (u32 i = 0; i < one->count; i++)
		if (one->buckets[i].address != other->buckets[i].address ||
		    one->buckets[i].allocs != other->buckets[i].allocs ||
		    one->buckets[i].frees != other->buckets[i].frees)
			return false;
	return true;
}

/* --- one bucket --- */

/* Words of a record add up; the bytes of one that is not being written are its objects times their size. */
static int add_record(const struct walk *walk, const u64 *words, u64 size, struct counts *sum)
{
	if (walk->words == RECORD_WORDS_MAX && (words[2] != words[0] * size || words[3] != words[1] * size))
		return -EAGAIN;
	sum->allocs += words[0];
	sum->frees += words[1];
	return 0;
}

/* What MemProfile would say: `active`, with a cycle that has begun and was not published yet; or all, before the first. */
static int add_records(const struct walk *walk, const u64 *words, u64 size, struct counts *ret_counts)
{
	bool flushed = walk->cycle & 1;
	u32 slot = (walk->cycle >> 1) % CYCLES;
	int err;

	*ret_counts = (struct counts){0};
	err = add_record(walk, words, size, ret_counts);
	for (u32 i = 0; i < CYCLES && !err; i++)
		if (walk->buckets->at_once || (!flushed && i == slot))
			err = add_record(walk, words + (1UL + i) * walk->words, size, ret_counts);
	return !err && ret_counts->frees > ret_counts->allocs ? -EAGAIN : err;
}

static int keep_stack(struct walk *walk, u64 address, struct go_bucket *bucket)
{
	struct go_buckets *buckets = walk->buckets;
	u64 *pcs;
	int err;

	bucket->first = buckets->pc_count;
	if (buckets->pc_count + bucket->depth > GO_PCS_MAX)
		return -E2BIG;
	if (array_grow(&buckets->pcs, buckets->pc_count, bucket->depth))
		return -ENOMEM;
	pcs = buckets->pcs + buckets->pc_count;
	err = process_memory_read(walk->memory, address, pcs, bucket->depth * sizeof(*pcs));
	for (u32 i = 0; i < bucket->depth && !err; i++) {
		walk->seen++;
		walk->outside += pcs[i] < walk->place->text || pcs[i] > walk->place->etext;
	}
	buckets->pc_count += err ? 0 : bucket->depth;
	return err;
}

static int take(struct walk *walk, u64 address, const u64 header[BUCKET_WORDS])
{
	struct go_bucket bucket = {.address = address, .size = header[BUCKET_SIZE], .depth = (u32)header[BUCKET_DEPTH]};
	u64 stack = address + BUCKET_WORDS * sizeof(u64), words[(1 + CYCLES) * RECORD_WORDS_MAX];
	struct counts counts;
	int err = process_memory_read(walk->memory, stack + bucket.depth * sizeof(u64), words,
				      (1 + CYCLES) * walk->words * sizeof(u64));

	err = err ? err : add_records(walk, words, bucket.size, &counts);
	if (err || !counts.allocs)
		return err;
	bucket.allocs = counts.allocs;
	bucket.frees = counts.frees;
	err = keep_stack(walk, stack, &bucket);
	if (!err && array_grow(&walk->buckets->buckets, walk->buckets->count, 1))
		err = -ENOMEM;
	if (!err)
		walk->buckets->buckets[walk->buckets->count++] = bucket;
	return err;
}

/* --- the list --- */

/* Brent's: a circle comes back to the place marked last, at the latest when as many steps again have been taken. */
static bool goes_round(struct walk *walk, u64 address)
{
	if (address == walk->mark)
		return true;
	if (walk->steps++ == walk->next_mark) {
		walk->mark = address;
		walk->next_mark = 2 * walk->steps;
	}
	return false;
}

static bool is_bucket(const u64 header[BUCKET_WORDS])
{
	return header[BUCKET_TYPE] == TYPE_MEMORY && header[BUCKET_SIZE] && header[BUCKET_SIZE] < SIZE_MAX_GO &&
	       header[BUCKET_DEPTH] <= GO_DEPTH_MAX;
}

static int walk_list(struct walk *walk)
{
	u64 header[BUCKET_WORDS], address;
	int err = process_memory_word(walk->memory, walk->place->list, &address);

	while (!err && address) {
		if (address % sizeof(u64) || goes_round(walk, address))
			return -EBADMSG;
		if (walk->steps > GO_BUCKETS_MAX)
			return -E2BIG;
		err = process_memory_read(walk->memory, address, header, sizeof(header));
		if (!err && !is_bucket(header))
			return -EBADMSG;
		err = err ? err : take(walk, address, header);
		address = header[BUCKET_ALLNEXT];
	}
	return err;
}

static int read_cycle(const struct process_memory *memory, const struct go_buckets_place *place, u32 *ret_cycle)
{
	return process_memory_read(memory, place->cycle, ret_cycle, sizeof(*ret_cycle));
}

static int read_once(const struct process_memory *memory, const struct go_buckets_place *place, u32 cycle, bool at_once,
		     struct go_buckets *buckets)
{
	struct walk walk = {memory, place, buckets, place->minor < 27 ? 4 : 2, cycle, .next_mark = 1};
	int err;

	*buckets = (struct go_buckets){.cycle = cycle >> 1, .at_once = at_once};
	err = walk_list(&walk);
	/* Some frames of plugins are elsewhere. */
	return !err && walk.outside > walk.seen / 2 ? -EBADMSG : err;
}

int go_buckets_read(const struct process_memory *memory, const struct go_buckets_place *place,
		    struct go_buckets *ret_buckets)
{
	u32 cycle;
	int err = read_cycle(memory, place, &cycle);

	*ret_buckets = (struct go_buckets){0};
	if (err)
		return err;
	err = read_once(memory, place, cycle, false, ret_buckets);
	if (err || ret_buckets->count)
		return err;
	go_buckets_release(ret_buckets);
	return read_once(memory, place, cycle, true, ret_buckets);
}
