/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The parts of the image that the blob's code refers to, whose places layout.lds gives. Hidden: they are reached relative to the
 * instruction, without a table of addresses that somebody would have to fill.
 */
#include "include/sampler.h"

#pragma GCC visibility push(hidden)
extern const struct sampler_config sampler_config;
extern struct sampler_slot sampler_slots[SAMPLER_SLOTS];
extern u8 sampler_filter[SAMPLER_FILTER];
extern struct sampler_state sampler_state;
extern u64 sampler_table[];
#pragma GCC visibility pop
