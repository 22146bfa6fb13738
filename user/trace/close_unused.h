/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Files that no traced process maps any longer are closed, and what was made of them is freed: on a machine that builds
 * programs, every one that runs is a new file. As a garbage collector does it, files that images map are marked and the
 * others swept, once there are twice as many files as were left the last time.
 */
struct symbolizer;
struct tracer;

/*
 * Close unused files if it is due; `symbolizer`: where they were named, NULL: nowhere. Only while no other thread has
 * profiles or images of the recorder. Without memory nothing is closed.
 */
void close_unused_files(struct tracer *tracer, struct symbolizer *symbolizer);
