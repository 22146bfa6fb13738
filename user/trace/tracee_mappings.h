/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a traced process maps: its files are opened, those that have an allocator are probed, and the programs' unwinder learns of them. */
struct image;
struct mapping;
struct tracee;
struct tracer;

/*
 * Open the files behind the mappings of a new image, which may be gone in a moment, and probe those that have an allocator.
 * 0; or negative errno of a shortage (shortage.h): some may not be known.
 */
int tracee_mappings_open(struct tracer *tracer, struct tracee *tracee, struct image *image);

/* Probe those of the files it maps that are not probed: it had the sampler in its memory, and that has gone. */
void tracee_mappings_probe(struct tracer *tracer, struct tracee *tracee, const struct image *image);

/* The process has mapped this: open the file, tell the recorder, probe it. 0 or negative errno. */
int tracee_mappings_add(struct tracer *tracer, struct tracee *tracee, struct mapping *mapping);

/* Let the programs know the image's mappings, for their unwinder. */
void tracee_mappings_publish(struct tracer *tracer, struct tracee *tracee, const struct image *image);

/* Mappings of the process have come: the next tracee_mappings_publish_changed makes them known. */
void tracee_mappings_changed(struct tracer *tracer, struct tracee *tracee);

/* Let the programs know the mappings that came since the last call, and unwind the stacks that waited for them. */
void tracee_mappings_publish_changed(struct tracer *tracer);
