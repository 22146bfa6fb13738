/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A target that is traced, as a source. Askers write a question and wait; the thread that empties the ring answers it with
 * snapshots between two looks at the ring, and the asker itself names them, merges them, and does everything else. Snapshots get
 * 1 % of that thread's time: a question after an expensive one waits until the time it took has come round a hundred times.
 *
 * The last RUNNING_ENDED images that have ended can still be asked for; where the client adds up, also the last RUNNING_UNTOLD of
 * which it does not know all.
 */
#include <regex.h>

#include "live/client.h"
#include "record/tracing.h"

#define RUNNING_ENDED	32
#define RUNNING_UNTOLD	1024
#define RUNNING_WAIT_NS 10000000000ULL /* the longest wait for the share of time */

/*
 * Trace the target until the client returns; a signal and the duration stop the client. When the target has ended, questions go
 * on being answered, with source_listing.ended. `site_skip`: see naming.h. Returns the status to exit with, the reason logged.
 */
int running_run(const struct tracing_options *options, const regex_t *site_skip, const struct live_client *client);
