/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/doctor_clean.h"
#include "cli/doctor_footprint.h"
#include "cli/doctor_inline.h"
#include "cli/doctor_scan.h"
#include "cli/doctor_translators.h"
#include "record/launch.h"
#include "system/process_state.h"
#include "system/procfs.h"
#include "system/shortage.h"
#include "probe/binaries.h"
#include "probe/loader_list.h"
#include "system/workload.h"
#include "trace/attach_method.h"
#include "trace/denial.h"
#include "trace/feature.h"

#define SAMPLE_BYTES   (512 << 10) /* record's default; the cost of an unsampled hit hardly depends on it */
#define PAIRS_A_SECOND 100000

/* --- this machine --- */

static const char *tick(bool yes)
{
	return yes ? "yes" : "no ";
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

/* What it does to programs that are probed in the wrong places, by other tools perhaps. */
static void print_hazards(const char *release)
{
	if (feature_text_rewrites_nops(release))
		printf("  note kernels 6.18 to 7.2 without the mend of July 2026 make calls of 5-byte nops that are probed, and "
		       "forked children\n       die of them; heaptap places no probe there, USDT probes of other tools may\n");
	if (procfs_has_shadow_stacks())
		printf("  note this processor has shadow stacks, which kernels without the mend of July 2026 do not keep under "
		       "probes on calls:\n       heaptap places none there\n");
}

static void print_features(const struct features *features, const char *release)
{
	enum feature_id id;

	printf("\nKernel\n");
	for (id = FEATURE_BPF; id < FEATURE_MAX; id++) {
		const struct requirement *requirement = feature_text_find(id);
		int error = features->error[id];

		/* Refused, or without descriptors, one cannot know what the kernel has. */
		bool refused = error == -EPERM || error == -EACCES || shortage_is(error);

		printf("  %s  %-25s %s\n", refused ? "?  " : tick(!error), requirement->name, requirement->purpose);
		if (error && !refused)
			printf("       %-25s %s; takes %s\n", "", strerror(-error), requirement->source);
	}
	print_hazards(release);
}

/* Load and calibrate what record would use. */
static int print_cost(bool small, struct calibration *ret_calibration, enum attach_kind *ret_kind)
{
	struct kernel_options options = {.sample_bytes = SAMPLE_BYTES, .small = small};
	struct kernel *kernel;
	int status = attach_method_choose(&options, &kernel, ret_calibration);
	double pair_ns;

	if (status)
		return status;
	pair_ns = ret_calibration->alloc_ns + ret_calibration->free_ns;
	printf("\nCost\n"
	       "  attaches by %s: %.2f us for each allocation, %.2f us for each free\n"
	       "  a program that makes %d malloc and free pairs a second gives up %.1f %% of a core, %.1f %% with "
	       "--alloc-only\n",
	       attach_kind_name(options.kind), ret_calibration->alloc_ns / 1e3, ret_calibration->free_ns / 1e3,
	       PAIRS_A_SECOND, PAIRS_A_SECOND * pair_ns / 1e7, PAIRS_A_SECOND * ret_calibration->alloc_ns / 1e7);
	if (options.kind != ATTACH_SESSION)
		printf("  every call has a return leg: a program whose signal handlers allocate on an alternate stack, above the "
		       "stack of a\n  call that they interrupt, ends by it; session links spare it\n");
	if (!ret_calibration->filter_is_right)
		printf("  links on one process miss threads on this kernel: every process that maps a probed file "
		       "pays\n");
	doctor_footprint_print(&options.footprint);
	*ret_kind = options.kind;
	kernel_close(kernel);
	return STATUS_DONE;
}

/* --- the target --- */

struct doctor_target {
	const struct selection *selection;
	const struct selection_options *options; /* of the selection */
	const struct calibration *calibration;	 /* NULL: nothing can be recorded here */
	enum attach_kind kind;
};

static int out_of_memory(void)
{
	log_error("out of memory");
	return STATUS_FAILED;
}

/* Links that are filtered by process; but functions that throw have unfiltered ones, where sessions take their returns. */
static enum doctor_links own_links(const struct doctor_target *target)
{
	if (target->calibration && !target->calibration->filter_is_right)
		return LINKS_EVERY;
	return target->kind == ATTACH_SESSION ? LINKS_THROWING : LINKS_NONE;
}

/* --- a few processes --- */

static int print_process(pid_t pid, const struct doctor_scan *scan, const struct selection_options *options)
{
	const struct doctor_scan_denied *denied = scan->denied;
	char comm[16] = "?", why[DENIAL_TEXT_MAX], state[PROCESS_STATE_TEXT_MAX];
	int status;

	procfs_comm(pid, comm);
	printf("\nProcess %d (%s)\n", pid, text_plain(comm));
	if (!process_state_allows(pid, state)) {
		printf("  %s\n", state);
		return STATUS_NO_TARGET;
	}
	for (; denied; denied = denied->next)
		printf("  cannot open '%s': %s\n", text_plain(denied->path),
		       denial_explain_file(pid, denied->err, why));
	if (scan->unread.count) {
		printf("  its mappings may not be read: %s\n", denial_explain_process(why));
		return STATUS_UNSUPPORTED;
	}
	if (scan->error) {
		printf("  its mappings cannot be read: %s\n", strerror(-scan->error));
		return STATUS_FAILED;
	}
	status = doctor_scan_print_files(scan->binaries);
	if (options->inlined)
		doctor_inline_print(pid, scan->binaries);
	if (procfs_live_thread(pid) != pid)
		printf("  its main thread has exited: its probes are unfiltered\n");
	return status ? status : doctor_translators_print_target(pid, options->harm_translators);
}

/* `headless`: those whose main thread has exited, so that links on one process do not see them. */
static int print_few_payers(const struct doctor_target *target, struct pid_list *pids, struct pid_list *headless)
{
	enum doctor_links links = headless->count ? LINKS_EVERY : own_links(target);
	struct doctor_scan scan;
	int status;

	if (doctor_scan_make(target->options->pools, headless->count ? headless : pids, &scan))
		return out_of_memory();
	doctor_scan_print_payers(scan.binaries, links, pids, target->calibration,
				 "the probes are for the processes named alone, without their children");
	status = doctor_translators_print(scan.binaries, links, target->options->harm_translators);
	doctor_scan_release(&scan);
	return status;
}

static int print_few(const struct doctor_target *target)
{
	const struct selection_options *options = target->options;
	pid_t pids[FILTERED_MAX], without[FILTERED_MAX];
	struct pid_list good = {.pids = pids}, headless = {.pids = without};
	int status = STATUS_DONE;

	for (unsigned int i = 0; i < options->pid_count; i++) {
		pid_t pid = options->pids[i];
		struct doctor_scan scan;
		int each;

		if (doctor_scan_make(options->pools, &(struct pid_list){&pid, 1}, &scan))
			return out_of_memory();
		each = print_process(pid, &scan, options);
		doctor_scan_release(&scan);
		if (!status)
			status = each;
		if (each)
			continue;
		pids[good.count++] = pid;
		if (procfs_live_thread(pid) != pid)
			without[headless.count++] = pid;
	}
	return status ? status : print_few_payers(target, &good, &headless);
}

/* --- COMMAND --- */

/* COMMAND and the shell, whose files most of its children use. */
static int print_followed(const struct doctor_target *target, const char *path)
{
	bool shared = target->options->shared_mounts;
	struct pid_list none = {0};
	enum doctor_links links;
	struct launch launch;
	char why[256];
	int status;

	if (launch_rehearse(target->selection, INLINE_BYTES_MIN, path, &launch))
		return out_of_memory();
	doctor_scan_print_files(launch.binaries);
	printf("  what its children map besides is probed when they map it\n");
	if (!launch.copies && !shared)
		printf("  the real files are probed, because %s\n", launch.reason);
	snprintf(why, sizeof(why), "'%s' and its children get copies of %u file%s, in a mount namespace of their own",
		 text_plain(target->options->command[0]), launch.copies, launch.copies == 1 ? "" : "s");
	links = launch.copies && !shared ? LINKS_NONE : LINKS_EVERY;
	doctor_scan_print_payers(launch.binaries, links, &none, target->calibration, why);
	status = doctor_translators_print(launch.binaries, links, target->options->harm_translators);
	launch_free(&launch);
	return status;
}

static int print_alone(const struct doctor_target *target, const char *path)
{
	struct binaries *binaries = binaries_new(target->options->pools, false);
	int err = binaries ? loader_list_open(binaries, path) : -ENOMEM, status = STATUS_FAILED;
	struct pid_list none = {0};

	if (err)
		printf("  cannot look into '%s': %s\n", text_plain(path), strerror(-err));
	else
		status = doctor_scan_print_files(binaries);
	if (!status) {
		doctor_scan_print_payers(binaries, own_links(target), &none, target->calibration,
					 "the probes are for COMMAND alone, without its children");
		status = doctor_translators_print(binaries, own_links(target), target->options->harm_translators);
	}
	binaries_free(binaries);
	return status;
}

static int print_command(const struct doctor_target *target)
{
	const char *name = target->options->command[0];
	char *path;
	int err = workload_find(name, &path), status;

	printf("\nCommand '%s'\n", text_plain(name));
	if (err) {
		printf("  cannot be run: %s\n", strerror(-err));
		return err == -ENOMEM ? STATUS_FAILED : launch_failure(err);
	}
	status = target->options->population == POPULATION_FOLLOW || target->options->inlined
			 ? print_followed(target, path)
			 : print_alone(target, path);
	free(path);
	return status;
}

/* --- many processes --- */

static void print_inline(const struct pid_list *pids, struct binaries *binaries)
{
	for (unsigned int i = 0; i < pids->count; i++) {
		char comm[16] = "?";

		procfs_comm(pids->pids[i], comm);
		printf("\nProcess %d (%s)\n", pids->pids[i], text_plain(comm));
		doctor_inline_print(pids->pids[i], binaries);
	}
}

static int print_many(const struct doctor_target *target)
{
	const struct selection_options *options = target->options;
	bool chosen = options->comm || options->exe;
	char name[SELECTION_NAME_MAX];
	struct doctor_scan scan;
	struct pid_list pids;
	int status = selection_list(target->selection, &pids);

	if (status)
		return status;
	if (doctor_scan_make(options->pools, &pids, &scan)) {
		pid_list_release(&pids);
		return out_of_memory();
	}
	selection_name(target->selection, name);
	name[0] = (char)toupper(name[0]);
	printf("\n%s%s: %u now\n", text_plain(name), chosen ? ", as --comm and --exe choose" : "", scan.processes);
	doctor_scan_print(&scan);
	if (options->inlined)
		print_inline(&pids, scan.binaries);
	doctor_scan_print_payers(scan.binaries,
				 options->population == POPULATION_ALL && !chosen ? LINKS_NONE : LINKS_EVERY, &pids,
				 target->calibration, "every process is traced");
	/* The status of record: each process that was named needs an allocator; others may get one later. */
	if (!scan.processes && scan.unread.count)
		status = STATUS_UNSUPPORTED;
	else if (options->population == POPULATION_LISTED && scan.plain.count + scan.narrow.count)
		status = STATUS_NO_TARGET;
	if (!status)
		status = doctor_translators_print(scan.binaries, LINKS_EVERY, options->harm_translators);
	doctor_scan_release(&scan);
	pid_list_release(&pids);
	return status;
}

/* What record would do with the target of the options, if they have one. */
static int print_target(const struct selection_options *options, const struct calibration *calibration,
			enum attach_kind kind)
{
	struct selection selection;
	struct doctor_target target = {&selection, options, calibration, kind};
	int status;

	if (!selection_has_target(options))
		return STATUS_DONE;
	fflush(stdout); /* errors go to stderr, after what was printed so far */
	status = selection_open(options, &selection);
	if (status)
		; /* logged */
	else if (options->command)
		status = print_command(&target);
	else if (options->population == POPULATION_LISTED && options->pid_count <= FILTERED_MAX)
		status = print_few(&target);
	else
		status = print_many(&target);
	selection_release(&selection);
	return status;
}

/* --- all of it --- */

int doctor_run(const struct tracing_options *options, bool clean)
{
	struct calibration calibration;
	enum attach_kind kind = ATTACH_SESSION;
	struct privileges privileges;
	struct features features;
	struct utsname kernel;
	enum feature_id missing;
	char sentence[512];
	int status, target, cleaned;

	if (uname(&kernel) || privileges_read(&privileges)) {
		log_error("cannot look around: %s", strerror(errno));
		return STATUS_FAILED;
	}
	printf("heaptap " HEAPTAP_VERSION " on %s %s %s\n", kernel.sysname, kernel.release, kernel.machine);
	feature_probe(&features);
	print_privileges(&privileges);
	print_features(&features, kernel.release);
	missing = feature_text_missing(&features);
	if (missing) {
		feature_text_explain(missing, features.error[missing], &privileges, sentence, sizeof(sentence));
		printf("\nNothing can be recorded here\n  %s\n", sentence);
		status = shortage_is(features.error[missing]) ? STATUS_FAILED : STATUS_UNSUPPORTED;
	} else {
		status = print_cost(options->small, &calibration, &kind);
	}
	target = print_target(&options->target, status ? NULL : &calibration, kind);
	cleaned = clean ? doctor_clean(&options->target) : STATUS_DONE;
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write to standard output: %s", strerror(errno));
		return STATUS_FAILED;
	}
	if (!status)
		status = target;
	return status ? status : cleaned;
}
