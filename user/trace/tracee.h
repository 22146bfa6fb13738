/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The processes being traced, the links that serve them, and what they map: the files are opened and probed, and the programs
 * get to know the mappings.
 */
#include <sys/types.h>

#include "include/types.h"

struct binary;
struct go_sites;
struct image;
struct mapping;
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

/* Set the size below which its operator new is not expected to fail (system/cgroup.h), from memory limit and use. */
void tracee_set_new_max(struct tracer *tracer, const struct tracee *tracee, u64 limit, u64 used);

/* Probe `file` for the process unless it is probed; 0 or what attach_open says. */
int tracee_probe(struct tracer *tracer, struct tracee *tracee, struct binary *file);
/* Probe the files of which --alloc says where they are, for a population, before one of its processes maps them. */
int tracee_probe_named(struct tracer *tracer);
bool tracee_has(const struct tracer *tracer, const struct tracee *tracee, const struct binary *file);
bool tracee_any(const struct tracer *tracer, const struct tracee *tracee); /* is any of its files probed? */

/* "malloc, calloc, free in '/lib/libc.so.6'" for all its files; static storage, cut to fit. */
/* Say that the allocator file of a process is not probed, with the cause, and remember it: the recording has failed. */
void tracee_say_blind(struct tracer *tracer, pid_t pid, const char *path, int err);

const char *tracee_names(const struct tracer *tracer, const struct tracee *tracee);

/*
 * Move the process from filtered to unfiltered links: the filtered ones are blind once its main thread is gone. Every call
 * is counted by one or the other. 0 or negative errno.
 */
int tracee_widen(struct tracer *tracer, struct tracee *tracee);

/*
 * Probe the runtime of a program of Go's for the objects that it samples, unless it is probed, for all its processes: those for which struct
 * scope says so are followed. 0 or what attach_open says.
 */
int tracee_probe_go(struct tracer *tracer, struct binary *file, const struct go_sites *sites);

/* Begin to remove the links. */
void tracee_close_links(struct tracee_file **files);
void tracee_close_wide_links(struct tracer *tracer); /* all that are unfiltered */

/*
 * Remove the unfiltered links on files that no traced process has mapped for two calls in a row, for which other processes pay
 * (a container's runtime maps the host's files for a moment): in a group, and where processes can have the sampler, always; on
 * the whole machine once there are more than 64. Once a second.
 */
void tracee_close_unused_links(struct tracer *tracer);

/* Say of which files unfiltered links are in processes that have the sampler, and so need none; once of each. */
void tracee_say_beside(struct tracer *tracer);
