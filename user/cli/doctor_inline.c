/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_inline.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "binary/elf.h"
#include "inline/examination.h"
#include "probe/binaries.h"
#include "system/address_map.h"
#include "system/proc_maps.h"
#include "system/procfs.h"

/* bench/stop_times.sh: what all stops take, and each thread besides. */
#define STOP_MS	       0.2
#define STOP_THREAD_MS 0.025

struct inline_scan {
	pid_t pid;
	struct binaries *binaries;
	const struct binary *last; /* that was printed: a file may have several mappings, one behind the other */
	bool can;		   /* one of them */
};

static int print_file(struct mapping *mapping, void *arg)
{
	struct inline_scan *scan = arg;
	char reason[SAMPLER_REASON_MAX] = "";
	struct binary *file;
	int err = binaries_open_mapping(scan->binaries, scan->pid, mapping, &file);

	if (err || !file || !file->plan || file == scan->last)
		return err;
	scan->last = file;
	err = examination_make(scan->pid, mapping, file->elf, file->plan, reason);
	printf("  '%s' %s%s\n", text_plain(elf_path(file->elf)),
	       err || *reason ? "would keep its probes with --inline: " : "can have the sampler of --inline",
	       err && !*reason ? strerror(-err) : reason);
	scan->can |= !err && !*reason;
	return 0;
}

void doctor_inline_print(pid_t pid, struct binaries *binaries)
{
	struct inline_scan scan = {.pid = pid, .binaries = binaries};
	unsigned int threads = procfs_threads(pid);

	proc_maps_for_each(pid, print_file, &scan);
	if (!scan.can)
		return;
	printf("    its %u thread%s would stand still for about %.1f ms when it is brought in, and when it is taken out; longer\n"
	       "    where more of them run than there are processors\n",
	       threads, threads == 1 ? "" : "s", STOP_MS + threads * STOP_THREAD_MS);
	if (procfs_seccomp(pid) > 0)
		printf("    it has seccomp filters, which are asked first: they can be read only when it is stopped\n");
}
