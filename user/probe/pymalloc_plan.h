/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The probes of CPython's allocator (pymalloc.h), where they differ from those of others. */
#include "probe/plan.h"
#include "probe/route.h"

/*
 * Leave it alone where only samples are to trap, as its every call would: take out its probes, and what the plan knows of it. False: the plan
 * has no other probe.
 */
bool pymalloc_plan_leave(struct plan *plan);

/* What realloc does not serve it hands on by jumps, to functions of its own file and of another one: add them to the route. */
void pymalloc_plan_jumps(const struct elf *elf, const struct pymalloc *pymalloc, struct route *route);

/*
 * Set right the probe of one of its functions. Where the function has no instruction at which a breakpoint is cheap, the way into it that
 * its tables will have may be one: then that is what is probed, and it is written to `pymalloc`.
 */
void pymalloc_plan_probe(const struct elf *elf, struct pymalloc *pymalloc, struct plan_probe *probe);
