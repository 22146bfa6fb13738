/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/attach_process.h"

#include <errno.h>
#include <stdlib.h>

#include "system/cgroup.h"
#include "base/status.h"
#include "base/clock.h"
#include "probe/loader_list.h"
#include "system/cgroup_mounts.h"
#include "base/log.h"
#include "system/proc_maps.h"
#include "system/procfs.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"
#include "trace/translated.h"

#define TABLES_WAIT_MS 300 /* for unwind tables, before tracing starts without those that take longer */

/*
 * Give the process a scope, which is what the programs go by; its first image is `process`, 0 when that begins with an exec.
 * 0; -EEXIST: the programs trace it already; -ENOSPC, -ENOMEM.
 */
static int begin(struct tracer *tracer, pid_t pid, u32 process, struct tracee **ret_tracee)
{
	bool wide = tracer->wide || !tracer->calibration.filter_is_right || (process && procfs_live_thread(pid) != pid);
	u32 number = kernel_draw_scope(tracer->kernel);
	struct scope *scope = kernel_scope(tracer->kernel, number);
	struct tracee *tracee = number ? tracee_add(tracer, pid, number, wide) : NULL;
	int err;

	if (!tracee)
		return number ? -ENOMEM : -ENOSPC;
	scope->pid = (u32)pid;
	scope->wide = wide;
	scope->told = 1;
	scope->new_max = 0;
	__atomic_store_n(&scope->process, process, __ATOMIC_RELEASE);
	err = kernel_add_pid(tracer->kernel, (u32)pid, number);
	if (err) {
		tracee_drop(tracer, tracee);
		return err;
	}
	*ret_tracee = tracee;
	return 0;
}

/* Undo begin: nothing was traced. False: the process has ended meanwhile, and is dropped when the event of that comes. */
static bool withdraw(struct tracer *tracer, struct tracee *tracee)
{
	if (!kernel_remove_pid(tracer->kernel, (u32)tracee->pid))
		return false;
	tracee_drop(tracer, tracee);
	return true;
}

/* A process that runs already. */
struct scan {
	struct tracer *tracer;
	pid_t pid;
	struct tracee *tracee;
	struct image *image;
	unsigned int searched;
};

static int scan_mapping(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;
	struct binary *file;
	int err = binaries_open_mapping(scan->tracer->binaries, scan->pid, mapping, &file);

	if (err)
		return err;
	scan->searched += file != NULL;
	/* Its table is made while the other files are looked at. */
	if (file && scan->tracer->population == POPULATION_LISTED)
		err = unwind_tables_request(scan->tracer->tables, file->elf);
	return err ? err : address_map_add(scan->image->mappings, mapping);
}

/*
 * Begin to trace the process, with an image for it and all that /proc says. 0, or negative errno with nothing left of it in
 * the programs.
 */
static int begin_image(struct scan *scan)
{
	struct tracer *tracer = scan->tracer;
	u32 number = kernel_draw_process(tracer->kernel);
	int err = number ? begin(tracer, scan->pid, number, &scan->tracee) : -ENOSPC;

	if (err) {
		if (number)
			kernel_give_process(tracer->kernel, number);
		return err;
	}
	err = recorder_begin(tracer->recorder, number, (u32)scan->pid, scan->tracee->scope, clock_now_ns(),
			     &scan->image);
	if (!err) {
		settle_facts(&tracer->sources, scan->image, NULL, false);
		scan->image->cpu_start_ns = procfs_cpu_ns(scan->pid);
		tracee_set_new_max(tracer, scan->tracee, scan->image->memory_limit, scan->image->memory_used);
		err = proc_maps_for_each(scan->pid, scan_mapping, scan);
	}
	if (err && withdraw(tracer, scan->tracee))
		settle_end_without_event(tracer->kernel, tracer->recorder, scan->image, clock_now_ns());
	return err;
}

/* Probe every allocator among the files the process maps. */
static int probe_mapped(struct scan *scan)
{
	int err = 0;

	for (struct binary *file = binaries_files(scan->tracer->binaries); file && !err; file = file->next)
		if (file->plan && address_map_has(scan->image->mappings, file->elf))
			err = tracee_probe(scan->tracer, scan->tracee, file);
	return err;
}

static int failed(pid_t pid, int err)
{
	if (err == TRANSLATED)
		return STATUS_NO_TARGET;
	if (procfs_live_thread(pid))
		return attach_method_explain("attach to the process", err);
	log_note("pid %d exited while heaptap was attaching; its profile is what was seen until then", pid);
	return STATUS_DONE;
}

