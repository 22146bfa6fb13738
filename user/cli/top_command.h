/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap top`: a screen on what is traced, or on what was recorded. */
#include "cli/options.h"

/*
 * Ask first where the whole machine would be traced because no target was named; without a terminal to ask on that is a usage error.
 * Returns the exit status; errors are logged.
 */
int top_command_run(const struct options *options);
