/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/tracee_mappings.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "binary/elf.h"
#include "system/proc_maps.h"
#include "trace/raw_stacks.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

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
	int err;

	if (!file || !file->plan || tracer->stopping || tracee_has(tracer, tracee, file))
		return;
	err = tracee_probe(tracer, tracee, file);
	if (err)
		log_error("pid %d: cannot probe '%s': %s", tracee->pid, elf_path(file->elf), strerror(-err));
	else
		log_note("pid %d mapped '%s' %.1f ms ago; its allocations are seen from now on", tracee->pid,
			 elf_path(file->elf), (double)(clock_now_ns() - mapping->from_ns) / 1e6);
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
