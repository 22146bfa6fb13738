/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/residency.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_BYTES     4096ULL
#define PAGE_PRESENT   (1ULL << 63)
#define PAGE_SWAPPED   (1ULL << 62)
#define WINDOW_ENTRIES 512 /* of the page table that are read at a time: two mebibytes of address space */
#define BATCH	       256 /* pieces that are read at a time */

/* --- the page table --- */

struct page_table {
	int fd;
	u64 first, count; /* page numbers that are in `entries` */
	u64 entries[WINDOW_ENTRIES];
};

static int page_table_open(pid_t pid, struct page_table *table)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	table->first = table->count = 0;
	table->fd = open(path, O_RDONLY | O_CLOEXEC);
	return table->fd < 0 ? -errno : 0;
}

/* 0 for a page beyond what the kernel lets a process have. */
static int page_table_entry(struct page_table *table, u64 page, u64 *ret_entry)
{
	ssize_t bytes;

	if (page - table->first >= table->count) {
		table->first = page;
		bytes = pread(table->fd, table->entries, sizeof(table->entries), (off_t)(page * sizeof(u64)));
		if (bytes < 0)
			return -errno;
		table->count = (u64)bytes / sizeof(u64);
	}
	*ret_entry = page - table->first < table->count ? table->entries[page - table->first] : 0;
	return 0;
}

/* --- contents --- */

/* Pieces to be read, each in one page of one object. */
struct batch {
	pid_t pid;
	u32 count;
	struct residency *objects[BATCH];
	struct iovec remote[BATCH];
	u8 *bytes;
};

static bool is_zero(const u8 *bytes, size_t size)
{
	return !size || (!bytes[0] && !memcmp(bytes, bytes + 1, size - 1));
}

/* Those that have been read whole; returns how many. */
static u32 note_read(struct batch *batch, u32 first, size_t bytes)
{
	const u8 *at = batch->bytes;
	u32 done = first;

	while (done < batch->count && batch->remote[done].iov_len <= bytes) {
		struct residency *object = batch->objects[done];

		object->read++;
		object->zero += is_zero(at, batch->remote[done].iov_len);
		at += batch->remote[done].iov_len;
		bytes -= batch->remote[done].iov_len;
		done++;
	}
	return done - first;
}

/* One that cannot be read (it has gone meanwhile) ends the kernel's work: it goes on behind that. */
static void read_batch(struct batch *batch)
{
	for (u32 first = 0; first < batch->count; first++) {
		struct iovec local = {batch->bytes, BATCH * PAGE_BYTES};
		ssize_t bytes = process_vm_readv(batch->pid, &local, 1, batch->remote + first, batch->count - first, 0);

		if (bytes < 0 && errno != EFAULT)
			break;
		first += note_read(batch, first, bytes < 0 ? 0 : (size_t)bytes);
	}
	batch->count = 0;
}

static void add_piece(struct batch *batch, struct residency *object, u64 start, u64 end)
{
	batch->objects[batch->count] = object;
	batch->remote[batch->count] =
		(struct iovec){(void *)(uintptr_t)start, end - start}; // NOLINT(performance-no-int-to-ptr)
	if (++batch->count == BATCH)
		read_batch(batch);
}

/* --- objects --- */

struct reading {
	struct page_table table;
	struct batch batch;
	u32 each;	     /* pieces of an object to be read */
	u64 pages_left;	     /* that may be looked at */
	double share, owing; /* of objects of which one is read, where not each can have one */
};

/* How many pieces of the next object are to be read. */
static u32 pieces_wanted(struct reading *reading)
{
	if (reading->each)
		return reading->each;
	reading->owing += reading->share;
	if (reading->owing < 1)
		return 0;
	reading->owing -= 1;
	return 1;
}

/* False: they are none, or too many. */
static bool count_pages(const struct residency *object, u64 most, u64 *ret_pages)
{
	u64 last = object->addr + object->size - 1;

	if (!object->size || last < object->addr)
		return false;
	*ret_pages = last / PAGE_BYTES - object->addr / PAGE_BYTES + 1;
	return *ret_pages <= most;
}

static int look_at(struct reading *reading, struct residency *object, u64 pages, u32 wanted)
{
	u64 end = object->addr + object->size, entry = 0;
	u64 taken = 0, place = 0;
	int err = 0;

	object->seen = true;
	for (u64 start = object->addr, next; start < end && !err; start = next, place++) {
		next = (start / PAGE_BYTES + 1) * PAGE_BYTES;
		next = next < end ? next : end;
		err = page_table_entry(&reading->table, start / PAGE_BYTES, &entry);
		if (err || !(entry & (PAGE_PRESENT | PAGE_SWAPPED)))
			continue;
		*(entry & PAGE_PRESENT ? &object->resident : &object->swapped) += next - start;
		/* Evenly over the object: from the middle of each part of it, or what is resident after that. */
		if (!(entry & PAGE_PRESENT) || taken == wanted || place < (2 * taken + 1) * pages / (2 * wanted))
			continue;
		taken++;
		add_piece(&reading->batch, object, start, next);
	}
	return err;
}

static int by_address(const void *a, const void *b)
{
	const struct residency *one = a, *two = b;

	return (one->addr > two->addr) - (one->addr < two->addr);
}

static int look_at_all(struct reading *reading, struct residency *objects, u32 count)
{
	int err = 0;

	qsort(objects, count, sizeof(*objects), by_address);
	for (u32 i = 0; i < count && !err; i++) {
		u64 pages;

		objects[i].seen = false;
		objects[i].resident = objects[i].swapped = 0;
		objects[i].read = objects[i].zero = 0;
		if (!count_pages(&objects[i], reading->pages_left, &pages))
			continue;
		reading->pages_left -= pages;
		err = look_at(reading, &objects[i], pages, pieces_wanted(reading));
	}
	read_batch(&reading->batch);
	return err;
}

int residency_read(pid_t pid, struct residency *objects, u32 count, u32 reads)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	u8 *bytes = malloc(BATCH * PAGE_BYTES);
	u32 each = count ? reads / count : 0;
	int err = reading && bytes ? page_table_open(pid, &reading->table) : -ENOMEM;

	if (!err) {
		reading->batch.pid = pid;
		reading->batch.bytes = bytes;
		reading->each = each < RESIDENCY_READS ? each : RESIDENCY_READS;
		reading->share = count ? (double)reads / count : 0;
		reading->pages_left = RESIDENCY_PAGES;
		err = look_at_all(reading, objects, count);
		close(reading->table.fd);
	}
	free(bytes);
	free(reading);
	return err;
}
