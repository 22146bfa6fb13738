/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "record/tracing.h"

/*
 * `heaptap doctor`: what this kernel, these privileges and the target allow and cost, on stdout; nothing is traced.
 * With `clean`, breakpoints that a killed heaptap left in the target, without one in any process, are taken out (doctor_clean.h).
 * Returns the status that record would stop with: STATUS_DONE, STATUS_UNSUPPORTED, STATUS_NO_TARGET (for COMMAND as
 * record does: STATUS_NOT_FOUND, STATUS_NOT_EXECUTABLE), or STATUS_FAILED when it could not look.
 */
int doctor_run(const struct tracing_options *options, bool clean);
