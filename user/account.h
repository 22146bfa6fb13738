/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ACCOUNT_H
#define ACCOUNT_H
/* Settling an image's account: what the kernel counted, what was freed but not told, and what /proc says of it. */
#include "kernel.h"
#include "recorder.h"

struct hierarchy;
struct container_names;

/* Where groups and containers are told of; either may be NULL. */
struct account_sources {
	struct hierarchy *hierarchy;
	struct container_names *containers;
	const char *group; /* the cgroup that all are in or below; NULL: there is none */
};

/* Name, program, cgroup, container and memory at the image's begin, as far as it still lives. */
void account_facts(const struct account_sources *sources, struct process *process);

/*
 * What could not be told of the image, for it was gone already, is what was true of another one: of its parent, or of
 * that which its process was before. Of its program that is so only where no exec came in between.
 */
void account_inherit(struct process *process, const struct process *from, bool same_program);

/* After that: where whoever is left without a cgroup must have been. */
void account_place(const struct account_sources *sources, struct process *process);

/* Memory now. */
void account_look(struct process *process);

/* The image has ended by exit or exec: take over its counters, drop its keys from the maps. */
void account_end(struct kernel *kernel, struct process *process);

/* The recording stops at `now_ns` while the image lives on. */
void account_stop(struct kernel *kernel, struct process *process, u64 now_ns);

/* After all probes are gone: sampled calls that never returned, to the images that made them. */
void account_pending(struct kernel *kernel, struct recorder *recorder);

#endif
