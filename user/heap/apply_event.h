/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What an event out of the ring does to the recorder's images. */
#include "include/event.h"
#include "heap/recorder.h"

/*
 * Apply one event of `size` bytes, as it came out of the ring, in the order of the ring. 0; -EBADMSG: malformed; -ENOENT:
 * of a process number never begun; -ENOMEM. EVENT_EXEC, EVENT_FORK and EVENT_ENTER begin the next image themselves.
 */
int apply_event(struct recorder *recorder, const struct event *event, size_t size);
