/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What record would do with each kind of target, and who else would pay for it. Called by doctor. */
#include "cli/doctor_target.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/workload.h"
#include "base/log.h"
#include "base/status.h"
#include "record/selection.h"
#include "system/proc_maps.h"
#include "system/procfs.h"
#include "cli/doctor_print.h"
#include "record/launch.h"
#include "cli/doctor_cost.h"

struct doctor_target {
	const struct selection_options *options;
	const struct calibration *calibration; /* NULL: nothing can be recorded here */
	enum attach_kind kind;
};

static int out_of_memory(void)
{
	log_error("out of memory");
	return STATUS_FAILED;
}

/* --- processes ------------------------------------------------------------------------------------------------------ */

struct scan {
	struct binaries *binaries;
	pid_t pid;
};

static int scan_mapping(struct mapping *mapping, void *arg)
{
	struct scan *scan = arg;
	struct binary *file;
	int err = binaries_open_mapping(scan->binaries, scan->pid, mapping, &file);

	if (!err && !file && doctor_scan_is_denied(scan->pid, mapping))
		printf("  cannot open '%s'%s; it takes CAP_CHECKPOINT_RESTORE, or a restart of the process\n",
		       doctor_print_plain(mapping->path), mapping->deleted ? " (replaced or deleted)" : "");
	return err;
}

static int print_process(pid_t pid, const struct custom_allocator *pools)
{
	struct scan scan = {.binaries = binaries_new(pools), .pid = pid};
	char comm[16] = "?";
	pid_t process = procfs_process(pid);
	int err, status;

	if (!scan.binaries)
		return out_of_memory();
	procfs_comm(pid, comm);
	printf("\nProcess %d (%s)\n", pid, doctor_print_plain(comm));
	err = proc_maps_for_each(pid, scan_mapping, &scan);
	if (!process || err == -ESRCH || err == -ENOENT) {
		printf("  there is no such process\n");
		status = STATUS_NO_TARGET;
	} else if (process != pid) {
		printf("  it is a thread of process %d; try 'heaptap doctor -p %d'\n", process, process);
		status = STATUS_NO_TARGET;
	} else if (err == -EACCES || err == -EPERM) {
		printf("  its mappings may not be read: takes CAP_SYS_PTRACE; try 'sudo heaptap doctor -p %d'\n", pid);
		status = STATUS_UNSUPPORTED;
	} else if (err) {
		printf("  its mappings cannot be read: %s\n", strerror(-err));
		status = STATUS_FAILED;
	} else {
		status = doctor_print_files(scan.binaries);
		if (procfs_live_thread(pid) != pid)
			printf("  its main thread has exited: its probes are unfiltered\n");
	}
	binaries_free(scan.binaries);
	return status;
}

/* Links of the target's own: but functions that throw have unfiltered ones, where sessions take their return legs. */
static void print_own_links(const struct doctor_target *target, const struct binaries *binaries,
			    const struct pid_list *pids, const char *whom)
{
	bool wide = target->calibration && !target->calibration->filter_is_right;

	if (wide)
		doctor_cost_print(binaries, TOLL_EVERY, pids, target->calibration);
	else if (target->kind != ATTACH_SESSION ||
		 !doctor_cost_print(binaries, TOLL_THROWING, pids, target->calibration))
		doctor_cost_print_none(whom);
}

/* Of some processes, who can be traced. */
static int print_few_payers(const struct doctor_target *target, struct pid_list *pids, const struct pid_list *headless)
{
	const struct pid_list *linked = headless->count ? headless : pids;
	struct doctor_scan scan;

	if (doctor_scan_make(target->options->pools, linked, &scan))
		return out_of_memory();
	qsort(pids->pids, pids->count, sizeof(*pids->pids), doctor_cost_compare_pids);
	if (headless->count)
		doctor_cost_print(scan.binaries, TOLL_EVERY, pids, target->calibration);
	else
		print_own_links(target, scan.binaries, pids,
				"the probes are for the processes named alone, without their children");
	doctor_scan_release(&scan);
	return STATUS_DONE;
}

static int print_few(const struct doctor_target *target)
{
	const struct selection_options *options = target->options;
	pid_t pids[FILTERED_MAX], without[FILTERED_MAX];
	struct pid_list good = {.pids = pids}, headless = {.pids = without};
	int status = STATUS_DONE;

	for (unsigned int i = 0; i < options->pid_count; i++) {
		int each = print_process(options->pids[i], options->pools);

		if (!status)
			status = each;
		if (each)
			continue;
		pids[good.count++] = options->pids[i];
		/* Links on one process are blind once its main thread has gone. */
		if (procfs_live_thread(options->pids[i]) != options->pids[i])
			without[headless.count++] = options->pids[i];
	}
	return status ? status : print_few_payers(target, &good, &headless);
}

