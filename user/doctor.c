/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb doctor: tries everything record would need, one by one, and prints the answers. Called by main.
 */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "elf.h"
#include "feature.h"
#include "label.h"
#include "log.h"
#include "procfs.h"
#include "rung.h"
#include "target.h"

#define SAMPLE_BYTES   (512 << 10) /* record's default; the cost of an unsampled hit hardly depends on it */
#define FILTERED_MAX   8	   /* as record: more processes take unfiltered probes */
#define PAIRS_A_SECOND 100000

static const char *tick(bool yes)
{
	return yes ? "yes" : "no ";
}

/* Paths and names that others chose, fit for a terminal. Static storage. */
static const char *plain(const char *text)
{
	static char copy[4096];

	snprintf(copy, sizeof(copy), "%s", text);
	return label_defuse(copy);
}

static void print_privileges(const struct privileges *privileges)
{
	unsigned int count, i;
	const struct capability *table = capability_table(&count);

	printf("\nPrivileges%s\n",
	       privileges->user_namespace ? " (of a user namespace: BPF, perf and uprobes do not accept them)" : "");
	for (i = 0; i < count; i++)
		printf("  %s  %-25s %s\n", tick(privileges_have(privileges, &table[i])), table[i].name,
		       table[i].purpose);
}

static void print_features(const struct features *features)
{
	enum feature_id id;

	printf("\nKernel\n");
	for (id = FEATURE_BPF; id < FEATURE_MAX; id++) {
		const struct requirement *requirement = requirement_find(id);
		int error = features->error[id];

		/* Refused, one cannot know what the kernel has. */
		bool refused = error == -EPERM || error == -EACCES;

		printf("  %s  %-25s %s\n", refused ? "?  " : tick(!error), requirement->name, requirement->purpose);
		if (error && !refused)
			printf("       %-25s %s; takes %s\n", "", strerror(-error), requirement->source);
	}
}

