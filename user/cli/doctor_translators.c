/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_translators.h"

#include <stdio.h>

#include "base/status.h"
#include "base/text.h"
#include "binary/elf.h"
#include "system/mapped_by.h"
#include "system/procfs.h"
#include "system/shortage.h"
#include "system/translator.h"

#define WHY "it would translate heaptap's breakpoints like its code, and end"

static int print_unknown(int err)
{
	printf("  whether programs run under translators (valgrind, qemu), which probes would end, cannot be found out: %s\n",
	       shortage_explain(err).text);
	return STATUS_FAILED;
}

int doctor_translators_print_target(pid_t pid, bool allowed)
{
	const char *translator;
	int err = translator_of(pid, &translator);

	if (err)
		return print_unknown(err);
	if (!translator)
		return STATUS_DONE;
	printf("  it runs under %s: " WHY "; %s\n", translator,
	       allowed ? "record --harm-translators traces it all the same" : "record refuses it");
	return allowed ? STATUS_DONE : STATUS_NO_TARGET;
}

/* A file that the links would probe and the process maps; NULL: none. 0 or negative errno. */
static int find_mapped(const struct binaries *binaries, enum doctor_links links, pid_t pid,
		       const struct binary **ret_file)
{
	const struct binary *file = links == LINKS_NONE ? NULL : binaries_files(binaries);
	int found = 0;

	for (; file; file = file->next) {
		const struct mapped_by_file mapped = mapped_by_file(elf_fd(file->elf), elf_path(file->elf));

		if (file->plan && (links == LINKS_EVERY || plan_throws(file->plan)))
			found = translator_maps(pid, &mapped);
		if (found)
			break;
	}
	*ret_file = found > 0 ? file : NULL;
	return found < 0 ? found : 0;
}

/* STATUS_NO_TARGET if record would refuse for its sake. */
static int print_process(pid_t pid, const struct binary *file, bool allowed)
{
	const char *translator = NULL;
	char comm[16] = "?";

	procfs_comm(pid, comm);
	translator_of(pid, &translator);
	printf("  %d (%s), under %s", pid, text_plain(comm), translator ? translator : "one that has ended");
	if (!file) {
		printf(": not affected\n");
		return STATUS_DONE;
	}
	printf(", maps '%s': " WHY "; %s\n", text_plain(elf_path(file->elf)),
	       allowed ? "record --harm-translators probes it all the same" : "record refuses to probe it");
	return allowed ? STATUS_DONE : STATUS_NO_TARGET;
}

int doctor_translators_print(const struct binaries *binaries, enum doctor_links links, bool allowed)
{
	int status = STATUS_DONE;
	struct pid_list list;
	int err = translator_list(&list);

	if (err || list.count)
		printf("\nPrograms under translators\n");
	for (unsigned int i = 0; i < list.count && !err; i++) {
		const struct binary *file;

		err = find_mapped(binaries, links, list.pids[i], &file);
		if (!err && print_process(list.pids[i], file, allowed))
			status = STATUS_NO_TARGET;
	}
	pid_list_release(&list);
	return err ? print_unknown(err) : status;
}
