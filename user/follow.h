/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FOLLOW_H
#define FOLLOW_H
/* Following the processes being traced: the sinks of the ring and of the side-band, and what they share with the
 * tracer. */
#include "calibrate.h"
#include "recorder.h"
#include "sideband.h"
#include "table.h"
#include "traced.h"
#include "unwind.h"

struct follow {
	struct calibration calibration;
	struct kernel *kernel;
	struct sideband *sideband;
	u64 sideband_ns; /* up to when all it has to tell is known */
	struct target *target;
	struct recorder *recorder;
	struct traced *traced;
	struct traced_links links;
	struct table_set *tables;
	struct unwinder *unwinder;
	bool stopping; /* no new links */
};

/* The process of that pid that has not ended, NULL: none. */
struct traced *follow_find(const struct follow *follow, pid_t pid);

/* Take in what the side-band has to tell. */
void follow_sideband(struct follow *follow);

/* Take down how much memory the processes hold, and notice those whose end could not be told. */
void follow_look(struct follow *follow, u64 now_ns);

/* Make the mappings that came since the last call known to the unwinder in the kernel, and unwind what waited for them.
 */
void follow_mappings(struct follow *follow, u64 now_ns);

/* `arg` is the struct follow. As ring_open and struct sideband_sink ask for. */
int follow_event(void *arg, const struct event *event, size_t size);
void follow_comm(void *arg, u32 pid, const char *comm, bool exec, u64 time_ns);
void follow_map(void *arg, u32 pid, struct mapping *mapping);
void follow_lost(void *arg, u64 count);

#endif
