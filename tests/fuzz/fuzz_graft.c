/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer target: any bytes as an allocator's file, into which the sampler is to be put. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "binary/elf.h"
#include "input.h"
#include "inline/graft.h"
#include "probe/plan.h"

/* All that is written lies in the grown file, which begins with the old one. */
static void check(const struct graft *graft, size_t size)
{
	if (graft->change.size < size)
		abort();
	for (size_t i = 0; i < graft->change.edit_count; i++) {
		const struct file_edit *edit = &graft->change.edits[i];

		if (edit->offset > graft->change.size || edit->size > graft->change.size - edit->offset)
			abort();
	}
	for (int i = 0; i < SAMPLER_SITES; i++)
		if (graft->sites[i] >= graft->change.size)
			abort();
}

static void graft_any(struct elf *elf, size_t size)
{
	const struct sampler_settings settings = {.sample_bytes = 4096, .session = 1, .memory_bytes = 1 << 30};
	struct graft graft;
	struct plan plan;

	if (plan_make(elf, NULL, &plan))
		return;
	if (!graft_make(elf, &plan, &settings, &graft) && !graft.reason[0])
		check(&graft, size);
	graft_release(&graft);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct elf *elf;

	if (elf_open(input_file(data, size), "input", &elf) != 0)
		return 0;
	graft_any(elf, size);
	elf_free(elf);
	return 0;
}
