/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap report --html`, and what `record --html` writes at its end. */
#include "cli/report.h"

/* Write the page options->html of options->path, or of the difference to options->base. Returns the exit status; errors are logged. */
int report_page(const struct report_options *options);

/* Could the page be written there? Said before a recording, whose end is too late to find out. STATUS_DONE, or logged. */
int report_page_check(const char *html);
