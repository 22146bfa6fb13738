/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* target_steps, served by the scene's first session with every allocation a sample. Functions fail the running test themselves. */
#include "http_client.h"

#define BLOCK 1000 /* bytes of what target_steps keeps at a time */

/* Start the target, which is at `path`, and heaptap. Returns the URL, valid until the next start. */
const char *served_start(struct scene *scene, const char *path);

/* Let the target take these steps, one after the other, and wait until it has. */
void served_steps(const struct scene *scene, const char *wanted);

/* What go tool pprof finds at the URL, in bytes or objects; its first mapping is the target. */
uint64_t served_total(const struct scene *scene, const char *url, const char *measure);

/* The sum over all series of a metric. */
uint64_t served_metric(const struct scene *scene, const char *url, const char *name);

/* What curl gets with these arguments has that status, and contains these words. */
void served_assert(const struct scene *scene, const char *arguments, unsigned int status, const char *words);
void assert_words(const char *text, const char *words);

/* Start Prometheus, as the scene's first other child, by prometheus.yml in its directory. Returns the port at which it answers. */
unsigned int served_prometheus(struct scene *scene);

/* End heaptap, which must end well. */
void served_finish(struct scene *scene);
