/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks and sweeps the target's files; called by tracer between two batches of profiles. */
#include "trace/close_unused.h"

#include <stdlib.h>

#include "trace/on_sideband.h"
#include "binary/symbolizer.h"

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

/* Whoever is forked and exec'd between two sweeps uses the same files again: those stay for one more. */
static bool mark_all(const struct follow *follow, struct marks *marks)
{
	marks->marks = calloc(binaries_count(follow->binaries) + 1UL, sizeof(*marks->marks));
	if (!marks->marks)
		return false;
	for (struct binary *file = binaries_files(follow->binaries); file; file = file->next) {
		marks->marks[marks->count++] = (struct mark){.elf = file->elf, .file = file, .used = file->recent};
		file->recent = false;
	}
	qsort(marks->marks, marks->count, sizeof(*marks->marks), ascending);
	recorder_for_each_file(follow->recorder, mark, marks);
	mark_links(follow->links.wide, marks);
	mark_links(follow->links.throwing, marks);
	return true;
}

void close_unused_files(struct close_unused *sweep, struct follow *follow, struct symbolizer *symbolizer)
{
	struct marks marks = {0};
	u32 due = sweep->due ? sweep->due : UNUSED_FILES_MIN;

	if (binaries_count(follow->binaries) < due || !mark_all(follow, &marks))
		return;
	for (u32 i = 0; i < marks.count; i++) {
		struct mark *swept = &marks.marks[i];

		if (swept->used || !unwind_tables_forget(follow->tables, swept->elf))
			continue;
		if (symbolizer)
			symbolizer_forget(symbolizer, swept->elf);
		binaries_close(follow->binaries, swept->file);
	}
	free(marks.marks);
	due = 2 * binaries_count(follow->binaries);
	sweep->due = due < UNUSED_FILES_MIN ? UNUSED_FILES_MIN : due;
}

static bool is_mapped(const struct binary *file, void *arg)
{
	const struct follow *follow = arg;

	for (struct tracee *tracee = follow->traced; tracee; tracee = tracee->hh.next) {
		const struct image *image = recorder_current(follow->recorder, (u32)tracee->pid);

		for (u32 i = 0; image && !image->ended && i < address_map_count(image->mappings); i++)
			if (address_map_get(image->mappings, i)->elf == file->elf)
				return true;
	}
	return false;
}

static u32 count_links(const struct tracee_file *links)
{
	u32 count = 0;

	for (; links; links = links->next)
		count++;
	return count;
}

void close_unused_links(struct follow *follow)
{
	bool crowded = count_links(follow->links.wide) > UNUSED_LINKS_MAX;

	/* An empty group may fill again, and a machine run the same program: the first calls are to be seen then. */
	if (follow->population == POPULATION_ALL ? !crowded : follow->population != POPULATION_CGROUP)
		return;
	if (!follow->traced)
		return;
	tracee_drop_unused(&follow->links.wide, is_mapped, follow);
	tracee_drop_unused(&follow->links.throwing, is_mapped, follow);
}
