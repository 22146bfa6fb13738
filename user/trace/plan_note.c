/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/plan_note.h"

#include "base/log.h"
#include "binary/elf.h"
#include "probe/binaries.h"

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
