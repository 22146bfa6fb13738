/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaching: from a pid to a scope, an image, its mappings and probes. Called by the tracer. */
#include "trace/attach_process.h"

#include <errno.h>
#include <stdlib.h>

#include "system/cgroup.h"
#include "base/status.h"
#include "base/clock.h"
#include "system/cgroup_mounts.h"
#include "base/log.h"
#include "system/proc_maps.h"
#include "system/procfs.h"
#include "probe/loader_list.h"
#include "trace/attach_method.h"

#define TABLES_WAIT_MS 300 /* for unwind tables, before tracing starts without those that take longer */

/* A scope for the process, which is what the programs go by; its first image is `process`, 0 when that begins with an
 * exec. 0; -EEXIST: the programs have it already; -ENOSPC, -ENOMEM. */
static int begin(struct follow *follow, pid_t pid, u32 process, struct tracee **ret_traced)
{
	bool wide = follow->wide || !follow->calibration.filter_is_right || (process && procfs_live_thread(pid) != pid);
	u32 number = kernel_draw_scope(follow->kernel);
	struct scope *scope = kernel_scope(follow->kernel, number);
	struct tracee *tracee = number ? follow_add(follow, pid, number, wide) : NULL;
	int err;

	if (!tracee)
		return number ? -ENOMEM : -ENOSPC;
	scope->pid = (u32)pid;
	scope->wide = wide;
	scope->told = 1;
	scope->new_max = 0;
	__atomic_store_n(&scope->process, process, __ATOMIC_RELEASE);
	err = kernel_add_pid(follow->kernel, (u32)pid, number);
	if (err) {
		follow_drop(follow, tracee);
		return err;
	}
	*ret_traced = tracee;
	return 0;
}

/* The way back: nothing of it was traced. False: it has ended meanwhile, and goes when that is heard of. */
static bool withdraw(struct follow *follow, struct tracee *tracee)
{
	if (!kernel_remove_pid(follow->kernel, (u32)tracee->pid))
		return false;
	follow_drop(follow, tracee);
	return true;
}

struct scan {
	struct follow *follow;
	struct image *process;
	pid_t pid;
	unsigned int searched;
};

static int scan_mapping(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;
	struct binary *file;
	int err = binaries_open_mapping(scan->follow->binaries, scan->pid, mapping, &file);

	if (err)
		return err;
	scan->searched += file != NULL;
	/* Its table is made while the other files are looked at. */
	if (file && scan->follow->population == POPULATION_LISTED)
		err = unwind_tables_request(scan->follow->tables, file->elf);
	return err ? err : address_map_add(scan->process->mappings, mapping);
}

/* An image for the process, with all that /proc says of it. 0 or negative errno, with nothing left of it in the
 * programs. */
static int take_down(struct follow *follow, struct scan *scan, struct tracee **ret_traced)
{
	u32 number = kernel_draw_process(follow->kernel);
	int err = number ? begin(follow, scan->pid, number, ret_traced) : -ENOSPC;

	if (err) {
		if (number)
			kernel_give_process(follow->kernel, number);
		return err;
	}
	err = recorder_begin(follow->recorder, number, (u32)scan->pid, (*ret_traced)->scope, clock_now_ns(),
			     &scan->process);
	if (!err) {
		settle_facts(&follow->sources, scan->process, NULL, false);
		scan->process->cpu_start_ns = procfs_cpu_ns(scan->pid);
		follow_set_new_max(follow, *ret_traced, scan->process->memory_limit, scan->process->memory_used);
		err = proc_maps_for_each(scan->pid, scan_mapping, scan);
	}
	if (err && withdraw(follow, *ret_traced) && scan->process) {
		recorder_end(follow->recorder, scan->process, clock_now_ns());
		settle_end(follow->kernel, scan->process);
	}
	return err;
}

/* Probe every allocator among the files the process maps. */
static int probe_mapped(struct follow *follow, struct tracee *tracee, const struct image *image)
{
	int err = 0;

	for (struct binary *file = binaries_files(follow->binaries); file && !err; file = file->next) {
		bool mapped = false;

		for (u32 i = 0; i < address_map_count(image->mappings) && !mapped && file->plan; i++)
			mapped = address_map_get(image->mappings, i)->elf == file->elf;
		if (mapped)
			err = tracee_probe(&follow->links, tracee, file);
	}
	return err;
}

static int failed(pid_t pid, int err)
{
	if (procfs_live_thread(pid))
		return attach_method_explain("attach to the process", err);
	log_note("pid %d exited while heaptap was attaching; its profile is what was seen until then", pid);
	return STATUS_DONE;
}

