/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The kernel's own record of execs, names and executable mappings, of every process, through one dummy perf event per
 * CPU: it costs a process only when it maps code, and a command that lives 2 ms leaves its mappings behind.
 */
#include "system/address_map.h"

struct sideband;

struct sideband_sink {
	void (*comm)(void *arg, u32 pid, const char *comm, bool exec, u64 time_ns);
	/* mapping->path is borrowed; device and inode, or build id, are filled, whichever the kernel gives. */
	void (*map)(void *arg, u32 pid, struct mapping *mapping);
	void (*fork)(void *arg, u32 pid, u32 parent, u64 time_ns); /* NULL: not wanted */
	void (*lost)(void *arg, u64 count);
	void *arg;
};

/* 0, or -EACCES/-EPERM (needs CAP_PERFMON), or negative errno. */
int sideband_open(const struct sideband_sink *sink, struct sideband **ret_sideband);
void sideband_close(struct sideband *sideband);

/*
 * Hand over, in the order of time, every record written before the call. Returns the time up to which that is all there
 * was. Cheap when there is nothing.
 */
u64 sideband_drain(struct sideband *sideband);
