/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What doctor says about programs under translators (system/translator.h), which record refuses to harm. */
#include "cli/doctor_scan.h"

/*
 * A process that is to be traced: STATUS_NO_TARGET, with the reason printed, if it runs under one and `allowed` is false; STATUS_FAILED, with
 * that, if it cannot be found out.
 */
int doctor_translators_print_target(pid_t pid, bool allowed);

/*
 * All processes of the machine that run under one, and which of them map a file that these links would probe. STATUS_NO_TARGET
 * if any does and `allowed` (--harm-translators) is false; STATUS_FAILED, with the reason printed, if it cannot be found out.
 */
int doctor_translators_print(const struct binaries *binaries, enum doctor_links links, bool allowed);
