/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is said of --alloc that finds nothing: before anything is traced, where that can be known, else as a warning. */
struct custom_allocator;
struct tracer;

/* Does a file that is known lack what is said of it? Returns enum status, STATUS_USAGE with the reason logged if so. */
int pool_notice_check(const struct tracer *tracer);

/* Log whose file no process maps so far; what it is probed for when one does may still be found. */
void pool_notice_unmapped(const struct tracer *tracer);

/* At the end: log whose file no process has mapped, and what the files that came later lack. */
void pool_notice_end(const struct tracer *tracer);
