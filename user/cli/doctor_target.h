/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_DOCTOR_TARGET_H
#define CLI_DOCTOR_TARGET_H
/*
 * What record would do with a target: which files it would probe, at which sites, and who else would pay. Nothing is
 * probed, stopped or started.
 */
#include "trace/calibrate.h"
#include "record/selection.h"

/*
 * Print it for the target of the options, if they have one. `calibration` is what a hit costs by links of `kind`; NULL:
 * nothing can be recorded here. STATUS_DONE, or the status that record would fail with.
 */
int doctor_target_print(const struct selection_options *options, const struct calibration *calibration,
			enum attach_kind kind);

#endif
