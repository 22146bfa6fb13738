/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Frames as plain text, one below the other, for scripts and logs. */
#include "top/top.h"

/* Ends after options->count frames, when nothing more comes, or when `stop_fd` is readable. Returns enum status. */
int batch_run(struct source *source, int stop_fd, const struct top_options *options);
