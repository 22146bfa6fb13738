/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COLLECTOR_SCENE_H
#define COLLECTOR_SCENE_H
/* One collector and one booking, from their beginning on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap/collector.h"

#define SECOND 1000000000ULL

static struct collector collector;
static struct booking booking;

static inline void begin(u32 gogc_percent)
{
	collector_init(&collector, &(struct collector_options){.gogc_percent = gogc_percent}, SECOND);
	booking = (struct booking){0};
}

static inline void complete_cycle(void)
{
	collector_tick(&collector, collector_moment(&collector, collector.cycle).time_ns + COLLECTOR_PERIOD_NS);
}

#endif
