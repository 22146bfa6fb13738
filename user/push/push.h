/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap push`: a source's profiles to a store, one pair for each series and interval, until it is stopped or the target has ended. */
#include "live/client.h"
#include "push/pushing.h"

#define PUSH_EVERY_S 15 /* as often as scrapers ask */

/* For struct live_client, with the options as `arg`. STATUS_FAILED also where profiles were lost. */
int push_run(struct source *source, int stop_fd, void *arg);

/*
 * The intervals alone, of what the caller has opened and finishes: for struct live_client, with a struct pushing as `arg`. Returns STATUS_DONE
 * after the last one.
 */
int push_intervals(struct source *source, int stop_fd, void *arg);
