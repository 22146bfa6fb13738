/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans and surveys in words. Called by forecast. */
#include "cli/doctor_print.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"
#include "binary/elf.h"
#include "format/site_label.h"
#include "system/procfs.h"

const char *doctor_print_plain(const char *text)
{
	static char copy[4096];

	snprintf(copy, sizeof(copy), "%s", text);
	return site_label_defuse(copy);
}

static const char *ending(unsigned int count)
{
	return count == 1 ? "" : "es";
}

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

/* What remains of a danger that is otherwise ruled out. */
static void print_throwing(const struct plan *plan)
{
	u32 i = 0;

	while (i < plan->probe_count && plan->probes[i].kind < CALL_NEW)
		i++;
	if (i == plan->probe_count)
		return;
	printf("    its operator new throws, which a program does not survive while its return is waited for: where it "
	       "may\n    fail, it is counted without knowing what is in use; --no-new leaves it alone\n");
}

/* `users`: the processes that map it; NULL: there is one. */
static void print_plan(const struct binary *file, const struct doctor_scan_some *users)
{
	const struct plan *plan = file->plan;
	unsigned int stepped = 0;
	u32 i;

	printf("  %s in '%s'\n", plan->name, doctor_print_plain(elf_path(file->elf)));
	if (users) {
		printf("    mapped by %u process%s:", users->count, ending(users->count));
		print_some(users);
	}
	printf("    probes:");
	for (i = 0; i < plan->probe_count; i++) {
		printf(" %s+%llu", plan->probes[i].symbol, (unsigned long long)plan->probes[i].site.offset);
		stepped += !plan->probes[i].site.emulated;
	}
	putchar('\n');
	print_throwing(plan);
	if (!stepped)
		return;
	printf("    single-stepped, several times dearer:");
	for (i = 0; i < plan->probe_count; i++)
		if (!plan->probes[i].site.emulated)
			printf(" %s", plan->probes[i].symbol);
	putchar('\n');
}

int doctor_print_files(const struct binaries *binaries)
{
	const struct binary *file;
	unsigned int plans = 0, searched = 0;

	for (file = binaries_files(binaries); file; file = file->next, searched++) {
		if (!file->plan)
			continue;
		print_plan(file, NULL);
		plans++;
	}
	if (plans)
		return STATUS_DONE;
	printf("  no allocator that heaptap knows (glibc, musl, jemalloc, tcmalloc, mimalloc) in %u files:\n",
	       searched);
	for (file = binaries_files(binaries); file; file = file->next)
		printf("    '%s'%s\n", doctor_print_plain(elf_path(file->elf)),
		       elf_is_64bit_x86(file->elf) ? "" : " (not x86-64)");
	return STATUS_NO_TARGET;
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

static void print_allocators(const struct doctor_scan *scan)
{
	const struct binary *files[ALLOCATORS_MAX];
	unsigned int count = 0;

	for (const struct binary *file = binaries_files(scan->binaries); file; file = file->next)
		if (file->plan)
			files[count++] = file;
	qsort_r(files, count, sizeof(*files), by_users, (void *)scan);
	for (unsigned int i = 0; i < count; i++)
		print_plan(files[i], &scan->users[files[i]->allocator]);
	if (!count)
		printf("  no allocator that heaptap knows (glibc, musl, jemalloc, tcmalloc, mimalloc) so far; a "
		       "process that comes to map one is traced from then on\n");
}

static void print_left_out(const char *what, const struct doctor_scan_some *some)
{
	if (!some->count)
		return;
	printf("  %u process%s %s:", some->count, ending(some->count), what);
	print_some(some);
}

void doctor_print_scan(const struct doctor_scan *scan)
{
	print_allocators(scan);
	print_left_out("without an allocator that heaptap knows", &scan->plain);
	print_left_out("of 32 bits, refused, as heaptap traces those of 64 bits only", &scan->narrow);
	print_left_out("whose mappings may not be read, for want of CAP_SYS_PTRACE or by a security module",
		       &scan->unread);
	if (scan->denied_count)
		printf("  %u file%s cannot be opened, as '%s' of process %d; it takes CAP_CHECKPOINT_RESTORE, or a "
		       "restart of the process\n",
		       scan->denied_count, scan->denied_count == 1 ? "" : "s", doctor_print_plain(scan->denied_path),
		       scan->denied_pid);
}
