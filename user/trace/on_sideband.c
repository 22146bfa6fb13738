/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is traced, and what they map: the side-band's sink, which may call for other links. The ring's is in
 * on_ring.c; the state is the tracer's.
 */
#define HASH_NONFATAL_OOM	     1
#define uthash_nonfatal_oom(element) (out_of_memory = true)
#include "trace/on_sideband.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/settle.h"
#include "base/clock.h"
#include "binary/elf.h"
#include "base/log.h"
#include "system/cgroup.h"
#include "system/proc_maps.h"
#include "trace/close_unused.h"

#define ANNOUNCED_NS	   5000000000ULL /* how long at most the side-band is ahead of the ring */
#define LOOK_POPULATION_NS 1000000000ULL /* between two looks at a population, which may be thousands */

struct tracee *follow_find(const struct follow *follow, pid_t pid)
{
	struct tracee *tracee;

	HASH_FIND_INT(follow->traced, &pid, tracee);
	return tracee;
}

struct tracee *follow_add(struct follow *follow, pid_t pid, u32 scope, bool wide)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));
	bool out_of_memory = false;

	if (!tracee)
		return NULL;
	tracee->pid = pid;
	tracee->scope = scope;
	tracee->wide = wide;
	/* Of a population, most never have a sample. */
	tracee->listed = follow->population == POPULATION_LISTED;
	HASH_ADD_INT(follow->traced, pid, tracee);
	if (out_of_memory) {
		free(tracee);
		return NULL;
	}
	return tracee;
}

void follow_drop(struct follow *follow, struct tracee *tracee)
{
	struct scope *scope = kernel_scope(follow->kernel, tracee->scope);

	HASH_DEL(follow->traced, tracee);
	__atomic_store_n(&scope->process, 0, __ATOMIC_RELEASE);
	tracee_drop(&tracee->files, true);
	unwind_tables_withdraw(follow->tables, scope, clock_now_ns());
	kernel_give_scope(follow->kernel, tracee->scope);
	free(tracee);
}

/*
 * operator new is followed to its return only where that costs no program its life: not by links whose return legs are
 * there for every call.
 */
void follow_set_new_max(struct follow *follow, const struct tracee *tracee, u64 limit, u64 used)
{
	u32 new_max = follow->links.kind == ATTACH_SESSION ? cgroup_memory_new_max(limit, used) : 0;

	__atomic_store_n(&kernel_scope(follow->kernel, tracee->scope)->new_max, new_max, __ATOMIC_RELEASE);
}

void follow_publish(struct follow *follow, struct tracee *tracee, const struct image *image, u64 now_ns)
{
	tracee->remapped = false;
	/* Without room the programs do not know the mappings; its stacks are sent raw then. */
	unwind_tables_publish(follow->tables, kernel_scope(follow->kernel, tracee->scope), image->number,
			      image->mappings, now_ns);
}

void follow_sideband(struct follow *follow)
{
	follow->sideband_ns = sideband_drain(follow->sideband);
}

void follow_remapped(struct follow *follow, struct tracee *tracee)
{
	tracee->remapped = true;
	follow->remapped |= tracee->listed;
}

static void publish_remapped(struct follow *follow, u64 now_ns)
{
	follow->remapped = false;
	for (struct tracee *tracee = follow->traced; tracee; tracee = tracee->hh.next) {
		struct image *image;

		if (!tracee->remapped || !tracee->listed)
			continue;
		image = recorder_current(follow->recorder, (u32)tracee->pid);
		if (image && !image->ended)
			follow_publish(follow, tracee, image, now_ns);
	}
}

void follow_mappings(struct follow *follow, u64 now_ns)
{
	/* Called at each drain, and of thousands of processes nearly none map anything between two of them. */
	if (follow->remapped)
		publish_remapped(follow, now_ns);
	raw_stacks_settle(follow->unwinder, false);
}

static void probe(struct follow *follow, struct tracee *tracee, struct binary *file, const struct mapping *mapping)
{
	int err;

	if (!file || !file->plan || follow->stopping || tracee_has(&follow->links, tracee, file))
		return;
	err = tracee_probe(&follow->links, tracee, file);
	if (err)
		log_error("pid %d: cannot probe '%s': %s", tracee->pid, elf_path(file->elf), strerror(-err));
	else
		log_note("pid %d mapped '%s' %.1f ms ago; its allocations are seen from now on", tracee->pid,
			 elf_path(file->elf), (double)(clock_now_ns() - mapping->from_ns) / 1e6);
}

