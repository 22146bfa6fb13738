/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Following the objects that a Go program samples, by probes in its runtime. */

struct binary;
struct go_sites;
struct image;
struct tracee;
struct tracer;

/*
 * From now on births and deaths of the image's objects are seen, whose profile has been read (image->go); `file` is the program. Nothing while
 * tracing stops, or where ages are not wanted. `sites` NULL: the runtime is not what heaptap knows. What hinders it is said.
 */
void go_ages_begin(struct tracer *tracer, const struct tracee *tracee, struct image *image, struct binary *file,
		   const struct go_sites *sites);
