/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The kernel's own record of execs, names and executable mappings, of every process, through one dummy perf event per
 * CPU: it costs a process only when it maps code, and a command that lives 2 ms leaves its mappings behind. The recorder gets
 * names, forks and mappings of processes that are or may be traced.
 */
#include "include/types.h"

struct sideband;
struct tracer;

/* `forks`: record them too. 0, or -EACCES/-EPERM (needs CAP_PERFMON), or negative errno. */
int sideband_open(bool forks, struct sideband **ret_sideband);
/* Make the epoll instance readable when a half of any CPU's ring has been written. 0 or negative errno. */
int sideband_watch(const struct sideband *sideband, int epoll_fd);
void sideband_close(struct sideband *sideband);

/*
 * Hand over, in the order of time, every record written before the call. tracer->sideband_ns becomes the time up to which
 * all records have been handed over. Cheap when there is nothing.
 */
void sideband_drain(struct tracer *tracer);
