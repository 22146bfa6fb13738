/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/tracee.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "binary/elf.h"
#include "system/cgroup.h"
#include "trace/go_reader.h"
#include "trace/plan_note.h"
#include "system/shortage.h"
#include "trace/injected.h"
#include "trace/link_switch.h"
#include "trace/tracer_internal.h"
#include "trace/translated.h"

#define UNUSED_LINKS_MAX 64 /* unfiltered links that a machine may have on files that no process may map now */

/* --- processes ------------------------------------------------------------------------------------------------------ */

struct tracee *tracee_find(const struct tracer *tracer, pid_t pid)
{
	struct tracee *tracee;

	HASH_FIND_INT(tracer->tracees, &pid, tracee);
	return tracee;
}

struct tracee *tracee_add(struct tracer *tracer, pid_t pid, u32 scope, bool wide)
{
	struct tracee *tracee = calloc(1, sizeof(*tracee));

	if (!tracee)
		return NULL;
	tracee->pid = pid;
	tracee->scope = scope;
	tracee->wide = wide;
	/* Most processes of a population never have a sample. */
	tracee->listed = tracer->population == POPULATION_LISTED;
	HASH_ADD_INT(tracer->tracees, pid, tracee);
	return hash_kept(&tracee->hh, tracee);
}

static void forget_due(struct tracer *tracer, struct tracee *tracee)
{
	struct tracee **python = &tracer->python_due, **go = &tracer->go_due;

	while (tracee->python_due && *python != tracee)
		python = &(*python)->python_next;
	while (tracee->go_due && *go != tracee)
		go = &(*go)->go_next;
	if (tracee->python_due)
		*python = tracee->python_next;
	if (tracee->go_due)
		*go = tracee->go_next;
}

void tracee_drop(struct tracer *tracer, struct tracee *tracee)
{
	struct scope *scope = kernel_scope(tracer->kernel, tracee->scope);

	HASH_DEL(tracer->tracees, tracee);
	__atomic_store_n(&scope->process, 0, __ATOMIC_RELEASE);
	python_tables_restore(tracee);
	forget_due(tracer, tracee);
	tracee_close_links(&tracee->files);
	injected_close(&tracee->injected);
	go_reader_end(tracer, tracee);
	unwind_tables_withdraw(tracer->tables, scope, clock_now_ns());
	kernel_give_scope(tracer->kernel, tracee->scope);
	free(tracee);
}

struct image *tracee_image(const struct tracer *tracer, const struct tracee *tracee)
{
	struct image *image = recorder_current(tracer->recorder, (u32)tracee->pid);

	return image && !image->ended ? image : NULL;
}

/*
 * operator new is followed to its return only where that costs no program its life: not by links whose return legs are
 * there for every call.
 */
void tracee_set_new_max(struct tracer *tracer, const struct tracee *tracee, u64 limit, u64 used)
{
	u32 new_max = tracer->kind == ATTACH_SESSION ? cgroup_memory_new_max(limit, used) : 0;

	__atomic_store_n(&kernel_scope(tracer->kernel, tracee->scope)->new_max, new_max, __ATOMIC_RELEASE);
}

/* --- links ---------------------------------------------------------------------------------------------------------- */

static bool is_probed(const struct tracee_file *files, const struct binary *file)
{
	for (; files; files = files->next)
		if (files->file == file)
			return true;
	return false;
}

/* One link on `file` into the list `files`, unless it is there. */
static int add_link(struct tracer *tracer, struct tracee_file **files, struct binary *file, pid_t pid, u32 scope,
		    unsigned int leave_out)
{
	struct tracee_file *added;
	int err;

	if (is_probed(*files, file))
		return 0;
	err = kernel_set_ranges(tracer->kernel, file->allocator, &file->plan->ranges);
	if (err)
		return err;
	added = calloc(1, sizeof(*added));
	if (!added)
		return -ENOMEM;
	added->file = file;
	added->leave_out = leave_out;
	err = tracer->probes_off ? 0 : link_switch_open(tracer, added, pid, scope);
	if (err) {
		free(added);
		return err;
	}
	added->next = *files;
	*files = added;
	if (!(leave_out & ATTACH_NO_OTHERS))
		plan_note_say(file);
	return 0;
}

