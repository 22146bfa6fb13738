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
#include "system/proc_maps.h"
#include "trace/plan_note.h"
#include "system/shortage.h"
#include "trace/raw_stacks.h"
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

void tracee_drop(struct tracer *tracer, struct tracee *tracee)
{
	struct scope *scope = kernel_scope(tracer->kernel, tracee->scope);

	HASH_DEL(tracer->tracees, tracee);
	__atomic_store_n(&scope->process, 0, __ATOMIC_RELEASE);
	tracee_close_links(&tracee->files);
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
	err = attach_open(tracer->kind, kernel_programs(tracer->kernel), elf_fd(file->elf), file->plan, pid, scope,
			  file->allocator, tracer->leave_out | leave_out, &added->attach);
	if (err) {
		free(added);
		return err;
	}
	added->file = file;
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

bool tracee_has(const struct tracer *tracer, const struct tracee *tracee, const struct binary *file)
{
	return is_probed(files_of(tracer, tracee), file);
}

bool tracee_any(const struct tracer *tracer, const struct tracee *tracee)
{
	return files_of(tracer, tracee) != NULL;
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

static bool is_mapped(const struct tracer *tracer, const struct binary *file)
{
	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		const struct image *image = tracee_image(tracer, tracee);

		if (image && address_map_has(image->mappings, file->elf))
			return true;
	}
	return false;
}

static void close_unused(struct tracer *tracer, struct tracee_file **files)
{
	while (*files) {
		bool used = (*files)->file->named || is_mapped(tracer, (*files)->file);

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
	if (!tracer->tracees || (tracer->population != POPULATION_CGROUP &&
				 (tracer->population != POPULATION_ALL || count <= UNUSED_LINKS_MAX)))
		return;
	close_unused(tracer, &tracer->wide_files);
	close_unused(tracer, &tracer->throwing_files);
}

/* --- mappings ----------------------------------------------------------------------------------------------------- */

void tracee_mappings_publish(struct tracer *tracer, struct tracee *tracee, const struct image *image)
{
	tracee->remapped = false;
	/* Without room for them the programs do not know the mappings, and send the stacks raw. */
	unwind_tables_publish(tracer->tables, kernel_scope(tracer->kernel, tracee->scope), image->number,
			      image->mappings, clock_now_ns());
}

void tracee_mappings_changed(struct tracer *tracer, struct tracee *tracee)
{
	tracee->remapped = true;
	tracer->remapped |= tracee->listed;
}

void tracee_mappings_publish_changed(struct tracer *tracer)
{
	/* This is called at each drain, and nearly none of thousands of processes map anything between two of them. */
	for (struct tracee *tracee = tracer->remapped ? tracer->tracees : NULL; tracee; tracee = tracee->hh.next) {
		struct image *image = tracee->remapped && tracee->listed ? tracee_image(tracer, tracee) : NULL;

		if (image)
			tracee_mappings_publish(tracer, tracee, image);
	}
	tracer->remapped = false;
	raw_stacks_settle(tracer->raw_stacks, false);
}

static void probe(struct tracer *tracer, struct tracee *tracee, struct binary *file, const struct mapping *mapping)
{
	struct image *image = tracee_image(tracer, tracee);
	int err;

	if (!file || !file->plan || tracer->stopping || tracee_has(tracer, tracee, file))
		return;
	err = tracee_probe(tracer, tracee, file);
	if (err == TRANSLATED) {
		tracer->blind = true;
		return;
	}
	if (!err && image)
		image->ledger[COUNTER_FILES_LATE]++;
	if (err)
		tracee_say_blind(tracer, tracee->pid, elf_path(file->elf), err);
	else
		log_note("pid %d mapped '%s' %.1f ms ago; its allocations are seen from now on", tracee->pid,
			 elf_path(file->elf), (double)(clock_now_ns() - mapping->from_ns) / 1e6);
	plan_note_say_doubts(tracer);
}

int tracee_mappings_add(struct tracer *tracer, struct tracee *tracee, struct mapping *mapping)
{
	struct binary *file;
	int err = binaries_open_mapping(tracer->binaries, tracee->pid, mapping, &file);

	if (!err)
		err = recorder_map(tracer->recorder, (u32)tracee->pid, mapping);
	if (err)
		return err;
	tracee_mappings_changed(tracer, tracee);
	probe(tracer, tracee, file, mapping);
	return 0;
}

static int add_scanned(struct mapping *mapping, void *arg)
{
	return address_map_add(arg, mapping);
}

int tracee_mappings_open(struct tracer *tracer, struct tracee *tracee, struct image *image)
{
	struct address_map *known = image->mappings, *opened = address_map_new();
	int err = opened ? 0 : -ENOMEM;

	/* A process that was not announced has come from somewhere else. */
	if (!err && !address_map_count(known))
		proc_maps_for_each(tracee->pid, add_scanned, known);
	for (u32 i = 0; i < address_map_count(known) && !err; i++) {
		struct mapping mapping = *address_map_get(known, i);
		struct binary *file = NULL;

		if (!mapping.elf)
			err = binaries_open_mapping(tracer->binaries, tracee->pid, &mapping, &file);
		if (!err)
			err = address_map_add(opened, &mapping);
		probe(tracer, tracee, file, &mapping);
	}
	if (err) {
		address_map_free(opened);
		return err;
	}
	image->mappings = opened;
	address_map_free(known);
	tracee_mappings_changed(tracer, tracee);
	return 0;
}
