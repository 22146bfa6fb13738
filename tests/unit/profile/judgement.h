/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The verdict on one site, whose ticks are cycles, and a record's clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/verdict.h"

#define TENURE 2

static inline struct lifetime_time at(u32 cycle)
{
	return (struct lifetime_time){cycle, cycle};
}

static inline enum verdict judge(const struct lifetime *lifetime, u32 now)
{
	struct survival survival = {0};
	struct flow flow = {0};
	struct flow_trend trend;

	survival_add(&survival, lifetime, 1);
	flow_add(&flow, lifetime, 1, now);
	flow_conclude(&flow, now, &trend);
	return verdict_of(&survival, &trend, now, TENURE);
}

static inline void tell_time(u64 clock[LIFETIME_BUCKETS], u32 cycles, u64 step)
{
	for (u32 bucket = 0; bucket < LIFETIME_BUCKETS; bucket++)
		clock[bucket] = 500 + step * bucket * lifetime_width(cycles);
}
