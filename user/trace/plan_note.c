/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/plan_note.h"

#include "base/log.h"
#include "binary/elf.h"
#include "binary/language_runtime.h"
#include "probe/binaries.h"
#include "probe/foreign_heap.h"
#include "trace/tracer_internal.h"

/* A function of --alloc that is counted at its entry only. */
static void say_unseen(const struct binary *file, const struct plan_probe *probe)
{
	log_note("--alloc: where %s in '%s' returns cannot be told (%s), and it may throw: it is counted at its "
		 "entry, and what of it is in use is unknown",
		 probe->symbol, elf_path(file->elf), probe->unseen);
}

void plan_note_say(const struct binary *file)
{
	const struct plan *plan = file->plan;

	if (plan->mover)
		log_note("'%s' can move its code to huge pages ('%s'): a program that does so while its code has "
			 "breakpoints dies by them; trace it with that turned off",
			 elf_path(file->elf), plan->mover);
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].unseen)
			say_unseen(file, &plan->probes[i]);
}

/* What malloc does not tell of a program that has this file. A Python's objects are seen, and Go's are read (go_reader.h). */
static void say_heap(const struct binary *file)
{
	const struct language_runtime *runtime = language_runtime_of_path(elf_path(file->elf));

	if (file->heap)
		log_note("'%s' has %s: %s", elf_path(file->elf), file->heap->name, file->heap->memory);
	else if (file->python_left.table_count)
		log_note(
			"'%s' is of Python, whose objects of up to 512 bytes are not seen while only samples trap: "
			"PYTHONMALLOC=malloc at its start shows them, or recording it with probes; see docs/languages.md",
			elf_path(file->elf));
	else if (runtime && !(file->plan && file->plan->pymalloc.table_count))
		log_note("'%s' is of %s: %s; see docs/languages.md", elf_path(file->elf), runtime->name,
			 runtime->memory);
}

void plan_note_say_doubts(struct tracer *tracer)
{
	for (struct binary *file = binaries_files(tracer->binaries); file; file = file->next) {
		if (file->said)
			continue;
		file->said = true;
		say_heap(file);
		if (file->plan && file->plan->doubtful_count)
			log_note(
				"'%s': calls of %s may be missed, or counted twice: %u of its allocation functions can be "
				"neither probed nor shown to lead to one that is",
				elf_path(file->elf), file->plan->doubtful, file->plan->doubtful_count);
		if (file->too_large)
			log_note(
				"'%s' has more, or larger, tables of functions than heaptap searches: an allocator in it "
				"is not seen",
				elf_path(file->elf));
		if (file->hands_on)
			log_note(
				"'%s' has a malloc that seems to hand its calls on to another file's, which is probed; if it "
				"does not: --alloc %s",
				elf_path(file->elf), elf_path(file->elf));
	}
}
