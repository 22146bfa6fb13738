/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The images, and which one is the newest of each pid. The ring and the side-band meet at exec: see struct pending_image.
 */
#include "heap/recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "heap/go_objects.h"
#include "system/address_map.h"

#define PIDS	     (1u << 22) /* the kernel's own limit. A table of as many is memory only where it is written to. */
#define COUNTS_BYTES (PIDS * sizeof(u32))

/*
 * An image that has been announced and has not begun. The side-band announces a new program (by a fork, or a comm record
 * with the exec flag) and its first mappings before the ring's event begins the image; until then they are kept here. A
 * process may exec twice before the ring is read, so several images of one pid may be pending, told apart by their times.
 */
#define PENDING_CHAINS 1024

struct pending_image {
	u32 pid;
	u64 from_ns; /* time of the fork or exec */
	struct address_map *mappings;
	char comm[16];		    /* the name that it has been given since; "": none */
	struct pending_image *next; /* older */
};

struct recorder {
	struct recorder_options options;
	struct image *images;
	struct image *newest;		   /* of each pid, by pid */
	u32 *image_counts;		   /* by pid: how many images it has had; files are named by it */
	struct image *ended, **ended_last; /* not taken yet, in the order they ended */
	u32 ended_count;
	/* By pid modulo that: the newest announcement first. Every exec of the machine is announced, for some seconds. */
	struct pending_image *pending[PENDING_CHAINS];
	struct quota quota;
	struct restraint_state restraint;
};

struct recorder *recorder_new(const struct recorder_options *options)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return NULL;
	recorder->image_counts = mmap(NULL, COUNTS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (recorder->image_counts == MAP_FAILED) {
		free(recorder);
		return NULL;
	}
	/* Few pages of it are ever written; huge ones would be most of heaptap's memory. */
	madvise(recorder->image_counts, COUNTS_BYTES, MADV_NOHUGEPAGE);
	recorder->options = *options;
	recorder->ended_last = &recorder->ended;
	recorder->quota.max = options->sites_max;
	return recorder;
}

/* --- images that are announced --- */

/* Take the announcement at *link out of the list. Its mappings are the caller's. */
static struct address_map *unlink_pending(struct pending_image **link)
{
	struct pending_image *pending = *link;
	struct address_map *mappings = pending->mappings;

	*link = pending->next;
	free(pending);
	return mappings;
}

/* Takes over the mappings, also on failure; NULL: there was no memory for them. 0 or -ENOMEM. */
static int announce(struct recorder *recorder, u32 pid, u64 now_ns, struct address_map *mappings)
{
	struct pending_image *pending = mappings ? malloc(sizeof(*pending)) : NULL;
	struct pending_image **chain = &recorder->pending[pid % PENDING_CHAINS];

	if (!pending) {
		address_map_free(mappings);
		return -ENOMEM;
	}
	*pending = (struct pending_image){.pid = pid, .from_ns = now_ns, .mappings = mappings, .next = *chain};
	*chain = pending;
	return 0;
}

/* The pid's newest announcement of that time or earlier. NULL: none. */
static struct pending_image *pending_at(const struct recorder *recorder, u32 pid, u64 time_ns)
{
	struct pending_image *pending = recorder->pending[pid % PENDING_CHAINS];

	while (pending && (pending->pid != pid || pending->from_ns > time_ns))
		pending = pending->next;
	return pending;
}

static void forget_announced(struct recorder *recorder, u64 until_ns)
{
	for (u32 chain = 0; chain < PENDING_CHAINS; chain++)
		for (struct pending_image **link = &recorder->pending[chain]; *link;) {
			if ((*link)->from_ns > until_ns)
				link = &(*link)->next;
			else
				address_map_free(unlink_pending(link));
		}
}

/* --- images --- */

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	forget_announced(recorder, UINT64_MAX);
	HASH_CLEAR(hh_by_pid, recorder->newest);
	hash_release(recorder->images, image_free);
	munmap(recorder->image_counts, COUNTS_BYTES);
	free(recorder);
}

struct image *recorder_find(struct recorder *recorder, u32 number)
{
	struct image *image;

	HASH_FIND(hh, recorder->images, &number, sizeof(number), image);
	return image;
}

struct image *recorder_current(struct recorder *recorder, u32 pid)
{
	struct image *image;

	HASH_FIND(hh_by_pid, recorder->newest, &pid, sizeof(pid), image);
	return image;
}

struct restraint_state *recorder_restraint(struct recorder *recorder)
{
	return &recorder->restraint;
}

const struct recorder_options *recorder_options(const struct recorder *recorder)
{
	return &recorder->options;
}

int recorder_for_each(struct recorder *recorder, int (*each)(struct image *image, void *arg), void *arg)
{
	struct image *image, *next;
	int ret;

	HASH_ITER (hh, recorder->images, image, next) {
		ret = each(image, arg);
		if (ret)
			return ret;
	}
	return 0;
}

static void each_file(const struct address_map *mappings, void (*each)(const struct elf *elf, void *arg), void *arg)
{
	for (u32 i = 0; i < address_map_count(mappings); i++)
		if (address_map_get(mappings, i)->elf)
			each(address_map_get(mappings, i)->elf, arg);
}

void recorder_for_each_file(const struct recorder *recorder, void (*each)(const struct elf *elf, void *arg), void *arg)
{
	for (const struct image *image = recorder->images; image; image = image->hh.next)
		each_file(image->mappings, each, arg);
	for (u32 chain = 0; chain < PENDING_CHAINS; chain++)
		for (const struct pending_image *pending = recorder->pending[chain]; pending; pending = pending->next)
			each_file(pending->mappings, each, arg);
}