/* The tables first, as far as they are quick: a stack without them costs up to 16 KiB of ring. */
static void wait_for_tables(struct follow *follow, struct tracee *tracee, u64 start_ns)
{
	int waited;

	follow_remapped(follow, tracee);
	follow_mappings(follow, clock_now_ns());
	waited = (int)((clock_now_ns() - start_ns) / 1000000);
	if (waited < TABLES_WAIT_MS)
		unwind_tables_wait(follow->tables, TABLES_WAIT_MS - waited);
}

static int say_nothing_to_probe(const struct follow *follow, const struct scan *scan)
{
	if (binaries_denied(follow->binaries))
		log_error("pid %d: cannot open '%s' as it maps it (replaced or deleted since it started?); restart the "
			  "service, or run heaptap with CAP_CHECKPOINT_RESTORE",
			  scan->pid, binaries_denied(follow->binaries));
	else
		log_error("pid %d: no allocator heaptap knows in the %u files it maps (%s); looked for " ALLOCATOR_NAMES
			  ", see 'heaptap doctor -p %d'",
			  scan->pid, scan->searched, binaries_names(follow->binaries), scan->pid);
	return STATUS_NO_TARGET;
}

int attach_process(struct follow *follow, pid_t pid)
{
	struct scan scan = {.follow = follow, .pid = pid};
	struct tracee *tracee = NULL;
	u64 start = clock_now_ns();
	int err = take_down(follow, &scan, &tracee);

	if (err == -EEXIST)
		return STATUS_DONE;
	if (err)
		return failed(pid, err);
	wait_for_tables(follow, tracee, start);
	/* What the profile tells of begins here, not where the preparations did. */
	scan.process->start_ns = clock_now_ns();
	err = probe_mapped(follow, tracee, scan.process);
	if (err) {
		withdraw(follow, tracee);
		return failed(pid, err);
	}
	if (tracee_any(&follow->links, tracee))
		return STATUS_DONE;
	withdraw(follow, tracee);
	return say_nothing_to_probe(follow, &scan);
}

int attach_program(struct follow *follow, pid_t pid, const char *path)
{
	struct tracee *tracee;
	struct binary *file;
	char *directory, *group;
	u64 limit = 0, used = 0;
	int err = begin(follow, pid, 0, &tracee);

	if (err)
		return attach_method_explain("begin tracing", err);
	if (follow->sources.hierarchy && !cgroup_mounts_memory(follow->sources.hierarchy, pid, &directory, &group)) {
		cgroup_memory(directory, group, &limit, &used);
		free(directory);
		free(group);
	}
	follow_set_new_max(follow, tracee, limit, used);
	err = path ? loader_list_open(follow->binaries, path) : 0;
	for (file = binaries_files(follow->binaries); file && !err; file = file->next) {
		err = unwind_tables_request(follow->tables, file->elf);
		if (!err && file->plan)
			err = tracee_probe(&follow->links, tracee, file);
	}
	unwind_tables_wait(follow->tables, TABLES_WAIT_MS);
	if (err) {
		withdraw(follow, tracee);
		return failed(pid, err);
	}
	/* Of a population, its children may have one. */
	if (tracee_any(&follow->links, tracee) || follow->population != POPULATION_LISTED)
		return STATUS_DONE;
	log_error("'%s': no allocator heaptap knows in the files it will map (%s); looked for " ALLOCATOR_NAMES, path,
		  binaries_names(follow->binaries));
	return STATUS_NO_TARGET;
}

/* True when the process is there and maps code: it is a program's, not the kernel's own. */
static bool enlist_one(struct follow *follow, pid_t pid, int *ret_err)
{
	struct scan scan = {.follow = follow, .pid = pid};
	struct tracee *tracee = NULL;
	int err;

	if (!procfs_maps_code(pid))
		return false;
	err = take_down(follow, &scan, &tracee);
	if (err == -EEXIST)
		return true;
	if (!err)
		err = probe_mapped(follow, tracee, scan.process);
	if (err == -ENOMEM || err == -ENOSPC)
		*ret_err = err;
	return !err;
}

int attach_population(struct follow *follow, const pid_t *pids, unsigned int count, unsigned int *ret_attached)
{
	int err = 0;

	*ret_attached = 0;
	for (unsigned int i = 0; i < count && !err; i++)
		*ret_attached += enlist_one(follow, pids[i], &err);
	return err ? attach_method_explain("begin tracing", err) : STATUS_DONE;
}