/* Load and calibrate what record would use. */
static int print_cost(void)
{
	struct kernel_options options = {.sample_bytes = SAMPLE_BYTES};
	struct calibration calibration;
	struct kernel *kernel;
	int status = rung_choose(&options, &kernel, &calibration);
	double pair_ns;

	if (status)
		return status;
	pair_ns = calibration.alloc_ns + calibration.free_ns;
	printf("\nCost\n"
	       "  attaches by %s: %.2f us for each allocation, %.2f us for each free\n"
	       "  a program that makes %d malloc and free pairs a second gives up %.1f %% of a core, %.1f %% with "
	       "--alloc-only\n",
	       attach_kind_name(options.kind), calibration.alloc_ns / 1e3, calibration.free_ns / 1e3, PAIRS_A_SECOND,
	       PAIRS_A_SECOND * pair_ns / 1e7, PAIRS_A_SECOND * calibration.alloc_ns / 1e7);
	if (!calibration.filter_is_right)
		printf("  links on one process miss threads on this kernel: every process that maps a probed file "
		       "pays\n");
	kernel_close(kernel);
	return STATUS_DONE;
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

static void print_plan(const struct target_file *file)
{
	const struct plan *plan = file->plan;
	unsigned int stepped = 0;
	u32 i;

	printf("  %s in '%s'\n    probes:", plan->name, plain(elf_path(file->elf)));
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

/* What is known of the files of one target. STATUS_NO_TARGET when there is nothing to probe in them. */
static int print_files(const struct target *target)
{
	const struct target_file *file;
	unsigned int plans = 0, searched = 0;

	for (file = target_files(target); file; file = file->next, searched++) {
		if (!file->plan)
			continue;
		print_plan(file);
		plans++;
	}
	if (plans)
		return STATUS_DONE;
	printf("  no allocator that heaptap knows (glibc, musl, jemalloc, tcmalloc, mimalloc) in %u files:\n",
	       searched);
	for (file = target_files(target); file; file = file->next)
		printf("    '%s'%s\n", plain(elf_path(file->elf)), elf_is_64bit_x86(file->elf) ? "" : " (not x86-64)");
	return STATUS_NO_TARGET;
}

struct scan {
	struct target *target;
	pid_t pid;
	unsigned int closed; /* files that could not be opened */
};

static int scan_mapping(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;
	struct target_file *file;
	int err = target_open_mapping(scan->target, scan->pid, mapping, &file);

	if (!err && !file && mapping->path && mapping->path[0] == '/') {
		scan->closed++;
		printf("  cannot open '%s'%s; it takes CAP_CHECKPOINT_RESTORE, or a restart of the process\n",
		       plain(mapping->path), mapping->deleted ? " (replaced or deleted)" : "");
	}
	return err;
}

static int print_process(pid_t pid, const struct pool *pools)
{
	struct scan scan = {.target = target_new(pools), .pid = pid};
	char comm[16] = "?";
	int err, status;

	if (!scan.target) {
		log_error("out of memory");
		return STATUS_FAILED;
	}
	procfs_comm(pid, comm);
	printf("\nProcess %d (%s)\n", pid, plain(comm));
	err = procfs_for_each_mapping(pid, scan_mapping, &scan);
	if (err == -ESRCH || err == -ENOENT) {
		printf("  there is no such process\n");
		status = STATUS_NO_TARGET;
	} else if (err == -EACCES || err == -EPERM) {
		printf("  its mappings may not be read: takes CAP_SYS_PTRACE; try 'sudo heaptap doctor -p %d'\n", pid);
		status = STATUS_UNSUPPORTED;
	} else if (err) {
		printf("  its mappings cannot be read: %s\n", strerror(-err));
		status = STATUS_FAILED;
	} else {
		status = print_files(scan.target);
		if (procfs_live_thread(pid) != pid)
			printf("  its main thread has exited: probes are unfiltered, every process that maps these "
			       "files pays\n");
	}
	target_free(scan.target);
	return status;
}

static int print_command(char *const *command, const struct pool *pools)
{
	struct target *target;
	char *path;
	int err = command_find(command[0], &path), status;

	printf("\nCommand '%s'\n", plain(command[0]));
	if (err) {
		printf("  cannot be run: %s\n", strerror(-err));
		return err == -ENOENT ? STATUS_NOT_FOUND : err == -EACCES ? STATUS_NOT_EXECUTABLE : STATUS_FAILED;
	}
	target = target_new(pools);
	err = target ? target_open_program(target, path) : -ENOMEM;
	if (err) {
		printf("  cannot look into '%s': %s\n", plain(path), strerror(-err));
		status = STATUS_FAILED;
	} else {
		status = print_files(target);
	}
	target_free(target);
	free(path);
	return status;
}

static int print_target(const struct options *options)
{
	int status = STATUS_DONE;
	unsigned int i;

	if (options->command)
		return print_command(options->command, options->pools);
	for (i = 0; i < options->pid_count; i++) {
		int each = print_process(options->pids[i], options->pools);

		if (!status)
			status = each;
	}
	if (options->pid_count > FILTERED_MAX)
		printf("\nMore than %d processes: probes are unfiltered, every process that maps these files pays\n",
		       FILTERED_MAX);
	return status;
}

int doctor_run(const struct options *options)
{
	struct privileges privileges;
	struct features features;
	struct utsname kernel;
	enum feature_id missing;
	char sentence[512];
	int status, target;

	if (uname(&kernel) || privileges_read(&privileges)) {
		log_error("cannot look around: %s", strerror(errno));
		return STATUS_FAILED;
	}
	printf("heaptap " HEAPTAP_VERSION " on %s %s %s\n", kernel.sysname, kernel.release, kernel.machine);
	feature_probe(&features);
	print_privileges(&privileges);
	print_features(&features);
	missing = requirement_missing(&features);
	if (missing) {
		requirement_explain(missing, features.error[missing], &privileges, sentence, sizeof(sentence));
		printf("\nNothing can be recorded here\n  %s\n", sentence);
		status = STATUS_UNSUPPORTED;
	} else {
		status = print_cost();
	}
	target = print_target(options);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write to standard output: %s", strerror(errno));
		return STATUS_FAILED;
	}
	return status ? status : target;
}
