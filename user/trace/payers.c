/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/payers.h"

#include "binary/elf.h"
#include "system/mapped_by.h"
#include "trace/link_keeper.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define THIS_MACHINE "" /* the root of all paths */

static bool is_ours(pid_t pid, void *arg)
{
	return tracee_find(arg, pid) || link_keeper_is_own(pid);
}

int payers_count(const struct tracer *tracer, bool throwing, unsigned int *ret_files, unsigned int *ret_processes)
{
	const struct tracee_file *link = throwing ? tracer->throwing_files : tracer->wide_files;
	struct mapped_by_file files[ALLOCATORS_MAX];
	struct mapped_by_count count = {0};
	int err = 0;

	for (*ret_files = 0; link && *ret_files < ALLOCATORS_MAX; link = link->next)
		files[(*ret_files)++] = mapped_by_file(elf_fd(link->file->elf), elf_path(link->file->elf));
	if (*ret_files)
		err = mapped_by_count(THIS_MACHINE, files, *ret_files, is_ours, (void *)tracer, &count);
	*ret_processes = count.processes;
	return err;
}
