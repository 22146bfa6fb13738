/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/attach_process.h"

#include <errno.h>
#include <stdlib.h>

#include "system/cgroup.h"
#include "base/status.h"
#include "base/clock.h"
#include "probe/loader_list.h"
#include "probe/program_runtime.h"
#include "system/cgroup_mounts.h"
#include "base/log.h"
#include "system/proc_maps.h"
#include "system/shortage.h"
#include "system/procfs.h"
#include "trace/denial.h"
#include "trace/go_due.h"
#include "trace/go_reader.h"
#include "trace/handover.h"
#include "trace/injected.h"
#include "trace/pool_notice.h"
#include "trace/tracee.h"
#include "trace/tracee_mappings.h"
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

	if (!tracee && number)
		kernel_give_scope(tracer->kernel, number);
	if (!tracee)
		return number ? -ENOMEM : -ENOSPC;
	scope->pid = (u32)pid;
	scope->wide = wide;
	scope->told = 1;
	scope->new_max = 0;
	scope->victim_pages = 0;
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

/*
 * Before tracing starts: a stack without its tables costs up to 16 KiB of ring. Where samples come thick, all tables as far as they are
 * quick, else those of nearly every stack.
 */
static void wait_for_tables(struct tracer *tracer, int milliseconds)
{
	if (tracer->dense)
		unwind_tables_wait(tracer->tables, milliseconds);
	else
		unwind_tables_wait_urgent(tracer->tables, milliseconds);
}

static int scan_mapping(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;
	struct binary *file;
	int err = binaries_open_mapping(scan->tracer->binaries, scan->pid, mapping, &file);

	if (err)
		return err;
	scan->searched += file != NULL;
	/*
	 * The program and libc, which has an allocator, are at nearly every stack's root: their tables are made while the other files are
	 * looked at. The others are requested with the list, so that no large one is under way when these are waited for.
	 */
	if (file && scan->tracer->population == POPULATION_LISTED && (file->plan || scan->searched == 1))
		err = unwind_tables_hurry(scan->tracer->tables, file->elf);
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
		settle_facts(&tracer->sources, &tracer->cgroup_limit, scan->image, NULL, false);
		scan->image->cpu_start_ns = procfs_cpu_ns(scan->pid);
		tracee_set_new_max(tracer, scan->tracee, scan->image->memory_limit, scan->image->memory_used);
		err = proc_maps_for_each(scan->pid, scan_mapping, scan);
	}
	if (err && withdraw(tracer, scan->tracee))
		settle_end_without_event(tracer->kernel, tracer->recorder, scan->image, clock_now_ns());
	return err;
}

/* By the sampler in its memory, or by probes. */
static int probe_one(struct scan *scan, struct binary *file)
{
	int err = -ECANCELED;

	if (scan->tracer->inject_bytes && !scan->tracee->wide && address_map_has(scan->image->mappings, file->elf))
		err = injected_open(scan->tracer, scan->tracee, scan->image, file);
	return err == -ECANCELED ? tracee_probe(scan->tracer, scan->tracee, file) : err;
}

/* Probe every allocator among the files the process maps. */
static int probe_mapped(struct scan *scan)
{
	int err = -ECANCELED;

	if (scan->tracer->inject_bytes && scan->tracee->wide)
		err = handover_begin(scan->tracer, scan->tracee, scan->image);
	if (err != -ECANCELED)
		return err;
	err = 0;
	for (struct binary *file = binaries_files(scan->tracer->binaries); file && !err; file = file->next)
		if (file->plan && (file->named || address_map_has(scan->image->mappings, file->elf)))
			err = probe_one(scan, file);
	scan->tracee->probes_stay |= !scan->tracee->wide;
	return err;
}

static int failed(pid_t pid, int err)
{
	if (err == TRANSLATED)
		return STATUS_NO_TARGET;
	/* Without a descriptor, no process can be looked at. */
	if (shortage_is(err) || procfs_live_thread(pid))
		return attach_method_explain("attach to the process", err);
	log_note("pid %d exited while heaptap was attaching; its profile is what was seen until then", pid);
	return STATUS_DONE;
}

