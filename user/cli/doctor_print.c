/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "binary/elf.h"
#include "base/text.h"
#include "system/mapped_by.h"
#include "system/procfs.h"

#define THIS_MACHINE "" /* the root of all paths */

const char *doctor_print_plain(const char *text)
{
	static char copy[4096];

	snprintf(copy, sizeof(copy), "%s", text);
	return text_printable(copy);
}

static const char *es(unsigned int count)
{
	return count == 1 ? "" : "es";
}

/* --- what is probed --- */

/* " 12 (sh), 15 (make) and 3 more" */
static void print_some(const struct doctor_scan_some *some)
{
	unsigned int shown = some->count < DOCTOR_SCAN_NAMED ? some->count : DOCTOR_SCAN_NAMED;

	for (unsigned int i = 0; i < shown; i++) {
		char comm[16] = "?";

		procfs_comm(some->first[i], comm);
		printf("%s %d (%s)", i ? "," : "", some->first[i], doctor_print_plain(comm));
	}
	if (some->count > shown)
		printf(" and %u more", some->count - shown);
	putchar('\n');
}

/* `users`: the processes that map it; NULL: there is one. */
static void print_plan(const struct binary *file, const struct doctor_scan_some *users)
{
	const struct plan *plan = file->plan;
	unsigned int stepped = 0;
	u32 i;

	printf("  %s in '%s'\n", plan->name, doctor_print_plain(elf_path(file->elf)));
	if (users) {
		printf("    mapped by %u process%s:", users->count, es(users->count));
		print_some(users);
	}
	printf("    probes:");
	for (i = 0; i < plan->probe_count; i++) {
		printf(" %s+%llu", plan->probes[i].symbol, (unsigned long long)plan->probes[i].site.offset);
		stepped += !plan->probes[i].site.emulated;
	}
	putchar('\n');
	if (plan_throws(plan))
		printf("    its operator new throws, which a program does not survive while its return is waited for: "
		       "where it may\n    fail, it is counted without knowing what is in use; --no-new leaves it alone\n");
	if (!stepped)
		return;
	printf("    single-stepped, several times dearer:");
	for (i = 0; i < plan->probe_count; i++)
		if (!plan->probes[i].site.emulated)
			printf(" %s", plan->probes[i].symbol);
	putchar('\n');
}

static int by_users(const void *left, const void *right, void *arg)
{
	const struct binary *const *a = left, *const *b = right;
	const struct doctor_scan *scan = arg;
	unsigned int users_a = scan->users[(*a)->allocator].count, users_b = scan->users[(*b)->allocator].count;

	if (users_a != users_b)
		return users_a < users_b ? 1 : -1;
	/* Numbers are given in the order of finding. */
	return (*a)->allocator < (*b)->allocator ? -1 : 1;
}

/* The files with an allocator; with a scan, the most used first. How many there are. */
static unsigned int print_plans(const struct binaries *binaries, const struct doctor_scan *scan)
{
	const struct binary *files[ALLOCATORS_MAX];
	unsigned int count = 0;

	for (const struct binary *file = binaries_files(binaries); file; file = file->next)
		if (file->plan)
			files[count++] = file;
	if (scan)
		qsort_r(files, count, sizeof(*files), by_users, (void *)scan);
	for (unsigned int i = 0; i < count; i++)
		print_plan(files[i], scan ? &scan->users[files[i]->allocator] : NULL);
	if (!count)
		printf("  no allocator that heaptap knows (" ALLOCATOR_NAMES ")");
	return count;
}

int doctor_print_files(const struct binaries *binaries)
{
	if (print_plans(binaries, NULL))
		return STATUS_DONE;
	printf(" in %u files:\n", binaries_count(binaries));
	for (const struct binary *file = binaries_files(binaries); file; file = file->next)
		printf("    '%s'%s\n", doctor_print_plain(elf_path(file->elf)),
		       elf_is_64bit_x86(file->elf) ? "" : " (not x86-64)");
	return STATUS_NO_TARGET;
}

