/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The perf side-band. A task that migrates leaves its records on several CPUs, so a drain collects from all, sorts by
 * time and holds back what was written after it began: an exec is never seen after the mappings that follow it.
 */
#include "trace/sideband.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "system/procfs.h"
#include "trace/tracee.h"
#include "trace/tracee_mappings.h"
#include "trace/tracer_internal.h"

#define DATA_PAGES 64 /* per CPU: room for some thousand mappings between two drains */

/* linux/perf_event.h of 5.12; the build's headers may be older. */
#define MISC_MMAP_BUILD_ID (1 << 14)

struct cpu_ring {
	int fd;
	struct perf_event_mmap_page *page;
};

struct record {
	u64 time_ns;
	struct perf_event_header *header;
};

struct sideband {
	struct record *records;
	size_t record_count;
	unsigned int cpu_count;
	struct cpu_ring cpus[];
};

struct mmap2_body {
	u32 pid, tid;
	u64 addr, length, offset;
	union {
		struct {
			u32 major, minor;
			u64 inode, generation;
		};
		struct {
			u8 build_id_size;
			u8 reserved[3];
			u8 build_id[20];
		};
	};
	u32 protection, flags;
	char path[];
};

struct fork_body {
	u32 pid, parent;
	u32 tid, parent_tid;
	u64 time_ns;
};

struct comm_body {
	u32 pid, tid;
	char comm[];
};

struct sample_id {
	u32 pid, tid;
	u64 time_ns;
};

/* --- the rings ------------------------------------------------------------------------------------------------------ */

static int cpu_open(struct cpu_ring *ring, int cpu, bool forks)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.build_id = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = forks,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	ring->fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0)
		return -errno;
	ring->page = mmap(NULL, (DATA_PAGES + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (ring->page == MAP_FAILED) {
		ring->page = NULL;
		return -errno;
	}
	return 0;
}

int sideband_open(bool forks, struct sideband **ret_sideband)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct sideband *sideband = calloc(1, sizeof(*sideband) + (size_t)cpus * sizeof(*sideband->cpus));
	int err = 0;

	if (!sideband)
		return -ENOMEM;
	for (int cpu = 0; cpu < cpus && !err; cpu++) {
		err = cpu_open(&sideband->cpus[sideband->cpu_count++], cpu, forks);
		/* An offline CPU. */
		if (err == -ENODEV) {
			sideband->cpu_count--;
			err = 0;
		}
	}
	if (err)
		sideband_close(sideband);
	else
		*ret_sideband = sideband;
	return err;
}

/* The kernel wakes those who wait for a perf ring at each half of it, unless it is asked to do so more often. */
int sideband_watch(const struct sideband *sideband, int epoll_fd)
{
	for (unsigned int i = 0; i < sideband->cpu_count; i++) {
		struct epoll_event event = {.events = EPOLLIN};

		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, sideband->cpus[i].fd, &event))
			return -errno;
	}
	return 0;
}

void sideband_close(struct sideband *sideband)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!sideband)
		return;
	for (unsigned int i = 0; i < sideband->cpu_count; i++) {
		if (sideband->cpus[i].page)
			munmap(sideband->cpus[i].page, (DATA_PAGES + 1) * page);
		if (sideband->cpus[i].fd >= 0)
			close(sideband->cpus[i].fd);
	}
	for (size_t i = 0; i < sideband->record_count; i++)
		free(sideband->records[i].header);
	free(sideband->records);
	free(sideband);
}

/* Copy a record, which may wrap around the end of the ring. */
static int keep(struct sideband *sideband, const char *data, u64 mask, u64 at, u16 size)
{
	u64 offset = at & mask, first = mask + 1 - offset;
	char *copy = malloc(size);
	const struct sample_id *id;

	if (!copy || array_grow(&sideband->records, sideband->record_count, 1)) {
		free(copy);
		return -ENOMEM;
	}
	if (first > size)
		first = size;
	memcpy(copy, data + offset, first);
	memcpy(copy + first, data, size - first);
	id = (const void *)(copy + size - sizeof(*id));
	sideband->records[sideband->record_count++] = (struct record){
		.time_ns = id->time_ns,
		.header = (struct perf_event_header *)copy,
	};
	return 0;
}

static void count_lost(struct tracer *tracer, const struct tracee *tracee, u64 count)
{
	struct image *image = recorder_current(tracer->recorder, (u32)tracee->pid);

	if (image)
		image->ledger[COUNTER_MAP_LOST] += count;
}

