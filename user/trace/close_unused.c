/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/close_unused.h"

#include <stdlib.h>

#include "binary/symbolizer.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define UNUSED_FILES_MIN 256 /* so many may stay: those of a machine that does the same over and over */
#define UNUSED_LINKS_MAX 64  /* unfiltered links that a machine may have on files that no process may map now */

/* The files by the address of what mappings refer to. */
struct marks {
	struct mark {
		const struct elf *elf;
		struct binary *file;
		bool used;
	} * marks;
	u32 count;
};

static int ascending(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;

	return (uintptr_t)a->elf < (uintptr_t)b->elf ? -1 : (uintptr_t)a->elf > (uintptr_t)b->elf;
}

static void mark(const struct elf *elf, void *arg)
{
	const struct marks *marks = arg;
	const struct mark key = {.elf = elf};
	struct mark *found = bsearch(&key, marks->marks, marks->count, sizeof(key), ascending);

	if (found)
		found->used = true;
}

static void mark_links(const struct tracee_file *links, struct marks *marks)
{
	for (; links; links = links->next)
		mark(links->file->elf, marks);
}

/* Processes that come and go between two sweeps use the same files again: those stay for one more. */
static bool mark_all(const struct tracer *tracer, struct marks *marks)
{
	marks->marks = calloc(binaries_count(tracer->binaries) + 1UL, sizeof(*marks->marks));
	if (!marks->marks)
		return false;
	for (struct binary *file = binaries_files(tracer->binaries); file; file = file->next) {
		marks->marks[marks->count++] = (struct mark){.elf = file->elf, .file = file, .used = file->recent};
		file->recent = false;
	}
	qsort(marks->marks, marks->count, sizeof(*marks->marks), ascending);
	recorder_for_each_file(tracer->recorder, mark, marks);
	mark_links(tracer->wide_files, marks);
	mark_links(tracer->throwing_files, marks);
	return true;
}

void close_unused_files(struct tracer *tracer, struct symbolizer *symbolizer)
{
	u32 due = tracer->close_due ? tracer->close_due : UNUSED_FILES_MIN;
	struct marks marks = {0};

	if (tracer->population == POPULATION_LISTED || binaries_count(tracer->binaries) < due ||
	    !mark_all(tracer, &marks))
		return;
	for (u32 i = 0; i < marks.count; i++) {
		struct mark *mark = &marks.marks[i];

		if (mark->used || !unwind_tables_forget(tracer->tables, mark->elf))
			continue;
		if (symbolizer)
			symbolizer_forget(symbolizer, mark->elf);
		binaries_close(tracer->binaries, mark->file);
	}
	free(marks.marks);
	due = 2 * binaries_count(tracer->binaries);
	tracer->close_due = due < UNUSED_FILES_MIN ? UNUSED_FILES_MIN : due;
}

static bool is_mapped(const struct binary *file, void *arg)
{
	const struct tracer *tracer = arg;

	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		const struct image *image = tracee_image(tracer, tracee);

		if (image && address_map_has(image->mappings, file->elf))
			return true;
	}
	return false;
}

void close_unused_links(struct tracer *tracer)
{
	u32 count = 0;

	for (const struct tracee_file *file = tracer->wide_files; file; file = file->next)
		count++;
	/* An empty group may fill again, and a machine run the same program: its first calls are to be seen then. */
	if (!tracer->tracees || (tracer->population != POPULATION_CGROUP &&
				 (tracer->population != POPULATION_ALL || count <= UNUSED_LINKS_MAX)))
		return;
	tracee_close_unused_links(&tracer->wide_files, is_mapped, tracer);
	tracee_close_unused_links(&tracer->throwing_files, is_mapped, tracer);
}
