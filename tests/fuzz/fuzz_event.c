/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any bytes as records of the ring, and as what the side-band tells between them. What becomes of them must be a profile
 * whose ledger has as many objects as were sent.
 */
#include <stdlib.h>
#include <string.h>

#include "heap/apply_event.h"
#include "heap/snapshot.h"
#include "system/address_map.h"

#define PATH_BYTES   64
#define RECORD_BYTES sizeof(struct event_stack) /* the longest that goes to the recorder */

/* What a record says first; the side-band's kinds are behind those of the ring. */
struct head {
	u8 kind, size;
};

enum sideband_kind {
	SIDEBAND_FORK = 64,
	SIDEBAND_COMM,
	SIDEBAND_MAP,
	SIDEBAND_EXPIRE,
	SIDEBAND_TICK,
	SIDEBAND_TAKE,
};

struct sideband {
	u32 pid, parent;
	u64 time_ns, start, end, offset;
	char name[16];
};

static int check_image(struct image *image, void *arg)
{
	struct recorder *recorder = arg;
	struct profile *profile = NULL;
	u64 allocated = 0;

	if (snapshot_take(recorder_options(recorder), image, UINT64_MAX / 2, 0, &profile) || !profile)
		abort();
	for (u32 i = 0; i < profile->sample_count; i++) {
		const struct profile_sample *sample = &profile->samples[i];

		if (sample->inuse_count > sample->alloc_count)
			abort();
		allocated += sample->alloc_count;
	}
	if (allocated < image->ledger[COUNTER_FREED])
		abort();
	profile_free(profile);
	return 0;
}

static void take_ended(struct recorder *recorder)
{
	struct image *image = recorder_take_ended(recorder);

	if (!image)
		return;
	check_image(image, recorder);
	image_free(image);
}

static void tell_sideband(struct recorder *recorder, u8 kind, const struct sideband *told)
{
	char name[sizeof(told->name) + 1] = "";
	struct mapping mapping = {.start = told->start,
				  .end = told->end,
				  .file_offset = told->offset,
				  .from_ns = told->time_ns,
				  .inode = told->parent,
				  .path = name};

	memcpy(name, told->name, sizeof(told->name));
	if (kind == SIDEBAND_FORK)
		recorder_fork(recorder, told->pid, told->parent, told->time_ns);
	else if (kind == SIDEBAND_COMM)
		recorder_comm(recorder, told->pid, name, told->parent & 1, told->time_ns);
	else if (kind == SIDEBAND_MAP && told->start < told->end)
		recorder_map(recorder, told->pid, &mapping);
	else if (kind == SIDEBAND_EXPIRE)
		recorder_expire(recorder, told->time_ns);
	else if (kind == SIDEBAND_TICK)
		recorder_tick(recorder, told->time_ns);
	else if (kind == SIDEBAND_TAKE)
		take_ended(recorder);
}

/* One record; what it lacks of its size is zero. Returns how many bytes it has taken. */
static size_t tell(struct recorder *recorder, const u8 *data, size_t size)
{
	static union {
		struct event event;
		struct event_stack longest;
		struct sideband sideband;
		u8 bytes[RECORD_BYTES];
	} record;
	struct head head;
	size_t wanted, given;

	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);
	wanted = head.size * 4u < RECORD_BYTES ? head.size * 4u : RECORD_BYTES;
	given = wanted < size ? wanted : size;
	memset(&record, 0, sizeof(record));
	memcpy(&record, data, given);
	if (head.kind >= SIDEBAND_FORK) {
		tell_sideband(recorder, head.kind, &record.sideband);
	} else {
		record.event.kind = head.kind;
		apply_event(recorder, &record.event, wanted);
	}
	return sizeof(head) + given;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct recorder_options options = {.sample_bytes = 1};
	struct recorder *recorder;
	size_t at = 1;

	if (!size)
		return 0;
	options.sample_bytes = data[0] & 1 ? 1 : 4096;
	options.alloc_only = data[0] & 2;
	options.counts_alone = data[0] & 4;
	options.sites_max = data[0] & 8 ? 3 : 0;
	options.residency = data[0] & 16;
	options.show_allocator = data[0] & 32;
	recorder = recorder_new(&options);
	if (!recorder)
		abort();
	while (size - at > sizeof(struct head))
		at += tell(recorder, data + at, size - at);
	recorder_for_each(recorder, check_image, recorder);
	recorder_free(recorder);
	return 0;
}
