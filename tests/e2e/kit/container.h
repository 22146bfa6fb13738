/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Containers by podman and runc, of images that the build has made (no registry): one with glibc, one with musl, each
 * with target_brood, target_filler, target_offspring, target_outside and shim.so in its root. Names carry the test program's PID, so
 * that runs beside each other do not meet, and what a killed run has left is removed by the next one. Functions fail the
 * running test themselves.
 */
#include "dialogue.h"
#include "session.h"

#define CONTAINERS_MAX 4

struct container {
	char name[64];
	char id[65];
	char dir[PATH_MAX]; /* what it has as /shared: its FIFOs and the shim's logs */
	struct dialogue dialogue;
};

/* A scene with containers in it, made and removed like one. */
struct harbour {
	struct scene *scene;
	struct container containers[CONTAINERS_MAX];
	unsigned int count;
};

/* For a group of tests: import the images, under names of this program's; remove them. */
int images_setup(void **state);
int images_teardown(void **state);

int harbour_setup(void **state);
int harbour_teardown(void **state);

/*
 * Start `program` ("target_brood", "target_outside") in a new container of the image ("glibc", "musl"), behind the shim
 * if asked for, and wait until it answers.
 */
struct container *container_run(struct harbour *harbour, const char *image, const char *program, bool shim);

/*
 * Start target_filler in a new container of the image with that much memory, and wait until it stands ready: `target` is podman's process,
 * which passes on what it says and reads, and ends with it.
 */
struct container *container_fill(struct harbour *harbour, const char *image, const char *memory, struct child *target);

/* Wait for the answer to `greeting`: after a restart, too. */
void container_restart(struct container *container);
/* Run a program (NULL-terminated argv) in it by `podman exec`, behind the shim, to its end; its exit status. */
int container_exec(const struct container *container, const char *const *argv);
void container_remove(struct container *container);

/* Its first process, as this side numbers it. */
pid_t container_pid(const struct container *container);
/* Path of its group below the root of the version 2 hierarchy, with a slash first. */
const char *container_cgroup(const struct container *container);
/* Prefix of the shim's logs, as this side sees them. */
const char *container_truth(const struct container *container);
