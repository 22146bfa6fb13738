/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The processes being traced, and the links that serve them. */
#include <sys/types.h>

#include "include/types.h"

struct binary;
struct image;
struct tracee;
struct tracee_file;
struct tracer;

/* The process of that pid that has not ended, NULL: none. */
struct tracee *tracee_find(const struct tracer *tracer, pid_t pid);

/* Trace a process in that scope; NULL: no memory. */
struct tracee *tracee_add(struct tracer *tracer, pid_t pid, u32 scope, bool wide);

/* Trace it no longer: its links are removed in the background, and its scope's number is free for another. Frees it. */
void tracee_drop(struct tracer *tracer, struct tracee *tracee);

/* The image that the process runs now; NULL: none, or it has ended. */
struct image *tracee_image(const struct tracer *tracer, const struct tracee *tracee);

/* Set what its operator new may ask for without failing (system/cgroup.h), under a memory limit of which so much is used. */
void tracee_set_new_max(struct tracer *tracer, const struct tracee *tracee, u64 limit, u64 used);

/* Probe `file` for the process unless it is probed; 0 or what attach_open says. */
int tracee_probe(struct tracer *tracer, struct tracee *tracee, struct binary *file);
bool tracee_has(const struct tracer *tracer, const struct tracee *tracee, const struct binary *file);
bool tracee_any(const struct tracer *tracer, const struct tracee *tracee); /* is any of its files probed? */

/* "malloc, calloc, free in '/lib/libc.so.6'" for all its files; static storage, cut to fit. */
const char *tracee_names(const struct tracer *tracer, const struct tracee *tracee);

/*
 * Move the process from filtered to unfiltered links: the filtered ones are blind once its main thread is gone. Every call
 * is counted by one or the other. 0 or negative errno.
 */
int tracee_widen(struct tracer *tracer, struct tracee *tracee);

/* Remove the links and wait for the kernel; with `later`, in the background. */
void tracee_close_links(struct tracee_file **files, bool later);

/*
 * Remove the links on files that `is_used` denies twice in a row: a container's runtime maps the host's files for a moment,
 * and other processes that map them should not pay for longer.
 */
void tracee_close_unused_links(struct tracee_file **files, bool (*is_used)(const struct binary *file, void *arg),
			       void *arg);