static void count_all_lost(struct tracer *tracer, u64 count)
{
	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next)
		count_lost(tracer, tracee, count);
}

static void collect(struct tracer *tracer, const struct cpu_ring *ring)
{
	u64 mask = DATA_PAGES * (u64)sysconf(_SC_PAGESIZE) - 1;
	const char *data = (const char *)ring->page + ring->page->data_offset;
	u64 head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE), tail = ring->page->data_tail;
	struct perf_event_header header;

	/* The usual case, which should not take the kernel's cache line away. */
	if (tail == head)
		return;
	while (tail < head) {
		/* Records are 8-byte aligned, so a header never wraps. */
		memcpy(&header, data + (tail & mask), sizeof(header));
		if (header.size < sizeof(header) + sizeof(struct sample_id) || header.size > head - tail)
			break;
		if (keep(tracer->sideband, data, mask, tail, header.size))
			count_all_lost(tracer, 1);
		tail += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
}

static int by_time(const void *left, const void *right)
{
	const struct record *a = left, *b = right;

	return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

/* --- on the way to the recorder ------------------------------------------------------------------------------------- */

/* Is the process traced, or may it turn out to be? */
static bool concerns(const struct tracer *tracer, u32 pid)
{
	return tracer->population == POPULATION_CGROUP || tracer->population == POPULATION_ALL ||
	       tracee_find(tracer, (pid_t)pid) || recorder_announced(tracer->recorder, pid);
}

static void hand_map(struct tracer *tracer, const struct record *record)
{
	struct mmap2_body *body = (void *)(record->header + 1);
	struct tracee *tracee = tracee_find(tracer, (pid_t)body->pid);
	struct mapping mapping = {
		.start = body->addr,
		.end = body->addr + body->length,
		.file_offset = body->offset,
		.from_ns = record->time_ns,
		.path = body->path,
		.deleted = procfs_cut_deleted(body->path),
	};

	if (record->header->misc & MISC_MMAP_BUILD_ID) {
		mapping.build_id_size = body->build_id_size <= 20 ? body->build_id_size : 20;
		memcpy(mapping.build_id, body->build_id, mapping.build_id_size);
	} else {
		mapping.device = makedev(body->major, body->minor);
		mapping.inode = body->inode;
	}
	if (tracee && tracee_mappings_add(tracer, tracee, &mapping))
		count_lost(tracer, tracee, 1);
	/* The file is opened when the process turns out to be traced. */
	if (!tracee && concerns(tracer, body->pid))
		recorder_map(tracer->recorder, body->pid, &mapping);
}

static void hand(struct tracer *tracer, const struct record *record)
{
	const struct perf_event_header *header = record->header;
	const struct comm_body *comm = (const void *)(header + 1);
	const struct fork_body *fork = (const void *)(header + 1);
	/* A thread's name is not its process's. */
	bool exec = header->misc & PERF_RECORD_MISC_COMM_EXEC;

	switch (header->type) {
	case PERF_RECORD_MMAP2:
		hand_map(tracer, record);
		break;
	case PERF_RECORD_COMM:
		if ((exec || comm->pid == comm->tid) && concerns(tracer, comm->pid))
			recorder_comm(tracer->recorder, comm->pid, comm->comm, exec, record->time_ns);
		break;
	case PERF_RECORD_FORK:
		/* Not of a thread. Forks are reported to all who ask for mappings, and not everyone follows children. */
		if (tracer->population != POPULATION_LISTED && fork->pid != fork->parent)
			recorder_fork(tracer->recorder, fork->pid, fork->parent, record->time_ns);
		break;
	case PERF_RECORD_LOST:
		count_all_lost(tracer, ((const u64 *)(header + 1))[1]);
		break;
	default:
		break;
	}
}

void sideband_drain(struct tracer *tracer)
{
	struct sideband *sideband = tracer->sideband;
	size_t done = 0;

	tracer->sideband_ns = clock_now_ns();
	for (unsigned int i = 0; i < sideband->cpu_count; i++)
		collect(tracer, &sideband->cpus[i]);
	if (!sideband->record_count)
		return;
	qsort(sideband->records, sideband->record_count, sizeof(*sideband->records), by_time);
	for (; done < sideband->record_count && sideband->records[done].time_ns <= tracer->sideband_ns; done++) {
		hand(tracer, &sideband->records[done]);
		free(sideband->records[done].header);
	}
	sideband->record_count -= done;
	memmove(sideband->records, sideband->records + done, sideband->record_count * sizeof(*sideband->records));
}
