/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verb doctor: tries everything record would need, one by one, and prints the answers. Called by main.
 */
#include "cli/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "trace/feature.h"
#include "cli/doctor_target.h"
#include "base/log.h"
#include "trace/attach_method.h"

#define SAMPLE_BYTES   (512 << 10) /* record's default; the cost of an unsampled hit hardly depends on it */
#define PAIRS_A_SECOND 100000

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

static void print_features(const struct features *features)
{
	enum feature_id id;

	printf("\nKernel\n");
	for (id = FEATURE_BPF; id < FEATURE_MAX; id++) {
		const struct requirement *requirement = feature_text_find(id);
		int error = features->error[id];

		/* Refused, one cannot know what the kernel has. */
		bool refused = error == -EPERM || error == -EACCES;

		printf("  %s  %-25s %s\n", refused ? "?  " : tick(!error), requirement->name, requirement->purpose);
		if (error && !refused)
			printf("       %-25s %s; takes %s\n", "", strerror(-error), requirement->source);
	}
}

/* Load and calibrate what record would use. */
static int print_cost(struct calibration *ret_calibration, enum attach_kind *ret_kind)
{
	struct kernel_options options = {.sample_bytes = SAMPLE_BYTES};
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
	if (!ret_calibration->filter_is_right)
		printf("  links on one process miss threads on this kernel: every process that maps a probed file "
		       "pays\n");
	*ret_kind = options.kind;
	kernel_close(kernel);
	return STATUS_DONE;
}

int doctor_run(const struct selection_options *options)
{
	struct calibration calibration;
	enum attach_kind kind = ATTACH_SESSION;
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
	missing = feature_text_missing(&features);
	if (missing) {
		feature_text_explain(missing, features.error[missing], &privileges, sentence, sizeof(sentence));
		printf("\nNothing can be recorded here\n  %s\n", sentence);
		status = STATUS_UNSUPPORTED;
	} else {
		status = print_cost(&calibration, &kind);
	}
	target = doctor_target_print(options, status ? NULL : &calibration, kind);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write to standard output: %s", strerror(errno));
		return STATUS_FAILED;
	}
	return status ? status : target;
}
