/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One model and one booking, from their beginning on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap/gc_model.h"

#define SECOND 1000000000ULL

static struct gc_model gc;
static struct booking booking;

static inline void begin(u32 gogc_percent)
{
	gc_model_release(&gc);
	gc_model_init(&gc, &(struct gc_options){.gogc_percent = gogc_percent}, SECOND);
	booking = (struct booking){0};
}

static inline void complete_cycle(void)
{
	gc_model_tick(&gc, gc_model_moment(&gc, gc.cycle).time_ns + GC_PERIOD_NS);
}
