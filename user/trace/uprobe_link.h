/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Uprobe links by raw system calls. The oldest libbpf heaptap is built with (1.1) knows neither multi nor session
 * links, so all three kinds are made here, alike with every libbpf. `prog_fd` is a loaded SEC("uprobe") program; for
 * multi and session its expected attach type was set to the same number before loading.
 *
 * A link is its descriptor: closing the last copy removes the probes. Hits stop at once, but the close waits for the
 * kernel's grace periods (30-100 ms per multi link, about 105 ms per perf-event link).
 */
#include <sys/types.h>

#include "include/types.h"

/* linux/bpf.h of 6.6 and 6.13; older headers lack the names, the numbers never change. */
#define ATTACH_UPROBE_MULTI   48
#define ATTACH_UPROBE_SESSION 57

/*
 * One multi (6.6) or session (6.13) link on `count` file offsets of `path`, cookies[i] at offsets[i]; `cookies` may be
 * NULL. `pid`: that process alone, as numbered in heaptap's PID namespace; 0: every process. `ret`: fire at the return
 * instead of at the entry (multi only). A close-on-exec descriptor, or negative errno: -EINVAL where the kernel has no
 * such link (or refuses to probe an instruction), -ESRCH when there is no such process, -EPERM.
 */
int uprobe_link_create_multi(int prog_fd, u32 attach_type, const char *path, const u64 *offsets, const u64 *cookies,
			     u32 count, pid_t pid, bool ret);

/*
 * One perf-event uprobe with a BPF link and cookie on top (5.15). Returns the link's descriptor, close-on-exec, and
 * stores the perf event's in *ret_perf_fd; the caller closes both, the link first. Negative errno on error: -EOPNOTSUPP
 * where the kernel has no uprobe events, -EACCES or -EPERM without CAP_PERFMON.
 */
int uprobe_link_create_perf(int prog_fd, const char *path, u64 offset, u64 cookie, pid_t pid, bool ret,
			    int *ret_perf_fd);

/* The event alone, without a program: it counts. A close-on-exec descriptor or negative errno, as above. */
int uprobe_link_create_event(const char *path, u64 offset, pid_t pid, bool ret);
