/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/on_sideband.h"

#include "trace/sideband.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

/* Is the process traced, or may it turn out to be? */
static bool concerns(const struct tracer *tracer, u32 pid)
{
	return tracer->population == POPULATION_CGROUP || tracer->population == POPULATION_ALL ||
	       tracee_find(tracer, (pid_t)pid) || recorder_announced(tracer->recorder, pid);
}

static void on_comm(void *arg, u32 pid, const char *comm, bool exec, u64 time_ns)
{
	struct tracer *tracer = arg;

	if (concerns(tracer, pid))
		recorder_comm(tracer->recorder, pid, comm, exec, time_ns);
}

static void on_fork(void *arg, u32 pid, u32 parent, u64 time_ns)
{
	struct tracer *tracer = arg;

	recorder_fork(tracer->recorder, pid, parent, time_ns);
}

static void count_lost(struct tracer *tracer, const struct tracee *tracee, u64 count)
{
	struct image *image = recorder_current(tracer->recorder, (u32)tracee->pid);

	if (image)
		image->ledger[COUNTER_MAP_LOST] += count;
}

static void on_map(void *arg, u32 pid, struct mapping *mapping)
{
	struct tracer *tracer = arg;
	struct tracee *tracee = tracee_find(tracer, (pid_t)pid);

	if (tracee && tracee_mappings_add(tracer, tracee, mapping))
		count_lost(tracer, tracee, 1);
	/* The file is opened when the process turns out to be traced. */
	if (!tracee && concerns(tracer, pid))
		recorder_map(tracer->recorder, pid, mapping);
}

static void on_lost(void *arg, u64 count)
{
	struct tracer *tracer = arg;

	for (struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next)
		count_lost(tracer, tracee, count);
}

int on_sideband_open(struct tracer *tracer)
{
	const struct sideband_sink sink = {
		.comm = on_comm,
		.map = on_map,
		.fork = tracer->population == POPULATION_LISTED ? NULL : on_fork,
		.lost = on_lost,
		.arg = tracer,
	};

	return sideband_open(&sink, &tracer->sideband);
}

void on_sideband_drain(struct tracer *tracer)
{
	tracer->sideband_ns = sideband_drain(tracer->sideband);
}
