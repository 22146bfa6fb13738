/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The count of bystanders in words. Called by forecast. */
#include "cli/doctor_cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/mapped_by.h"
#include "binary/elf.h"

#define THIS_MACHINE "" /* the root of all paths */

int doctor_cost_compare_pids(const void *left, const void *right)
{
	pid_t a = *(const pid_t *)left, b = *(const pid_t *)right;

	return a < b ? -1 : a > b;
}

/* Of a list in ascending order. */
static bool is_listed(pid_t pid, void *arg)
{
	const struct pid_list *list = arg;

	return list->count && bsearch(&pid, list->pids, list->count, sizeof(pid), doctor_cost_compare_pids);
}

static void print_count(enum doctor_cost_links links, unsigned int files, const struct mapped_by_count *count,
			const struct calibration *calibration)
{
	const char *what = links == TOLL_EVERY ? "malloc and free" : "operator new";
	const char *them = files == 1 ? "it" : "them";
	bool one = count->processes == 1;
	char price[64] = "";

	if (calibration)
		snprintf(price, sizeof(price), " %.2f us",
			 (calibration->alloc_ns + (links == TOLL_EVERY ? calibration->free_ns : 0)) / 1e3);
	printf("  probes%s in %u file%s are unfiltered: ", links == TOLL_EVERY ? "" : " of operator new", files,
	       files == 1 ? "" : "s");
	if (count->processes)
		printf("%u other process%s map%s %s now and would pay%s for each %s until heaptap stops, and so would "
		       "whoever comes to map %s\n",
		       count->processes, one ? "" : "es", one ? "s" : "", them, price, what, them);
	else
		printf("no other process maps %s now; whoever comes to map %s would pay%s for each %s until heaptap "
		       "stops\n",
		       them, them, price, what);
	if (links == TOLL_THROWING)
		printf("  record --no-new spares them\n");
	if (count->unread)
		printf("  the mappings of %u other process%s may not be read: %s may pay as well\n", count->unread,
		       count->unread == 1 ? "" : "es", count->unread == 1 ? "it" : "they");
}

static bool throws(const struct plan *plan)
{
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].kind >= CALL_NEW)
			return true;
	return false;
}

bool doctor_cost_print(const struct binaries *binaries, enum doctor_cost_links links, const struct pid_list *pids,
		       const struct calibration *calibration)
{
	struct mapped_by_file files[ALLOCATORS_MAX];
	struct mapped_by_count count;
	unsigned int file_count = 0;
	int err;

	for (const struct binary *file = binaries_files(binaries); file; file = file->next)
		if (file->plan && (links == TOLL_EVERY || throws(file->plan)))
			files[file_count++] = (struct mapped_by_file){
				.device = elf_device(file->elf),
				.inode = elf_inode(file->elf),
				.path = elf_path(file->elf),
			};
	if (!file_count)
		return false;
	printf("\nWho else pays\n");
	err = mapped_by_count(THIS_MACHINE, files, file_count, is_listed, (void *)pids, &count);
	if (err)
		printf("  that cannot be told: %s\n", strerror(-err));
	else
		print_count(links, file_count, &count, calibration);
	return true;
}

void doctor_cost_print_none(const char *why)
{
	printf("\nWho else pays\n  nobody: %s\n", why);
}