static void print_left_out(const char *what, const struct doctor_scan_some *some)
{
	if (!some->count)
		return;
	printf("  %u process%s %s:", some->count, es(some->count), what);
	print_some(some);
}

void doctor_print_scan(const struct doctor_scan *scan)
{
	if (!print_plans(scan->binaries, scan))
		printf(" so far; a process that maps one later is traced from then on\n");
	print_left_out("without an allocator that heaptap knows", &scan->plain);
	print_left_out("of 32 bits, refused, as heaptap traces those of 64 bits only", &scan->narrow);
	print_left_out("whose mappings may not be read, for want of CAP_SYS_PTRACE or by a security module",
		       &scan->unread);
	if (scan->denied)
		printf("  %u file%s cannot be opened, as '%s' of process %d; it takes CAP_CHECKPOINT_RESTORE, or a "
		       "restart of the process\n",
		       scan->denied_count, scan->denied_count == 1 ? "" : "s", doctor_print_plain(scan->denied->path),
		       scan->denied->pid);
}

/* --- who pays --- */

static int compare_pids(const void *left, const void *right)
{
	pid_t a = *(const pid_t *)left, b = *(const pid_t *)right;

	return a < b ? -1 : a > b;
}

static bool is_listed(pid_t pid, void *arg)
{
	const struct pid_list *list = arg;

	return list->count && bsearch(&pid, list->pids, list->count, sizeof(pid), compare_pids);
}

static void print_count(enum doctor_links links, unsigned int files, const struct mapped_by_count *count,
			const struct calibration *calibration)
{
	bool every = links == LINKS_EVERY, one = count->processes == 1;
	const char *them = files == 1 ? "it" : "them";
	char price[96];

	snprintf(price, sizeof(price), "would pay for each %s until heaptap stops",
		 every ? "malloc and free" : "operator new");
	if (calibration)
		snprintf(price, sizeof(price), "would pay %.2f us for each %s until heaptap stops",
			 (calibration->alloc_ns + (every ? calibration->free_ns : 0)) / 1e3,
			 every ? "malloc and free" : "operator new");
	printf("  probes%s in %u file%s are unfiltered: ", every ? "" : " of operator new", files,
	       files == 1 ? "" : "s");
	if (count->processes)
		printf("%u other process%s map%s %s now and %s, and so would any that maps %s later\n",
		       count->processes, es(count->processes), one ? "s" : "", them, price, them);
	else
		printf("no other process maps %s now; any that maps %s later %s\n", them, them, price);
	if (!every)
		printf("  record --no-new spares them\n");
	if (count->unread)
		printf("  the mappings of %u other process%s may not be read: %s may pay as well\n", count->unread,
		       es(count->unread), count->unread == 1 ? "it" : "they");
}

void doctor_print_payers(const struct binaries *binaries, enum doctor_links links, struct pid_list *pids,
			 const struct calibration *calibration, const char *why)
{
	struct mapped_by_file files[ALLOCATORS_MAX];
	struct mapped_by_count count;
	unsigned int file_count = 0;
	int err;

	for (const struct binary *file = binaries_files(binaries); file && links != LINKS_NONE; file = file->next)
		if (file->plan && (links == LINKS_EVERY || plan_throws(file->plan)))
			files[file_count++] = (struct mapped_by_file){
				.device = elf_device(file->elf),
				.inode = elf_inode(file->elf),
				.path = elf_path(file->elf),
			};
	if (!file_count && links == LINKS_EVERY)
		return;
	printf("\nWho else pays\n");
	if (!file_count) {
		printf("  no other process: %s\n", why);
		return;
	}
	if (pids->count)
		qsort(pids->pids, pids->count, sizeof(*pids->pids), compare_pids);
	err = mapped_by_count(THIS_MACHINE, files, file_count, is_listed, pids, &count);
	if (err)
		printf("  that cannot be told: %s\n", strerror(-err));
	else
		print_count(links, file_count, &count, calibration);
}
