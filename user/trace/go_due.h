/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Those of the tracees that are programs of Go's or may have become one, and are looked at again and again (go_reader.h). */
#include "trace/go_reader.h"

/* The tracee may have become a program of Go's: the next look at all is at it too. */
void go_reader_due(struct tracer *tracer, struct tracee *tracee);

/* The same for all that are such programs or may have become one; `now`: for all tracees. */
void go_readers_look(struct tracer *tracer, bool now);
