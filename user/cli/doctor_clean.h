/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "record/selection.h"

/*
 * `doctor --clean`: take out the breakpoints that stayed in the target, without one in any process, when heaptap was killed, and
 * print what came of it. STATUS_DONE, STATUS_UNSUPPORTED where no process may be looked at, STATUS_NO_TARGET or STATUS_FAILED.
 */
int doctor_clean(const struct selection_options *options);
