/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "cli/option_parser.h"

/* `heaptap record`, with the page of --html and the store of --push. Returns the status to exit with. */
int record_command_run(struct options *options);
