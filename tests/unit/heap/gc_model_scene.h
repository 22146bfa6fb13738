/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GC_SCENE_H
#define GC_SCENE_H
/* One collector and one booking, from their beginning on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap/gc_model.h"

#define SECOND 1000000000ULL

static struct gc_model collector;
static struct booking booking;

static inline void begin(u32 gogc_percent)
{
	gc_model_init(&collector, &(struct gc_options){.gogc_percent = gogc_percent}, SECOND);
	booking = (struct booking){0};
}

static inline void complete_cycle(void)
{
	gc_model_tick(&collector, gc_model_moment(&collector, collector.cycle).time_ns + GC_PERIOD_NS);
}

#endif
