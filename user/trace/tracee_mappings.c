/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/tracee_mappings.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "binary/elf.h"
#include "binary/hotspot.h"
#include "system/proc_maps.h"
#include "system/shortage.h"
#include "trace/go_due.h"
#include "trace/go_reader.h"
#include "trace/injected.h"
#include "trace/plan_note.h"
#include "trace/raw_stacks.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"
#include "trace/translated.h"

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
	go_reader_due(tracer, tracee);
	python_tables_due(tracer, tracee);
	pace_stir(&tracer->pace, clock_now_ns());
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

/* Unfiltered links serve all of its files or none. */
static void leave_sampler(struct tracer *tracer, struct tracee *tracee, const struct image *image,
			  const struct binary *file)
{
	log_note(
		"pid %d mapped '%s', which is an allocator without the sampler: all that it has are probed from now on",
		tracee->pid, elf_path(file->elf));
	injected_leave(tracer, tracee);
	if (image)
		tracee_mappings_probe(tracer, tracee, image);
}

static void probe(struct tracer *tracer, struct tracee *tracee, struct binary *file, const struct mapping *mapping)
{
	struct image *image = tracee_image(tracer, tracee);
	int err;

	if (!file || !file->plan || tracer->stopping || tracee_has(tracer, tracee, file))
		return;
	if (injected_has_all(tracee)) {
		leave_sampler(tracer, tracee, image, file);
		return;
	}
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

/* HotSpot first maps more for its code, when it has read its options; before, it maps a page that may be executed. */
#define MADE_CODE_BYTES 65536

/* Its library, if it has made code; else NULL. */
static const struct mapping *find_hotspot(const struct address_map *mappings)
{
	const struct mapping *library = NULL;
	bool has_code = false;

	for (u32 i = 0; i < address_map_count(mappings); i++) {
		const struct mapping *mapping = address_map_get(mappings, i);

		if (hotspot_has(mapping))
			library = mapping;
		has_code |= !mapping->elf && mapping->end - mapping->start >= MADE_CODE_BYTES;
	}
	return has_code ? library : NULL;
}

/* By frame pointers that are none a walk would pass over callers: better it ends at Java's innermost frame. */
static void find_frameless(struct tracee *tracee, struct address_map *mappings)
{
	const struct mapping *library = find_hotspot(mappings);
	int keeps = library ? hotspot_keeps_frame_pointers(&tracee->hotspot, tracee->pid, library) : 1;

	address_map_set_frameless(mappings, keeps != 1);
	if (!keeps && !tracee->said_frameless)
		log_note("pid %d runs Java without -XX:+PreserveFramePointer: stacks end at the innermost Java method",
			 tracee->pid);
	tracee->said_frameless |= !keeps;
}

int tracee_mappings_add(struct tracer *tracer, struct tracee *tracee, struct mapping *mapping)
{
	struct image *image = tracee_image(tracer, tracee);
	struct binary *file;
	int err = binaries_open_mapping(tracer->binaries, tracee->pid, mapping, &file);

	if (!err)
		err = recorder_map(tracer->recorder, (u32)tracee->pid, mapping);
	if (err)
		return err;
	if (image && !mapping->elf)
		find_frameless(tracee, image->mappings);
	tracee_mappings_changed(tracer, tracee);
	probe(tracer, tracee, file, mapping);
	return 0;
}

void tracee_mappings_probe(struct tracer *tracer, struct tracee *tracee, const struct image *image)
{
	for (u32 i = 0; i < address_map_count(image->mappings); i++) {
		const struct mapping *mapping = address_map_get(image->mappings, i);

		for (struct binary *file = binaries_files(tracer->binaries); file; file = file->next)
			if (file->elf == mapping->elf)
				probe(tracer, tracee, file, mapping);
	}
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
		err = proc_maps_for_each(tracee->pid, add_scanned, known);
	if (!shortage_is(err))
		err = 0;
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
	find_frameless(tracee, opened);
	image->mappings = opened;
	address_map_free(known);
	tracee_mappings_changed(tracer, tracee);
	return 0;
}
