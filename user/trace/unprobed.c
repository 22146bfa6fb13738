/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A profile must not look whole that is not: each file that the image mapped was searched and probed, or is counted here. */
#include "trace/unprobed.h"

#include <string.h>

#include "base/log.h"
#include "binary/elf.h"
#include "inline/sampler_mapping.h"
#include "system/procfs.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define SAID_MAX 5 /* images; a build has thousands of short ones */

static const struct binary *file_of(const struct tracer *tracer, const struct elf *elf)
{
	const struct binary *file = binaries_files(tracer->binaries);

	while (file && file->elf != elf)
		file = file->next;
	return file;
}

/* A file has several mappings, mostly one after the other. */
static bool is_repeated(const struct address_map *mappings, u32 index)
{
	const struct mapping *mapping = address_map_get(mappings, index), *before;

	for (u32 i = index > 16 ? index - 16 : 0; i < index; i++) {
		before = address_map_get(mappings, i);
		if (mapping->elf ? before->elf == mapping->elf
				 : before->unsearched && !strcmp(before->path, mapping->path))
			return true;
	}
	return false;
}

/* Count the mapping. True: calls may be missing because of it. */
static bool look_at(struct tracer *tracer, const struct tracee *tracee, struct image *image,
		    const struct mapping *mapping)
{
	const struct binary *file = mapping->elf ? file_of(tracer, mapping->elf) : NULL;

	if ((mapping->unsearched && !sampler_mapping_is(mapping)) ||
	    (file && file->plan && !tracee_has(tracer, tracee, file))) {
		image->ledger[COUNTER_FILES_UNSEEN]++;
		return true;
	}
	if (file && file->plan)
		image->ledger[COUNTER_FUNCTIONS_UNSEEN] += file->plan->doubtful_count;
	if (file && file->too_large)
		image->ledger[COUNTER_FUNCTIONS_UNSEEN]++;
	return false;
}

/* What would have caught it: a file that is named is probed before anybody maps it. A memfd cannot be named. */
static void say(struct tracer *tracer, const struct image *image, const struct mapping *mapping)
{
	bool named = !procfs_is_memory(mapping->path);

	if (tracer->unprobed_said++ >= SAID_MAX)
		return;
	log_note(
		"pid %u (%s) was over before '%s' was %s, so what it allocated through that file is not known; record the program "
		"itself%s%s%s",
		image->pid, image->comm, mapping->path, mapping->unsearched ? "searched for an allocator" : "probed",
		named ? ", or name the file beforehand: --alloc " : "", named ? mapping->path : "",
		tracer->unprobed_said == SAID_MAX
			? "; other programs of which that holds are counted only (files_unseen)"
			: "");
}

void unprobed_look(struct tracer *tracer, const struct tracee *tracee, struct image *image, bool ended)
{
	const struct mapping *missed = NULL;

	if (!image || !tracee || image->searched)
		return;
	image->searched = true;
	for (u32 i = 0; i < address_map_count(image->mappings); i++) {
		const struct mapping *mapping = address_map_get(image->mappings, i);

		if ((mapping->elf || mapping->unsearched) && !is_repeated(image->mappings, i) &&
		    look_at(tracer, tracee, image, mapping) && !missed)
			missed = mapping;
	}
	/* Under a translator nothing may be probed: that was said. */
	if (missed && ended && !tracee->translated)
		say(tracer, image, missed);
}
