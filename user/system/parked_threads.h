/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Stopped threads that stand behind the first of the instructions which a jump is about to take the place of, and those that will return
 * there from a signal handler.
 */
#include "system/injection.h"
#include "system/stopped_threads.h"

/*
 * Have all that stand there go on where the instructions were moved to. 0; -EAGAIN: one stands between two of them, or some value on a stack
 * may be a handler's way back, and none was moved; or negative errno.
 */
int parked_threads_move(struct stopped_threads *threads, const struct injection_patch *patches, u32 count);