static void publish_and_wait(struct tracer *tracer, struct tracee *tracee, u64 start_ns)
{
	int waited;

	tracee_mappings_changed(tracer, tracee);
	tracee_mappings_publish_changed(tracer);
	waited = (int)((clock_now_ns() - start_ns) / 1000000);
	if (waited < TABLES_WAIT_MS)
		wait_for_tables(tracer, TABLES_WAIT_MS - waited);
}

/* The files that were not searched for an allocator; NULL: all were. */
static const struct unopened *unsearched(const struct binaries *binaries)
{
	if (binaries_unopened(binaries)->lacking.count)
		return &binaries_unopened(binaries)->lacking;
	return binaries_unopened(binaries)->denied.count ? &binaries_unopened(binaries)->denied : NULL;
}

/* Where the memory of such a program is instead, if that is known. */
static void say_runtime(const struct binaries *binaries)
{
	const struct language_runtime *runtime = program_runtime(binaries);

	if (runtime)
		log_error("it is %s: %s; see docs/languages.md", runtime->name, runtime->memory);
}

static int say_nothing_to_probe(const struct scan *scan)
{
	const struct binaries *binaries = scan->tracer->binaries;
	const struct unopened *unopened = unsearched(binaries);
	char why[DENIAL_TEXT_MAX];

	if (unopened) {
		log_error("pid %d: '%s', which it maps, cannot be opened: %s", scan->pid, unopened->path,
			  denial_explain_file(scan->pid, unopened->err, why));
		return denial_status(scan->pid, unopened->err);
	}
	if (!scan->searched) {
		log_error("pid %d maps no ELF file, in which an allocator could be found; see 'heaptap doctor -p %d'",
			  scan->pid, scan->pid);
		return STATUS_NO_TARGET;
	}
	log_error("pid %d: no allocator heaptap knows in the %u files it maps (%s); looked for " ALLOCATOR_NAMES
			  ALLOCATOR_OTHERS "; see 'heaptap doctor -p %d'",
		  scan->pid, scan->searched, binaries_names(binaries), scan->pid);
	say_runtime(binaries);
	return STATUS_NO_TARGET;
}

static int say_unreadable(pid_t pid)
{
	char why[DENIAL_TEXT_MAX];

	log_error("pid %d: its mappings may not be read: %s", pid, denial_explain_process(why));
	return STATUS_UNSUPPORTED;
}

/* Can the process's own profile be read, or will it be soon? */
static bool has_go(const struct scan *scan)
{
	enum go_state state = go_reader_look(scan->tracer, scan->tracee, scan->image, true);

	return state == GO_STARTS || state == GO_READ;
}

int attach_process(struct tracer *tracer, pid_t pid)
{
	struct scan scan = {.tracer = tracer, .pid = pid};
	u64 start = clock_now_ns();
	int err = translated_check_process(tracer, pid), status;

	if (!err)
		err = begin_image(&scan);
	if (err == -EEXIST)
		return STATUS_DONE;
	if (err == -EACCES || err == -EPERM)
		return say_unreadable(pid);
	if (err)
		return failed(pid, err);
	publish_and_wait(tracer, scan.tracee, start);
	/* The profile begins here, not where the preparations did. */
	scan.image->start_ns = clock_now_ns();
	status = pool_notice_check(tracer);
	err = status ? 0 : probe_mapped(&scan);
	if (!err && !status && (has_go(&scan) || tracee_any(tracer, scan.tracee))) {
		python_tables_look(tracer);
		return STATUS_DONE;
	}
	withdraw(tracer, scan.tracee);
	if (status)
		return status;
	/* One that has ended meanwhile maps nothing any more. */
	if (!err && !procfs_live_thread(pid))
		err = -ESRCH;
	return err ? failed(pid, err) : say_nothing_to_probe(&scan);
}