/* Remembered, so that it is said once. */
static int refuse(struct tracer *tracer, struct binary *file, int reason)
{
	struct tracee_file *refused = calloc(1, sizeof(*refused));

	if (!refused)
		return -ENOMEM;
	refused->file = file;
	refused->next = tracer->refused_files;
	tracer->refused_files = refused;
	return reason;
}

static int add_wide_link(struct tracer *tracer, struct tracee_file **files, struct binary *file, unsigned int leave_out)
{
	int err;

	if (is_probed(*files, file))
		return 0;
	if (is_probed(tracer->refused_files, file))
		return TRANSLATED;
	err = translated_check_file(tracer, file);
	if (err)
		return err == TRANSLATED ? refuse(tracer, file, err) : err;
	return add_link(tracer, files, file, 0, SCOPE_BY_PID, leave_out);
}

/* Only sessions take the return legs of functions that throw: those have links apart. */
static unsigned int apart(const struct tracer *tracer, const struct binary *file)
{
	return tracer->kind == ATTACH_SESSION && !file->plan->inlined && plan_throws(file->plan)
		       ? ATTACH_NO_NEW & ~tracer->leave_out
		       : 0;
}

int tracee_probe(struct tracer *tracer, struct tracee *tracee, struct binary *file)
{
	unsigned int leave_out = apart(tracer, file);
	int err;

	if (tracee->translated && !tracee->wide)
		return TRANSLATED;
	if (tracee->wide)
		err = add_wide_link(tracer, &tracer->wide_files, file, leave_out);
	else
		err = add_link(tracer, &tracee->files, file, tracee->pid, tracee->scope, leave_out);
	return err || !leave_out ? err : add_wide_link(tracer, &tracer->throwing_files, file, ATTACH_NO_OTHERS);
}

int tracee_probe_named(struct tracer *tracer)
{
	int err = 0;

	for (struct binary *file = binaries_files(tracer->binaries); file && !err; file = file->next) {
		unsigned int leave_out = file->named && file->plan ? apart(tracer, file) : 0;

		if (file->named && file->plan)
			err = add_wide_link(tracer, &tracer->wide_files, file, leave_out);
		if (!err && leave_out)
			err = add_wide_link(tracer, &tracer->throwing_files, file, ATTACH_NO_OTHERS);
	}
	return err;
}

static const struct tracee_file *files_of(const struct tracer *tracer, const struct tracee *tracee)
{
	return tracee->wide ? tracer->wide_files : tracee->files;
}

int tracee_probe_go(struct tracer *tracer, struct binary *file, const struct go_sites *sites)
{
	struct tracee_file *added;
	int err = is_probed(tracer->go_files, file) ? -EEXIST : translated_check_file(tracer, file);

	if (err)
		return err == -EEXIST ? 0 : err;
	added = calloc(1, sizeof(*added));
	if (!added)
		return -ENOMEM;
	err = attach_open_go(tracer->kind, kernel_programs(tracer->kernel), elf_fd(file->elf), sites, &added->attach);
	if (err) {
		free(added);
		return err;
	}
	added->file = file;
	added->next = tracer->go_files;
	tracer->go_files = added;
	return 0;
}

bool tracee_has(const struct tracer *tracer, const struct tracee *tracee, const struct binary *file)
{
	return injected_has(tracee, file) || (!injected_has_all(tracee) && is_probed(files_of(tracer, tracee), file));
}

bool tracee_any(const struct tracer *tracer, const struct tracee *tracee)
{
	return tracee->injected || files_of(tracer, tracee);
}

void tracee_say_blind(struct tracer *tracer, pid_t pid, const char *path, int err)
{
	tracer->blind = true;
	log_error("pid %d: cannot probe '%s': %s; its allocations are not seen", pid, path, shortage_explain(err).text);
}

