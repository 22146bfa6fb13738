/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACE_ON_SIDEBAND_H
#define TRACE_ON_SIDEBAND_H
/* Following the processes being traced: the sinks of the ring and of the side-band, and what they share with the
 * tracer. */
#include "trace/settle.h"
#include "trace/calibrate.h"
#include "heap/recorder.h"
#include "trace/sideband.h"
#include "unwind/tables.h"
#include "trace/tracee.h"
#include "trace/raw_stacks.h"

struct follow {
	struct calibration calibration;
	struct kernel *kernel;
	struct sideband *sideband;
	u64 sideband_ns; /* up to when all it has to tell is known */
	struct binaries *binaries;
	struct recorder *recorder;
	struct tracee *traced; /* that have not ended, by pid */
	struct tracee_links links;
	struct unwind_tables *tables;
	struct raw_stacks *unwinder;
	struct settle_sources sources;
	enum population population;
	bool wide; /* no filtered links */
	u64 looked_ns;
	u64 emptied;   /* times that all there was in the ring has been taken in, and one */
	bool remapped; /* mappings have come that the programs ought to know */
	bool stopping; /* no new links */
};

/* The process of that pid that has not ended, NULL: none. */
struct tracee *follow_find(const struct follow *follow, pid_t pid);

/* A process to be traced in that scope; NULL: no memory. */
struct tracee *follow_add(struct follow *follow, pid_t pid, u32 scope, bool wide);

/* It is traced no longer: its links go, and its scope's number is another's to have. Frees it. */
void follow_drop(struct follow *follow, struct tracee *tracee);

/* What its operator new may ask for without failing (overcommit.h), under a memory limit of which so much is used. */
void follow_set_new_max(struct follow *follow, const struct tracee *tracee, u64 limit, u64 used);

/* Open the files behind the mappings of a new image, which may be gone in a moment, and probe those that want it. 0 or
 * -ENOMEM. */
int follow_open(struct follow *follow, struct tracee *tracee, struct image *image);

/* Let the programs know the image's mappings, for their unwinder. */
void follow_publish(struct follow *follow, struct tracee *tracee, const struct image *image, u64 now_ns);

/* The image goes on no longer, although no event said so; NULL: nothing. */
void follow_end_unheard(struct follow *follow, struct image *image, u64 now_ns);

/* Take in what the side-band has to tell. */
void follow_sideband(struct follow *follow);

/* Take down how much memory the processes hold, and notice those whose end could not be told. */
void follow_look(struct follow *follow, u64 now_ns);

/* Mappings of the process have come: the next follow_mappings makes them known. */
void follow_remapped(struct follow *follow, struct tracee *tracee);

/* Make the mappings that came since the last call known to the unwinder in the kernel, and unwind what waited for them.
 */
void follow_mappings(struct follow *follow, u64 now_ns);

/* `arg` is the struct follow. As ring_open and struct sideband_sink ask for. */
int follow_event(void *arg, const struct event *event, size_t size);
void follow_comm(void *arg, u32 pid, const char *comm, bool exec, u64 time_ns);
void follow_map(void *arg, u32 pid, struct mapping *mapping);
void follow_fork(void *arg, u32 pid, u32 parent, u64 time_ns);
void follow_lost(void *arg, u64 count);

#endif