static int say_nothing_in_program(const struct tracer *tracer, pid_t pid, const char *path)
{
	const struct unopened *lacking = &binaries_unopened(tracer->binaries)->lacking;
	char why[DENIAL_TEXT_MAX];

	if (lacking->count) {
		log_error("'%s': '%s', which it will map, cannot be opened: %s", path, lacking->path,
			  denial_explain_file(pid, lacking->err, why));
		return STATUS_FAILED;
	}
	log_error("'%s': no allocator heaptap knows in the files it will map (%s); looked for " ALLOCATOR_NAMES
			  ALLOCATOR_OTHERS,
		  path, binaries_names(tracer->binaries));
	say_runtime(tracer->binaries);
	return STATUS_NO_TARGET;
}

int attach_program(struct tracer *tracer, pid_t pid, const char *path)
{
	struct tracee *tracee;
	struct binary *file;
	char *directory, *group;
	u64 limit = 0, used = 0;
	int err = translated_check_program(tracer, path), status;
	bool unknown;

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
	/* What cannot be read: its exec tells what is wrong with it, else its files are found when it maps them. */
	unknown = err && !shortage_is(err);
	err = unknown ? 0 : err;
	status = err ? STATUS_DONE : pool_notice_check(tracer);
	if (status) {
		withdraw(tracer, tracee);
		return status;
	}
	for (file = binaries_files(tracer->binaries); file && !err; file = file->next) {
		err = (file->plan ? unwind_tables_hurry : unwind_tables_request)(tracer->tables, file->elf);
		if (!err && file->plan)
			err = tracee_probe(tracer, tracee, file);
	}
	wait_for_tables(tracer, TABLES_WAIT_MS);
	if (err) {
		withdraw(tracer, tracee);
		return failed(pid, err);
	}
	/* In a population, its children may have an allocator. */
	if (unknown || tracee_any(tracer, tracee) || tracer->population != POPULATION_LISTED || go_readers_will(tracer))
		return STATUS_DONE;
	return say_nothing_in_program(tracer, pid, path);
}

/* What became of a process of a population. */
struct enrolment {
	unsigned int attached, unreadable;
	int err; /* that ends it all; negative errno */
};

static void note(struct enrolment *enrolment, int err)
{
	if (!err || err == -EEXIST)
		enrolment->attached++;
	else if (err == -EACCES || err == -EPERM)
		enrolment->unreadable++;
	else if (shortage_is(err) || err == -ENOSPC)
		enrolment->err = err;
}

static void attach_member(struct tracer *tracer, pid_t pid, struct enrolment *enrolment)
{
	struct scan scan = {.tracer = tracer, .pid = pid};
	int err;

	errno = 0;
	if (!procfs_maps_code(pid)) {
		/* Gone, or the kernel's own, unless it may not be looked at. */
		if (errno == EACCES || errno == EPERM)
			enrolment->unreadable++;
		return;
	}
	err = begin_image(&scan);
	note(enrolment, err);
	if (err)
		return;
	/* One that runs maps no code any more, by which it would be noticed. */
	go_reader_due(tracer, scan.tracee);
	err = probe_mapped(&scan);
	if (shortage_is(err) || err == TRANSLATED)
		enrolment->err = err;
	else if (err)
		tracee_say_blind(tracer, pid, binaries_names(tracer->binaries), err);
}

int attach_processes(struct tracer *tracer, const pid_t *pids, unsigned int count, unsigned int *ret_attached)
{
	struct enrolment enrolment = {0};
	char why[DENIAL_TEXT_MAX];

	for (unsigned int i = 0; i < count && !enrolment.err; i++)
		attach_member(tracer, pids[i], &enrolment);
	*ret_attached = enrolment.attached;
	if (enrolment.err == TRANSLATED)
		return STATUS_NO_TARGET;
	if (enrolment.err)
		return attach_method_explain("begin tracing", enrolment.err);
	if (!enrolment.unreadable)
		return pool_notice_check(tracer);
	if (!enrolment.attached) {
		log_error("the mappings of %u process%s may not be read, and there is no other: %s",
			  enrolment.unreadable, enrolment.unreadable == 1 ? "" : "es", denial_explain_process(why));
		return STATUS_UNSUPPORTED;
	}
	log_note("%u process%s not traced, whose mappings may not be read: %s", enrolment.unreadable,
		 enrolment.unreadable == 1 ? " is" : "es are", denial_explain_process(why));
	return pool_notice_check(tracer);
}
