/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the shim's log to objects. The events of each address are put in order and replayed; no address needs to know of
 * any other, so sorting stands in for a table of live blocks.
 */
#include "truth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "call_log.h"

enum step {
	STEP_GIVE_BACK,
	STEP_REVIVE,
	STEP_HAND_OUT
};

struct replay_event {
	uint64_t addr;
	uint64_t index; /* of its record */
	enum step step;
};

static int open_mapped(const void *file, struct truth *ret_truth)
{
	ret_truth->header = file;
	ret_truth->records = (const struct truth_record *)((const char *)file + TRUTH_HEADER_BYTES);
	return ret_truth->header->magic == TRUTH_MAGIC ? 0 : -EBADMSG;
}

int truth_open(const char *prefix, pid_t pid, struct truth *ret_truth)
{
	const void *file;
	int err = call_log_map(prefix, pid, TRUTH_FILE_BYTES, &file);

	return err ? err : open_mapped(file, ret_truth);
}

int truth_open_file(const char *path, struct truth *ret_truth)
{
	const void *file;
	int err = call_log_map_file(path, TRUTH_FILE_BYTES, &file);

	return err ? err : open_mapped(file, ret_truth);
}

void truth_close(struct truth *truth)
{
	if (truth->header)
		munmap((void *)truth->header, TRUTH_FILE_BYTES);
	*truth = (struct truth){0};
}

uint64_t truth_count(const struct truth *truth)
{
	return __atomic_load_n(&truth->header->count, __ATOMIC_ACQUIRE);
}

/* A record's steps, at most two: what it gives back, or gets back because it failed, and what it hands out. */
static size_t steps_of(const struct truth_record *record, uint64_t index, struct replay_event *ret_events)
{
	size_t count = 0;

	if (record->phase == TRUTH_ENTER)
		ret_events[count++] = (struct replay_event){record->old, index, STEP_GIVE_BACK};
	if (record->phase == TRUTH_RETURN && record->old && !record->addr && record->size)
		ret_events[count++] = (struct replay_event){record->old, index, STEP_REVIVE};
	if (record->phase == TRUTH_RETURN && record->addr)
		ret_events[count++] = (struct replay_event){record->addr, index, STEP_HAND_OUT};
	return count;
}

static int event_order(const void *left, const void *right)
{
	const struct replay_event *a = left, *b = right;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* All events of one address, in order. */
static int replay(const struct truth *truth, const struct replay_event *events, size_t count, struct tally *tally)
{
	const struct truth_record *owner = NULL, *last = NULL;

	for (size_t i = 0; i < count; i++) {
		switch (events[i].step) {
		case STEP_GIVE_BACK:
			last = owner;
			owner = NULL;
			break;
		case STEP_REVIVE:
			owner = last;
			break;
		case STEP_HAND_OUT:
			if (owner)
				return -EBADMSG;
			owner = &truth->records[events[i].index];
			tally_add(tally, owner->caller, owner->size, 1, 0);
			break;
		}
	}
	if (owner)
		tally_add(tally, owner->caller, owner->size, 0, 1);
	return 0;
}

int truth_tally(const struct truth *truth, uint64_t from, pid_t pid, struct tally *ret_tally)
{
	uint64_t end = truth_count(truth);
	struct replay_event *events;
	struct tally tally = {0};
	size_t count = 0;
	int error = 0;

	if (truth->header->missed || from > end)
		return -EBADMSG;
	events = calloc(end - from + 1, 2 * sizeof(*events));
	if (!events)
		return -ENOMEM;
	for (uint64_t i = from; i < end; i++) {
		if (truth->records[i].pid == (uint32_t)pid)
			count += steps_of(&truth->records[i], i, &events[count]);
	}
	qsort(events, count, sizeof(*events), event_order);
	for (size_t first = 0, next; first < count && !error; first = next) {
		for (next = first + 1; next < count && events[next].addr == events[first].addr;)
			next++;
		error = replay(truth, &events[first], next - first, &tally);
	}
	free(events);
	if (error) {
		tally_release(&tally);
		return error;
	}
	tally_merge(&tally);
	*ret_tally = tally;
	return 0;
}
