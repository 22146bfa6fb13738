/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_translators.h"

#include <stdio.h>

#include "base/status.h"
#include "base/text.h"
#include "binary/elf.h"
#include "system/mapped_by.h"
#include "system/procfs.h"
#include "system/translator.h"

#define WHY "it would translate heaptap's breakpoints like its code, and end"

int doctor_translators_print_target(pid_t pid, bool allowed)
{
	const char *translator = translator_of(pid);

	if (!translator)
		return STATUS_DONE;
	printf("  it runs under %s: " WHY "; %s\n", translator,
	       allowed ? "record --harm-translators traces it all the same" : "record refuses it");
	return allowed ? STATUS_DONE : STATUS_NO_TARGET;
}

/* A file that the links would probe and the process maps; NULL: none. */
static const struct binary *find_mapped(const struct binaries *binaries, enum doctor_links links, pid_t pid)
{
	const struct binary *file = links == LINKS_NONE ? NULL : binaries_files(binaries);

	for (; file; file = file->next) {
		const struct mapped_by_file mapped = mapped_by_file(elf_fd(file->elf), elf_path(file->elf));

		if (file->plan && (links == LINKS_EVERY || plan_throws(file->plan)) && translator_maps(pid, &mapped))
			return file;
	}
	return NULL;
}

int doctor_translators_print(const struct binaries *binaries, enum doctor_links links, bool allowed)
{
	int status = STATUS_DONE;
	struct pid_list list;

	if (translator_list(&list) || !list.count) {
		pid_list_release(&list);
		return status;
	}
	printf("\nPrograms under translators\n");
	for (unsigned int i = 0; i < list.count; i++) {
		const struct binary *file = find_mapped(binaries, links, list.pids[i]);
		const char *translator = translator_of(list.pids[i]);
		char comm[16] = "?";

		procfs_comm(list.pids[i], comm);
		printf("  %d (%s), under %s", list.pids[i], text_plain(comm),
		       translator ? translator : "one that has ended");
		if (!file) {
			printf(": not affected\n");
			continue;
		}
		printf(", maps '%s': " WHY "; %s\n", text_plain(elf_path(file->elf)),
		       allowed ? "record --harm-translators probes it all the same" : "record refuses to probe it");
		if (!allowed)
			status = STATUS_NO_TARGET;
	}
	pid_list_release(&list);
	return status;
}
