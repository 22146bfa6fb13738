/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "cli/doctor_go.h"
#include "cli/doctor_pool.h"
#include "base/text.h"
#include "binary/elf.h"
#include "probe/foreign_heap.h"
#include "probe/program_runtime.h"
#include "system/address_map.h"
#include "system/mapped_by.h"
#include "system/proc_maps.h"
#include "system/procfs.h"
#include "trace/link_keeper.h"
#include "trace/denial.h"

#define THIS_MACHINE "" /* the root of all paths */

/* At one process. */
struct look {
	struct doctor_scan *scan;
	pid_t pid;
	bool runs;	   /* it maps code, so it is not a thread of the kernel */
	bool known;	   /* an allocator is among its files */
	bool wide, narrow; /* files of 64 and of other bits are */
};

/* Once for each process, which may map a file several times. */
static void add(struct doctor_scan_some *some, pid_t pid)
{
	if (some->last == pid)
		return;
	some->last = pid;
	if (some->count < DOCTOR_SCAN_NAMED)
		some->first[some->count] = pid;
	some->count++;
}

/*
 * Why binaries_open_mapping has no file: negative errno where it cannot be opened, else 0. Code that is mapped from a file
 * that is no ELF file can be opened, and what a process maps that has ended does not matter.
 */
static int denied_by(const struct doctor_scan *scan, pid_t pid, const struct mapping *mapping)
{
	const struct unopened *lacking = &binaries_unopened(scan->binaries)->lacking;
	int fd;

	/* Memory without a file has a path as well, and no inode; a memfd has one. */
	if (!mapping->inode || proc_maps_is_made_code(pid, mapping))
		return 0;
	if (lacking->count)
		return lacking->err;
	fd = proc_maps_open(pid, mapping);
	if (fd >= 0)
		close(fd);
	return fd < 0 && fd != -ESRCH ? fd : 0;
}

static int add_denied(struct doctor_scan *scan, pid_t pid, const struct mapping *mapping, int why)
{
	struct doctor_scan_denied **end = &scan->denied;
	size_t size = strlen(mapping->path) + 1;

	for (; *end; end = &(*end)->next)
		if ((*end)->device == mapping->device && (*end)->inode == mapping->inode)
			return 0;
	*end = malloc(sizeof(**end) + size);
	if (!*end)
		return -ENOMEM;
	**end = (struct doctor_scan_denied){NULL, mapping->device, mapping->inode, pid, why};
	memcpy((*end)->path, mapping->path, size);
	scan->denied_count++;
	return 0;
}

static int look_at_mapping(struct mapping *mapping, void *arg)
{
	struct look *look = arg;
	struct doctor_scan *scan = look->scan;
	struct binary *file;
	int err = binaries_open_mapping(scan->binaries, look->pid, mapping, &file);

	look->runs = true;
	if (err || !mapping->path || mapping->path[0] != '/')
		return err;
	if (!file) {
		err = denied_by(scan, look->pid, mapping);
		return err ? add_denied(scan, look->pid, mapping, err) : 0;
	}
	if (elf_is_64bit_x86(file->elf))
		look->wide = true;
	else
		look->narrow = true;
	if (!file->plan)
		return 0;
	look->known = true;
	add(&scan->users[file->allocator], look->pid);
	return 0;
}

static int look_at_process(struct doctor_scan *scan, pid_t pid)
{
	struct look look = {.scan = scan, .pid = pid};
	int err = proc_maps_for_each(pid, look_at_mapping, &look);

	if (err == -EACCES || err == -EPERM)
		add(&scan->unread, pid);
	if (err) {
		scan->error = err;
		return err == -ENOMEM ? err : 0;
	}
	scan->processes += look.runs;
	if (look.runs && !look.known)
		add(look.narrow && !look.wide ? &scan->narrow : &scan->plain, pid);
	return 0;
}

int doctor_scan_make(struct custom_allocator *pools, const struct pid_list *pids, struct doctor_scan *ret_scan)
{
	int err;

	*ret_scan = (struct doctor_scan){.binaries = binaries_new(pools, false)};
	err = ret_scan->binaries ? 0 : -ENOMEM;
	for (unsigned int i = 0; i < pids->count && !err; i++)
		err = look_at_process(ret_scan, pids->pids[i]);
	if (err)
		doctor_scan_release(ret_scan);
	return err;
}

void doctor_scan_release(struct doctor_scan *scan)
{
	struct doctor_scan_denied *next;

	for (struct doctor_scan_denied *denied = scan->denied; denied; denied = next) {
		next = denied->next;
		free(denied);
	}
	binaries_free(scan->binaries);
	*scan = (struct doctor_scan){0};
}

static const char *es(unsigned int count)
{
	return count == 1 ? "" : "es";
}

/* --- print what is probed --- */

/* " 12 (sh), 15 (make) and 3 more" */
static void print_some(const struct doctor_scan_some *some)
{
	unsigned int shown = some->count < DOCTOR_SCAN_NAMED ? some->count : DOCTOR_SCAN_NAMED;

	for (unsigned int i = 0; i < shown; i++) {
		char comm[16] = "?";

		procfs_comm(some->first[i], comm);
		printf("%s %d (%s)", i ? "," : "", some->first[i], text_plain(comm));
	}
	if (some->count > shown)
		printf(" and %u more", some->count - shown);
	putchar('\n');
}

