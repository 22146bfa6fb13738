/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Readings of the heap profile that a Go program keeps of itself (heap/go_profile.h), from its memory: it is not stopped, has no probe for
 * that, and pays nothing. A program that ends has the last reading, so one is taken about once a second, oftener in its first
 * seconds.
 */
#include "include/types.h"

struct go_reader;
struct image;
struct tracee;
struct tracer;

/* What can be read of a Go program. */
enum go_state {
	GO_NONE,    /* it is none */
	GO_STARTS,  /* its runtime is not there yet */
	GO_READ,    /* its profile has been read */
	GO_OFF,	    /* it does not sample; said */
	GO_REFUSED, /* heaptap does not know its layout, or may not read its memory; said */
};

/* Read the tracee's image if it is due, or `now` in any case; `image` may be NULL. */
enum go_state go_reader_look(struct tracer *tracer, struct tracee *tracee, struct image *image, bool now);

/* Is the memory of a program of Go's open to it? NULL: false. */
bool go_reader_is_open(const struct go_reader *reader);

/* Is there a program of Go's among the files that were opened, which will keep a profile? */
bool go_readers_will(const struct tracer *tracer);

/* The tracee runs another program, or has ended: say so if its profile was not read in time. */
void go_reader_end(const struct tracer *tracer, struct tracee *tracee);

/* Free *reader, which becomes NULL. */
void go_reader_close(struct go_reader **reader);
