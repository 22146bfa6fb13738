/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What heaptap takes in memory while it runs. Functions fail the running cmocka test themselves. */
#include <stdint.h>

#include "session.h"

/* KiB, by a field of /proc/PID/status: "RssAnon", "VmRSS". */
uint64_t memory_kb(const struct session *session, const char *field);

/*
 * heaptap takes events in, writes profiles and gives back what they took when it comes to it, which on a busy machine is later:
 * waits until RssAnon is below `kb_max`, or for the deadline. What it is then.
 */
uint64_t memory_await_below(const struct session *session, uint64_t kb_max);