/* --- COMMAND -------------------------------------------------------------------------------------------------------- */

/* Of COMMAND and the shell, which its children are likely to be served by. */
static int print_followed(const struct doctor_target *target, const char *path)
{
	const struct selection_options *options = target->options;
	struct selection selection = {.options = options};
	struct pid_list nobody = {0};
	struct launch launch;
	char why[256];

	if (launch_rehearse(&selection, path, &launch))
		return out_of_memory();
	doctor_print_files(launch.binaries);
	printf("  what its children map besides is probed when they map it\n");
	snprintf(why, sizeof(why), "'%s' and its children get copies of %u file%s, in a mount namespace of their own",
		 doctor_print_plain(options->command[0]), launch.copies, launch.copies == 1 ? "" : "s");
	if (launch.copies && !options->shared_mounts) {
		doctor_cost_print_none(why);
	} else {
		if (!options->shared_mounts)
			printf("  the real files are probed, because %s\n", launch.reason);
		doctor_cost_print(launch.binaries, TOLL_EVERY, &nobody, target->calibration);
	}
	launch_free(&launch);
	return STATUS_DONE;
}

static int print_alone(const struct doctor_target *target, const char *path)
{
	struct binaries *binaries = binaries_new(target->options->pools);
	struct pid_list nobody = {0};
	int err = binaries ? binaries_open_program(binaries, path) : -ENOMEM, status = STATUS_FAILED;

	if (err)
		printf("  cannot look into '%s': %s\n", doctor_print_plain(path), strerror(-err));
	else
		status = doctor_print_files(binaries);
	if (!status)
		print_own_links(target, binaries, &nobody, "the probes are for COMMAND alone, without its children");
	binaries_free(binaries);
	return status;
}

static int print_command(const struct doctor_target *target)
{
	const char *name = target->options->command[0];
	char *path;
	int err = workload_find(name, &path), status;

	printf("\nCommand '%s'\n", doctor_print_plain(name));
	if (err) {
		printf("  cannot be run: %s\n", strerror(-err));
		return err == -ENOENT ? STATUS_NOT_FOUND : err == -EACCES ? STATUS_NOT_EXECUTABLE : STATUS_FAILED;
	}
	status = target->options->population == POPULATION_FOLLOW ? print_followed(target, path)
								  : print_alone(target, path);
	free(path);
	return status;
}

/* --- populations ---------------------------------------------------------------------------------------------------- */

static void print_heading(const struct selection_options *options, const struct selection *selection,
			  unsigned int count)
{
	char name[SELECTION_NAME_MAX];

	selection_name(selection, name);
	name[0] = (char)toupper(name[0]);
	printf("\n%s", doctor_print_plain(name));
	printf("%s: %u now\n", options->comm || options->exe ? ", as --comm and --exe choose" : "", count);
}

/* What was said about the processes that were found decides what record would do: of those named, none may be without. */
static int judge(const struct selection_options *options, const struct doctor_scan *scan)
{
	if (!scan->processes && scan->unread.count)
		return STATUS_UNSUPPORTED;
	if (options->population == POPULATION_LISTED && scan->plain.count + scan->narrow.count)
		return STATUS_NO_TARGET;
	return STATUS_DONE;
}

static int print_many(const struct doctor_target *target, const struct selection *selection, struct pid_list *pids)
{
	const struct selection_options *options = target->options;
	struct doctor_scan scan;
	int status;

	if (pids->count)
		qsort(pids->pids, pids->count, sizeof(*pids->pids), doctor_cost_compare_pids);
	if (doctor_scan_make(options->pools, pids, &scan))
		return out_of_memory();
	print_heading(options, selection, scan.processes);
	doctor_print_scan(&scan);
	if (options->population == POPULATION_ALL && !options->comm && !options->exe)
		doctor_cost_print_none("every process is traced");
	else
		doctor_cost_print(scan.binaries, TOLL_EVERY, pids, target->calibration);
	status = judge(options, &scan);
	doctor_scan_release(&scan);
	return status;
}

static int print_population(const struct doctor_target *target)
{
	struct selection selection;
	struct pid_list pids = {0};
	int status = selection_open(target->options, &selection);

	if (!status)
		status = selection_list(&selection, &pids);
	if (!status)
		status = print_many(target, &selection, &pids);
	pid_list_release(&pids);
	selection_release(&selection);
	return status;
}

int doctor_target_print(const struct selection_options *options, const struct calibration *calibration,
			enum attach_kind kind)
{
	struct doctor_target target = {options, calibration, kind};

	/* What goes wrong is said elsewhere, and after what went well. */
	fflush(stdout);
	selection_take_descriptors();
	if (options->command)
		return print_command(&target);
	if (options->population != POPULATION_LISTED || options->pid_count > FILTERED_MAX)
		return print_population(&target);
	return options->pid_count ? print_few(&target) : STATUS_DONE;
}
