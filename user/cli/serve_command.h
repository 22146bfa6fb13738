/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap serve`: HTTP on what is traced, or on what was recorded. */
#include "cli/options.h"

/* Returns the exit status; errors are logged. */
int serve_command_run(const struct options *options);
