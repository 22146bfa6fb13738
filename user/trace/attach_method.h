/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Choosing a way of attaching: session, multi, perf, tried in that order by really probing two private functions of heaptap
 * itself with the very programs that will be used. That also measures what one unsampled hit costs on this machine.
 */
#include "trace/bpf_object.h"

struct calibration {
	double alloc_ns, free_ns;
	bool filter_is_right; /* the PID filter sees every thread of the process (multi links before 6.10 do not) */
};

/*
 * Load the programs for the best way that works (or the one HEAPTAP_ATTACH names) and calibrate it; sets options->kind.
 * STATUS_DONE, or the status to exit with, the reason logged.
 */
int attach_method_choose(struct kernel_options *options, struct kernel **ret_kernel,
			 struct calibration *ret_calibration);

/*
 * Log in one sentence why heaptap cannot `do_what`, with the next step; STATUS_UNSUPPORTED or STATUS_FAILED. Tries every
 * feature, which takes up to half a second.
 */
int attach_method_explain(const char *do_what, int err);
