/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/close_unused.h"

#include <stdlib.h>

#include "binary/symbolizer.h"
#include "trace/tracer_internal.h"

#define UNUSED_FILES 512 /* so many may stay: those of a machine that does the same over and over */

/* The files by the address of what mappings refer to. */
struct marks {
	struct mark {
		const struct elf *elf;
		struct binary *file;
		bool used;
		bool recent; /* mapped since the sweep before */
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
		marks->marks[marks->count++] = (struct mark){.elf = file->elf, .file = file, .recent = file->recent};
		file->recent = false;
	}
	qsort(marks->marks, marks->count, sizeof(*marks->marks), ascending);
	recorder_for_each_file(tracer->recorder, mark, marks);
	mark_links(tracer->wide_files, marks);
	mark_links(tracer->throwing_files, marks);
	mark_links(tracer->refused_files, marks);
	mark_links(tracer->go_files, marks);
	for (const struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next)
		mark_links(tracee->files, marks);
	return true;
}

/*
 * The next sweep is due by what is in use, not by what is open: else a burst of new files, all of them recent, would let
 * the next burst be larger still.
 */
void close_unused_files(struct tracer *tracer, struct symbolizer *symbolizer)
{
	u32 due = tracer->close_due ? tracer->close_due : UNUSED_FILES, used = 0;
	struct marks marks = {0};

	if (binaries_count(tracer->binaries) < due || !mark_all(tracer, &marks))
		return;
	for (u32 i = 0; i < marks.count; i++) {
		struct mark *mark = &marks.marks[i];

		used += mark->used;
		if (mark->used || mark->recent || !unwind_tables_forget(tracer->tables, mark->elf))
			continue;
		if (symbolizer)
			symbolizer_forget(symbolizer, mark->elf);
		binaries_close(tracer->binaries, mark->file);
	}
	free(marks.marks);
	tracer->close_due = used + UNUSED_FILES;
}
