/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The room record/: one recording, from its options to files on disk. It owns what tracer and recorder do not: the
 * target's processes (selection), COMMAND (launch), signals, time, the output directory, and the thread that writes while
 * recording goes on. It knows nothing of the kernel's programs, of how a heap is modelled, or of any file format.
 *
 *   tracing.c        selection, launch -> tracer; then in a loop: drain, watch for the end
 *     |
 *   record.c         the client of that: writes what is due
 *     |
 *   publish.c        while recording: snapshots of living images, and images that have ended; at the end: all images
 *     |              that are left, the index, the summary, the status
 *     |  snapshot_batch.c  (a thread, while recording)
 *     v
 *   aggregate.c      names each profile, keeps it or merges it by executable (merged_rows.c), merges it into that of its
 *     |              container and of all, adds its line to the index
 *     v
 *   format/          output_file_write, index_write_file
 */
#include "record/publish.h"

/* `heaptap record`: trace, write, print the summary. Returns the status to exit with. */
int record_run(const struct record_options *options);
