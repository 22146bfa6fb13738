/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACE_TRACEE_H
#define TRACE_TRACEE_H
/* One process being traced, across its images: its scope and its links. The tracer's own bookkeeping. */
#include <uthash.h>

#include "trace/attach.h"
#include "trace/bpf_object.h"
#include "probe/binaries.h"

/* Links on one file: of one process, or (wide) of all. */
struct tracee_file {
	struct binary *file;
	struct attach *attach;
	unsigned int unused; /* looks in a row at which no traced process mapped it */
	struct tracee_file *next;
};

struct tracee {
	pid_t pid;
	u32 scope;
	bool wide, warned;
	bool listed;   /* the programs are to know its mappings */
	bool remapped; /* its mappings have changed since they were last published */
	u64 gone;      /* when it was first seen to have ended in the kernel, but not here: see struct follow; 0 */
	struct tracee_file *files;
	UT_hash_handle hh; /* by pid */
};

struct tracee_links {
	struct kernel *kernel;
	enum attach_kind kind;
	unsigned int leave_out;	  /* enum attach_leave_out */
	struct tracee_file *wide; /* unfiltered links, one a file, whoever needs them */
	/*
	 * Unfiltered links on functions that throw, one a file. A session link that is filtered for one process takes the
	 * return leg of all others that another link instruments, whatever the programs say: it would end those that throw.
	 */
	struct tracee_file *throwing;
};

/* Probe `file` for the process unless it is probed; 0 or what attach_open says. */
int tracee_probe(struct tracee_links *links, struct tracee *tracee, struct binary *file);

bool tracee_has(const struct tracee_links *links, const struct tracee *tracee, const struct binary *file);
bool tracee_any(const struct tracee_links *links, const struct tracee *tracee); /* is anything of it probed? */

/* "malloc, calloc, free in '/lib/libc.so.6'" for all its files; static storage, cut to fit. */
const char *tracee_names(const struct tracee_links *links, const struct tracee *tracee);

/*
 * Move the process from filtered to unfiltered links: those are blind once its main thread is gone. Every call is
 * counted by one or the other. 0 or negative errno.
 */
int tracee_widen(struct tracee_links *links, struct tracee *tracee);

/*
 * Remove the links on files that `is_used` says no of twice in a row: a container's runtime maps the host's files for a
 * moment, and who else maps them should not pay for longer.
 */
void tracee_drop_unused(struct tracee_file **files, bool (*is_used)(const struct binary *file, void *arg), void *arg);

/* Remove the links, waiting for the kernel; with `later`, in the background. */
void tracee_drop(struct tracee_file **files, bool later);

#endif
