/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a source lists as targets of Prometheus' HTTP service discovery: one for each process, whose labels make scrapers of metrics
 * (Prometheus: __metrics_path__) and of profiles (Alloy: __profile_path_prefix__; Parca: __param_pid) ask for that process.
 */
#include "live/source.h"

#define DISCOVERY_TARGETS_MAX 1000 /* the largest in use */

/* `address`: host and port under which the client reaches this server. 0, -ENOMEM, or the errno of writing. */
int discovery_write(const struct source_listing *listing, const char *address, FILE *out);
