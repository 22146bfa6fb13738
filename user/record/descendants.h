/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The processes that a followed COMMAND leaves behind when it ends, as a daemon does that puts itself into the background.
 * They are known by their forks, so that it does not matter whose children they become.
 */
#include <stdbool.h>

struct tracing_options;
struct tracer;

/*
 * COMMAND has ended, and all events up to then have been taken in: log how many of its descendants still run, and what to
 * type to record them too; with options->wait_children that the recording goes on. Nothing if there are none.
 */
void descendants_say(const struct tracing_options *options, const struct tracer *tracer);