/*
 * The image begins at `now_ns`, with the mappings and the name that were announced, if it was. Older announcements of the pid are
 * dropped: their images are over.
 */
static void take_pending(struct recorder *recorder, struct image *image, u64 now_ns)
{
	struct pending_image **link = &recorder->pending[image->pid % PENDING_CHAINS];
	bool taken = false;

	while (*link) {
		if ((*link)->pid != image->pid || (*link)->from_ns > now_ns) {
			link = &(*link)->next;
			continue;
		}
		if (!taken) {
			taken = true;
			image_set_comm(image, (*link)->comm);
			address_map_free(image->mappings);
			image->mappings = unlink_pending(link);
		} else {
			address_map_free(unlink_pending(link));
		}
	}
}

/* Into both tables, or none: 0 or -ENOMEM. */
static int enter(struct recorder *recorder, struct image *image)
{
	struct image *before = recorder_current(recorder, image->pid);

	HASH_ADD(hh, recorder->images, number, sizeof(image->number), image);
	if (!hash_added(&image->hh))
		return -ENOMEM;
	HASH_ADD(hh_by_pid, recorder->newest, pid, sizeof(image->pid), image);
	if (!hash_added(&image->hh_by_pid)) {
		HASH_DEL(recorder->images, image);
		return -ENOMEM;
	}
	if (before)
		HASH_DELETE(hh_by_pid, recorder->newest, before);
	return 0;
}

int recorder_begin(struct recorder *recorder, u32 number, u32 pid, u32 scope, u64 now_ns, struct image **ret_image)
{
	u32 *count = &recorder->image_counts[pid % PIDS];
	struct image *image;

	image = image_new(number, pid, *count + 1, recorder->options.sample_bytes, now_ns);
	if (!image || enter(recorder, image)) {
		image_free(image);
		return -ENOMEM;
	}
	++*count;
	image->scope = scope;
	image->heap.share.quota = recorder->quota.max ? &recorder->quota : NULL;
	image->heap.counts_alone = recorder->options.counts_alone;
	image->restraint = &recorder->restraint;
	gc_model_init(&image->heap.gc, &recorder->options.gc, now_ns);
	if (!restraint_knows_frees(&recorder->restraint, now_ns))
		heap_freeze(&image->heap, now_ns);
	take_pending(recorder, image, now_ns);
	if (ret_image)
		*ret_image = image;
	return 0;
}

void recorder_tick(struct recorder *recorder, u64 now_ns)
{
	for (struct image *image = recorder->images; image; image = image->hh.next)
		if (!image->ended) {
			image_tick(image, now_ns);
			go_objects_tick(image, now_ns);
		}
}

void recorder_request(struct recorder *recorder)
{
	for (struct image *image = recorder->images; image; image = image->hh.next)
		gc_model_request(&image->heap.gc);
}

void recorder_end(struct recorder *recorder, struct image *image, u64 now_ns)
{
	if (image->ended)
		return;
	image->ended = true;
	image->end_ns = now_ns;
	*recorder->ended_last = image;
	recorder->ended_last = &image->ended_next;
	recorder->ended_count++;
}

u32 recorder_ended_count(const struct recorder *recorder)
{
	return recorder->ended_count;
}

/* Where the list of those that have ended points to the first for which no raw stack is waiting, or to nothing. */
static struct image **first_ended(struct image **link)
{
	while (*link && (*link)->raw_waiting)
		link = &(*link)->ended_next;
	return link;
}

struct image *recorder_first_ended(const struct recorder *recorder)
{
	struct image *first = recorder->ended;

	return *first_ended(&first);
}

struct image *recorder_take_ended(struct recorder *recorder)
{
	struct image **link = first_ended(&recorder->ended), *image;

	image = *link;
	if (!image)
		return NULL;
	*link = image->ended_next;
	if (!*link)
		recorder->ended_last = link;
	image->ended_next = NULL;
	recorder->ended_count--;
	if (recorder_current(recorder, image->pid) == image)
		HASH_DELETE(hh_by_pid, recorder->newest, image);
	HASH_DEL(recorder->images, image);
	return image;
}

bool recorder_announced(const struct recorder *recorder, u32 pid)
{
	return pending_at(recorder, pid, UINT64_MAX);
}

int recorder_fork(struct recorder *recorder, u32 pid, u32 parent, u64 now_ns)
{
	const struct pending_image *announced = pending_at(recorder, parent, UINT64_MAX);
	const struct image *image = recorder_current(recorder, parent);
	struct address_map *mappings = NULL;

	if (!announced && (!image || image->ended))
		return 0;
	address_map_copy(announced ? announced->mappings : image->mappings, now_ns, &mappings);
	return announce(recorder, pid, now_ns, mappings);
}

void recorder_expire(struct recorder *recorder, u64 before_ns)
{
	if (before_ns)
		forget_announced(recorder, before_ns - 1);
}

int recorder_comm(struct recorder *recorder, u32 pid, const char *comm, bool exec, u64 now_ns)
{
	struct pending_image *pending = exec ? NULL : pending_at(recorder, pid, now_ns);
	struct image *image = recorder_current(recorder, pid);

	if (exec)
		return announce(recorder, pid, now_ns, address_map_new());
	if (pending)
		snprintf(pending->comm, sizeof(pending->comm), "%s", comm);
	else if (image && !image->ended)
		image_set_comm(image, comm);
	return 0;
}

int recorder_map(struct recorder *recorder, u32 pid, const struct mapping *mapping)
{
	struct pending_image *pending = pending_at(recorder, pid, mapping->from_ns);
	struct image *image = recorder_current(recorder, pid);

	if (pending)
		return address_map_add(pending->mappings, mapping);
	return image && !image->ended ? address_map_add(image->mappings, mapping) : 0;
}