static int add_scanned(struct mapping *mapping, void *arg)
{
	return address_map_add(arg, mapping);
}

int follow_open(struct follow *follow, struct tracee *tracee, struct image *image)
{
	struct address_map *known = image->mappings, *opened = address_map_new();
	int err = opened ? 0 : -ENOMEM;

	/* It was not announced: it has come from somewhere else. */
	if (!err && !address_map_count(known))
		proc_maps_for_each(tracee->pid, add_scanned, known);
	for (u32 i = 0; i < address_map_count(known) && !err; i++) {
		struct mapping mapping = *address_map_get(known, i);
		struct binary *file = NULL;

		if (!mapping.elf)
			err = binaries_open_mapping(follow->binaries, tracee->pid, &mapping, &file);
		if (!err)
			err = address_map_add(opened, &mapping);
		probe(follow, tracee, file, &mapping);
	}
	if (err) {
		address_map_free(opened);
		return err;
	}
	image->mappings = opened;
	address_map_free(known);
	follow_remapped(follow, tracee);
	return 0;
}

void follow_end_unheard(struct follow *follow, struct image *image, u64 now_ns)
{
	if (!image || image->ended)
		return;
	recorder_end(follow->recorder, image, now_ns);
	settle_end(follow->kernel, image);
}

/* Its exit has been heard of once the ring has been empty: unless that found it full. */
static bool is_gone(struct follow *follow, struct tracee *tracee)
{
	if (__atomic_load_n(&kernel_scope(follow->kernel, tracee->scope)->pid, __ATOMIC_ACQUIRE))
		return false;
	if (!tracee->gone)
		tracee->gone = follow->emptied;
	return follow->emptied > tracee->gone;
}

void follow_look(struct follow *follow, u64 now_ns)
{
	bool all = follow->population == POPULATION_LISTED;
	struct tracee *tracee, *next;

	if (!all && now_ns - follow->looked_ns < LOOK_POPULATION_NS)
		return;
	follow->looked_ns = now_ns;
	recorder_expire(follow->recorder, now_ns > ANNOUNCED_NS ? now_ns - ANNOUNCED_NS : 0);
	HASH_ITER (hh, follow->traced, tracee, next) {
		struct image *image = recorder_current(follow->recorder, (u32)tracee->pid);

		if (image && !image->ended && (all || image->heap.alloc_count))
			settle_look(image);
		if (is_gone(follow, tracee)) {
			follow_end_unheard(follow, image, now_ns);
			follow_drop(follow, tracee);
		}
	}
	close_unused_links(follow);
}

/* Is the process traced, or may it turn out to be? */
static bool concerns(const struct follow *follow, u32 pid)
{
	return follow->population == POPULATION_CGROUP || follow->population == POPULATION_ALL ||
	       follow_find(follow, (pid_t)pid) || recorder_announced(follow->recorder, pid);
}

void follow_comm(void *arg, u32 pid, const char *comm, bool exec, u64 time_ns)
{
	struct follow *follow = arg;

	if (concerns(follow, pid))
		recorder_comm(follow->recorder, pid, comm, exec, time_ns);
}

void follow_fork(void *arg, u32 pid, u32 parent, u64 time_ns)
{
	struct follow *follow = arg;

	recorder_fork(follow->recorder, pid, parent, time_ns);
}

static void count_lost(struct follow *follow, const struct tracee *tracee, u64 count)
{
	struct image *image = recorder_current(follow->recorder, (u32)tracee->pid);

	if (image)
		image->ledger[COUNTER_MAP_LOST] += count;
}

void follow_map(void *arg, u32 pid, struct mapping *mapping)
{
	struct follow *follow = arg;
	struct tracee *tracee = follow_find(follow, (pid_t)pid);
	struct binary *file;
	int err;

	/* What it maps is opened when it turns out to be traced. */
	if (!tracee) {
		if (concerns(follow, pid))
			recorder_map(follow->recorder, pid, mapping);
		return;
	}
	err = binaries_open_mapping(follow->binaries, tracee->pid, mapping, &file);
	if (!err)
		err = recorder_map(follow->recorder, pid, mapping);
	if (err) {
		count_lost(follow, tracee, 1);
		return;
	}
	follow_remapped(follow, tracee);
	probe(follow, tracee, file, mapping);
}

void follow_lost(void *arg, u64 count)
{
	struct follow *follow = arg;

	for (struct tracee *tracee = follow->traced; tracee; tracee = tracee->hh.next)
		count_lost(follow, tracee, count);
}