const char *tracee_names(const struct tracer *tracer, const struct tracee *tracee)
{
	static char names[1024];
	size_t length = 0;

	names[0] = '\0';
	for (const struct tracee_file *file = files_of(tracer, tracee); file; file = file->next) {
		const struct plan *plan = file->file->plan;

		for (u32 i = 0; i < plan->probe_count && length < sizeof(names); i++)
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s", i ? ", " : "",
						   plan->probes[i].symbol);
		if (length < sizeof(names))
			length += (size_t)snprintf(names + length, sizeof(names) - length, " in '%s'%s",
						   elf_path(file->file->elf), file->next ? "; " : "");
	}
	return names;
}

int tracee_widen(struct tracer *tracer, struct tracee *tracee)
{
	int err = 0;

	for (struct tracee_file *file = tracee->files; file && !err; file = file->next)
		err = add_wide_link(tracer, &tracer->wide_files, file->file, apart(tracer, file->file));
	if (err)
		return err;
	tracee->wide = true;
	__atomic_store_n(&kernel_scope(tracer->kernel, tracee->scope)->wide, 1, __ATOMIC_RELEASE);
	tracee_close_links(&tracee->files);
	return 0;
}

/* Take the first link off its list. */
static void close_link(struct tracee_file **files)
{
	struct tracee_file *file = *files;

	*files = file->next;
	attach_close(file->attach);
	free(file);
}

void tracee_close_links(struct tracee_file **files)
{
	while (*files)
		close_link(files);
}

void tracee_close_wide_links(struct tracer *tracer)
{
	tracee_close_links(&tracer->wide_files);
	tracee_close_links(&tracer->throwing_files);
	tracee_close_links(&tracer->refused_files);
	tracee_close_links(&tracer->go_files);
}

/* By a process that needs links: where the sampler counts for all its files it needs none but those in Go's runtime. */
static bool is_mapped(const struct tracer *tracer, const struct binary *file, bool with_sampler)
{
	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		const struct image *image = tracee_image(tracer, tracee);

		if (image && (with_sampler || !injected_has_all(tracee)) && address_map_has(image->mappings, file->elf))
			return true;
	}
	return false;
}

static void close_unused(struct tracer *tracer, struct tracee_file **files, bool with_sampler)
{
	while (*files) {
		bool used = (*files)->file->named || is_mapped(tracer, (*files)->file, with_sampler);

		(*files)->unused = used ? 0 : (*files)->unused + 1;
		if ((*files)->unused < 2)
			files = &(*files)->next;
		else
			close_link(files);
	}
}

void tracee_close_unused_links(struct tracer *tracer)
{
	u32 count = 0;

	for (const struct tracee_file *file = tracer->wide_files; file; file = file->next)
		count++;
	/* An empty group may fill again, and a machine run the same program: its first calls are to be seen then. */
	if (!tracer->tracees || (tracer->population == POPULATION_ALL && count <= UNUSED_LINKS_MAX))
		return;
	/* Processes with the sampler pay for them as well. */
	if (tracer->population != POPULATION_CGROUP && tracer->population != POPULATION_ALL && !tracer->inject_bytes)
		return;
	close_unused(tracer, &tracer->wide_files, false);
	close_unused(tracer, &tracer->throwing_files, false);
	close_unused(tracer, &tracer->go_files, true);
}

static bool is_beside_sampler(const struct tracer *tracer, const struct binary *file)
{
	for (const struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next)
		if (injected_has_all(tracee) && injected_has(tracee, file))
			return true;
	return false;
}

void tracee_say_beside(struct tracer *tracer)
{
	for (struct tracee_file *link = tracer->wide_files; link; link = link->next) {
		if (link->beside || !is_beside_sampler(tracer, link->file))
			continue;
		link->beside = true;
		log_note(
			"'%s' has probes, for processes without the sampler; they trap in those that have it too, where they "
			"count nothing",
			elf_path(link->file->elf));
	}
}
