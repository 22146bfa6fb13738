/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/attach.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace/uprobe_link.h"

#define DESCRIPTORS_MAX (4 * RANGES_MAX) /* perf: entry and return, a link and an event each */

struct attach {
	int fds[DESCRIPTORS_MAX];
	unsigned int count;
};

/* Offsets and cookies of a plan. */
struct sites {
	u64 offsets[RANGES_MAX], cookies[RANGES_MAX];
	u32 count;
	u32 returning, returning_count; /* those with a return leg: the first, and how many from there on */
};

/*
 * In the order in which the kernel puts them into running code, one by one: in a program that starts meanwhile no allocation
 * must be seen whose free is not.
 */
enum part {
	FREEING,
	MOVING, /* free one object and allocate another */
	RETURNING,
	THROWING, /* a return leg would end the program (see call_may_throw in alloc.bpf.c) */
};

const char *attach_kind_name(enum attach_kind kind)
{
	static const char *const names[] = {"none", "session", "multi", "perf"};

	return names[kind];
}

u32 attach_kind_type(enum attach_kind kind)
{
	return kind == ATTACH_SESSION ? ATTACH_UPROBE_SESSION : kind == ATTACH_MULTI ? ATTACH_UPROBE_MULTI : 0;
}

static enum part part_of(enum call_kind kind)
{
	switch (kind) {
	case CALL_FREE:
		return FREEING;
	case CALL_REALLOC:
	case CALL_RESIZE:
		return MOVING;
	default:
		return kind >= CALL_NEW ? THROWING : RETURNING;
	}
}

static void add_sites(struct sites *sites, const struct plan *plan, u32 scope, u32 allocator, enum part part)
{
	for (u32 i = 0; i < plan->probe_count; i++) {
		if (part_of(plan->probes[i].kind) != part)
			continue;
		sites->offsets[sites->count] = plan->probes[i].offset;
		sites->cookies[sites->count++] = plan_cookie(&plan->probes[i], scope, allocator);
	}
}

static int keep(struct attach *attach, int fd)
{
	if (fd < 0)
		return fd;
	attach->fds[attach->count++] = fd;
	return 0;
}

/* The entries of all sites, or with `ret` the returns of those that want one. */
static int open_leg(struct attach *attach, enum attach_kind kind, int prog_fd, const char *path,
		    const struct sites *sites, pid_t pid, bool ret)
{
	u32 first = ret ? sites->returning : 0, count = ret ? sites->returning_count : sites->count;
	int err = 0;

	if (kind != ATTACH_PERF && count)
		return keep(attach,
			    uprobe_link_create_multi(prog_fd, attach_kind_type(kind), path, sites->offsets + first,
						     sites->cookies + first, count, pid, ret));
	for (u32 i = first; i < first + count && !err; i++) {
		int perf_fd = -1;

		err = keep(attach, uprobe_link_create_perf(prog_fd, path, sites->offsets[i], sites->cookies[i], pid,
							   ret, &perf_fd));
		if (!err)
			keep(attach, perf_fd);
	}
	return err;
}

static int open_legs(struct attach *attach, enum attach_kind kind, const struct attach_programs *programs,
		     const char *path, const struct sites *sites, pid_t pid)
{
	int err;

	if (kind == ATTACH_SESSION)
		return open_leg(attach, kind, programs->session, path, sites, pid, false);
	/* Return legs first: an entry without its return would be remembered in vain. */
	err = open_leg(attach, kind, programs->leave, path, sites, pid, true);
	return err ? err : open_leg(attach, kind, programs->enter, path, sites, pid, false);
}

int attach_open(enum attach_kind kind, const struct attach_programs *programs, int fd, const struct plan *plan,
		pid_t pid, u32 scope, u32 allocator, unsigned int leave_out, struct attach **ret_attach)
{
	struct attach *attach = calloc(1, sizeof(*attach));
	struct sites sites = {.count = 0};
	char path[64];
	int err;

	if (!attach)
		return -ENOMEM;
	if (!(leave_out & (ATTACH_NO_FREE | ATTACH_NO_OTHERS)))
		add_sites(&sites, plan, scope, allocator, FREEING);
	sites.returning = sites.count;
	if (!(leave_out & ATTACH_NO_OTHERS)) {
		add_sites(&sites, plan, scope, allocator, MOVING);
		add_sites(&sites, plan, scope, allocator, RETURNING);
	}
	sites.returning_count = sites.count - sites.returning;
	if (!(leave_out & ATTACH_NO_NEW))
		add_sites(&sites, plan, scope, allocator, THROWING);
	/* The descriptor's own name is the inode itself, whatever became of its path. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = sites.count ? open_legs(attach, kind, programs, path, &sites, pid) : 0;
	if (err)
		attach_close(attach);
	else
		*ret_attach = attach;
	return err;
}

static void *close_one(void *fd)
{
	close(*(int *)fd);
	return NULL;
}

/*
 * Attached by perf there are thirty descriptors, and the kernel waits a tenth of a second for most of them: threads wait for several
 * at once. A link keeps its event, so their order does not matter.
 */
void attach_close(struct attach *attach)
{
	pthread_t threads[DESCRIPTORS_MAX];
	unsigned int waiting = 0;

	if (!attach)
		return;
	for (unsigned int i = 0; i < attach->count; i++) {
		if (attach->count > 2 && !pthread_create(&threads[waiting], NULL, close_one, &attach->fds[i]))
			waiting++;
		else
			close(attach->fds[i]);
	}
	while (waiting)
		pthread_join(threads[--waiting], NULL);
	free(attach);
}

/* Links that threads are removing. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t none;
	unsigned int count;
} closing = {.mutex = PTHREAD_MUTEX_INITIALIZER, .none = PTHREAD_COND_INITIALIZER};

static void *closer(void *arg)
{
	attach_close(arg);
	pthread_mutex_lock(&closing.mutex);
	if (!--closing.count)
		pthread_cond_broadcast(&closing.none);
	pthread_mutex_unlock(&closing.mutex);
	return NULL;
}

void attach_close_later(struct attach *attach)
{
	pthread_t thread;
	int err;

	if (!attach)
		return;
	pthread_mutex_lock(&closing.mutex);
	err = pthread_create(&thread, NULL, closer, attach);
	closing.count += !err;
	pthread_mutex_unlock(&closing.mutex);
	if (err)
		attach_close(attach);
	else
		pthread_detach(thread);
}

void attach_wait_closed(void)
{
	pthread_mutex_lock(&closing.mutex);
	while (closing.count)
		pthread_cond_wait(&closing.none, &closing.mutex);
	pthread_mutex_unlock(&closing.mutex);
}