/* Wait for the tables, as far as they are quick: a stack without them costs up to 16 KiB of ring. */
static void wait_for_tables(struct tracer *tracer, struct tracee *tracee, u64 start_ns)
{
	int waited;

	tracee_mappings_changed(tracer, tracee);
	tracee_mappings_publish_changed(tracer);
	waited = (int)((clock_now_ns() - start_ns) / 1000000);
	if (waited < TABLES_WAIT_MS)
		unwind_tables_wait(tracer->tables, TABLES_WAIT_MS - waited);
}

static int say_nothing_to_probe(const struct scan *scan)
{
	const struct binaries *binaries = scan->tracer->binaries;

	if (binaries_denied(binaries))
		log_error("pid %d: cannot open '%s' as it maps it (replaced or deleted since it started?); restart the "
			  "service, or run heaptap with CAP_CHECKPOINT_RESTORE",
			  scan->pid, binaries_denied(binaries));
	else
		log_error("pid %d: no allocator heaptap knows in the %u files it maps (%s); looked for " ALLOCATOR_NAMES
			  ", see 'heaptap doctor -p %d'",
			  scan->pid, scan->searched, binaries_names(binaries), scan->pid);
	return STATUS_NO_TARGET;
}

int attach_process(struct tracer *tracer, pid_t pid)
{
	struct scan scan = {.tracer = tracer, .pid = pid};
	u64 start = clock_now_ns();
	int err = translated_check_process(tracer, pid);

	if (!err)
		err = begin_image(&scan);
	if (err == -EEXIST)
		return STATUS_DONE;
	if (err)
		return failed(pid, err);
	wait_for_tables(tracer, scan.tracee, start);
	/* The profile begins here, not where the preparations did. */
	scan.image->start_ns = clock_now_ns();
	err = probe_mapped(&scan);
	if (!err && tracee_any(tracer, scan.tracee))
		return STATUS_DONE;
	withdraw(tracer, scan.tracee);
	return err ? failed(pid, err) : say_nothing_to_probe(&scan);
}

int attach_program(struct tracer *tracer, pid_t pid, const char *path)
{
	struct tracee *tracee;
	struct binary *file;
	char *directory, *group;
	u64 limit = 0, used = 0;
	int err = translated_check_program(tracer, path);

	if (!err)
		err = begin(tracer, pid, 0, &tracee);
	if (err == TRANSLATED)
		return STATUS_NO_TARGET;
	if (err)
		return attach_method_explain("begin tracing", err);
	if (tracer->sources.mounts && !cgroup_mounts_memory(tracer->sources.mounts, pid, &directory, &group)) {
		cgroup_memory(directory, group, &limit, &used);
		free(directory);
		free(group);
	}
	tracee_set_new_max(tracer, tracee, limit, used);
	err = tracer->files_known ? 0 : loader_list_open(tracer->binaries, path);
	for (file = binaries_files(tracer->binaries); file && !err; file = file->next) {
		err = unwind_tables_request(tracer->tables, file->elf);
		if (!err && file->plan)
			err = tracee_probe(tracer, tracee, file);
	}
	unwind_tables_wait(tracer->tables, TABLES_WAIT_MS);
	if (err) {
		withdraw(tracer, tracee);
		return failed(pid, err);
	}
	/* In a population, its children may have an allocator. */
	if (tracee_any(tracer, tracee) || tracer->population != POPULATION_LISTED)
		return STATUS_DONE;
	log_error("'%s': no allocator heaptap knows in the files it will map (%s); looked for " ALLOCATOR_NAMES, path,
		  binaries_names(tracer->binaries));
	return STATUS_NO_TARGET;
}

/* False: the process has gone, or is the kernel's own. */
static bool attach_member(struct tracer *tracer, pid_t pid, int *ret_err)
{
	struct scan scan = {.tracer = tracer, .pid = pid};
	int err;

	if (!procfs_maps_code(pid))
		return false;
	err = begin_image(&scan);
	if (err == -EEXIST)
		return true;
	if (!err)
		err = probe_mapped(&scan);
	if (err == -ENOMEM || err == -ENOSPC || err == TRANSLATED)
		*ret_err = err;
	return !err;
}

int attach_processes(struct tracer *tracer, const pid_t *pids, unsigned int count, unsigned int *ret_attached)
{
	int err = 0;

	*ret_attached = 0;
	for (unsigned int i = 0; i < count && !err; i++)
		*ret_attached += attach_member(tracer, pids[i], &err);
	if (err == TRANSLATED)
		return STATUS_NO_TARGET;
	return err ? attach_method_explain("begin tracing", err) : STATUS_DONE;
}