static void print_returns(const struct plan *plan)
{
	if (plan->return_count)
		printf("    --alloc: returns are probed at %u instructions, single-stepped, several times dearer\n",
		       plan->return_count);
	for (u32 i = 0; i < plan->probe_count; i++)
		if (plan->probes[i].unseen)
			printf("    %s: where it returns cannot be told (%s): it would be counted at its entry, its use "
			       "unknown\n",
			       plan->probes[i].symbol, plan->probes[i].unseen);
}

/* `users`: the processes that map it; NULL: there is one. */
static void print_plan(const struct binary *file, const struct doctor_scan_some *users)
{
	const struct plan *plan = file->plan;
	unsigned int stepped = 0;
	u32 i;

	printf("  %s in '%s'\n", plan->name, text_plain(elf_path(file->elf)));
	if (users) {
		printf("    mapped by %u process%s:", users->count, es(users->count));
		print_some(users);
	}
	if (plan->inlined) {
		printf("    sampled inside the process, where only samples trap:");
		for (i = 0; i < plan->probe_count; i++)
			printf(" %s", plan->probes[i].symbol);
		putchar('\n');
		return;
	}
	printf("    probes:");
	for (i = 0; i < plan->probe_count; i++) {
		printf(" %s+%llu", plan->probes[i].symbol, (unsigned long long)plan->probes[i].site.offset);
		stepped += !plan->probes[i].site.emulated;
	}
	putchar('\n');
	print_returns(plan);
	if (plan->doubtful_count)
		printf("    calls may be missed, or counted twice, as these can be neither probed nor shown to lead to one "
		       "that is: %s\n",
		       plan->doubtful);
	if (plan->pymalloc.table_count)
		printf("    Python runs copies of these functions in code of its own: while it is recorded, it is made to call them\n");
	if (plan->heap)
		printf("    it has %s: %s\n", plan->heap->name, plan->heap->memory);
	if (plan->mover)
		printf("    it can move its code to huge pages ('%s'), and dies by breakpoints that it has moved: trace it "
		       "with that\n    turned off\n",
		       plan->mover);
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
	doctor_pool_print(binaries);
	if (!count)
		printf("  no allocator that heaptap knows (" ALLOCATOR_NAMES ")");
	return count;
}

/* What malloc does not have. True: heaptap reads it elsewhere. */
static bool print_runtime(const struct binaries *binaries)
{
	const enum doctor_go go = doctor_go_print(binaries);
	const struct language_runtime *runtime = go == DOCTOR_GO_NONE ? program_runtime(binaries) : NULL;

	if (runtime)
		printf("  it is %s: %s; see docs/languages.md\n", runtime->name, runtime->memory);
	return go == DOCTOR_GO_READ;
}

int doctor_scan_print_files(const struct binaries *binaries)
{
	if (print_plans(binaries, NULL)) {
		print_runtime(binaries);
		return STATUS_DONE;
	}
	printf(" in %u files:\n", binaries_count(binaries));
	for (const struct binary *file = binaries_files(binaries); file; file = file->next)
		printf("    '%s'%s\n", text_plain(elf_path(file->elf)),
		       elf_is_64bit_x86(file->elf) ? "" : " (not x86-64)");
	printf("  one that is linked in is found by its names: a program that was stripped of its symbols has none\n");
	return print_runtime(binaries) ? STATUS_DONE : STATUS_NO_TARGET;
}

static void print_left_out(const char *what, const struct doctor_scan_some *some)
{
	if (!some->count)
		return;
	printf("  %u process%s %s:", some->count, es(some->count), what);
	print_some(some);
}

void doctor_scan_print(const struct doctor_scan *scan)
{
	char why[DENIAL_TEXT_MAX];

	if (!print_plans(scan->binaries, scan))
		printf(" so far; a process that maps one later is traced from then on\n");
	print_left_out("without an allocator that heaptap knows", &scan->plain);
	print_left_out("of 32 bits, refused, as heaptap traces those of 64 bits only", &scan->narrow);
	print_left_out("whose mappings may not be read, for want of CAP_SYS_PTRACE or by a security module",
		       &scan->unread);
	if (scan->denied)
		printf("  %u file%s cannot be opened, as '%s' of process %d: %s\n", scan->denied_count,
		       scan->denied_count == 1 ? "" : "s", text_plain(scan->denied->path), scan->denied->pid,
		       denial_explain_file(scan->denied->pid, scan->denied->err, why));
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

	if (link_keeper_is_own(pid))
		return true;
	return list->count && bsearch(&pid, list->pids, list->count, sizeof(pid), compare_pids);
}

static void print_count(enum doctor_links links, unsigned int files, const struct mapped_by_count *count,
			const struct calibration *calibration)
{
	bool every = links == LINKS_EVERY, one = count->processes == 1;
	const char *them = files == 1 ? "it" : "them";
	char cost[32] = "", price[96];

	if (calibration)
		snprintf(cost, sizeof(cost), " %.2f us",
			 (calibration->alloc_ns + (every ? calibration->free_ns : 0)) / 1e3);
	snprintf(price, sizeof(price), "would pay%s for each %s until heaptap stops", cost,
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

void doctor_scan_print_payers(const struct binaries *binaries, enum doctor_links links, struct pid_list *pids,
			      const struct calibration *calibration, const char *why)
{
	struct mapped_by_file files[ALLOCATORS_MAX];
	struct mapped_by_count count;
	unsigned int file_count = 0;
	int err;

	for (const struct binary *file = binaries_files(binaries); file && links != LINKS_NONE; file = file->next)
		if (file->plan && (links == LINKS_EVERY || plan_throws(file->plan)))
			files[file_count++] = mapped_by_file(elf_fd(file->elf), elf_path(file->elf));
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
