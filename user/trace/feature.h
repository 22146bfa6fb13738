/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What this kernel does, found by doing it: never by its version, which says little about what a distribution ported
 * back or configured away. Probes are set on a function of heaptap's own binary, for heaptap's own process alone.
 */
#include "include/config.h"
#include "trace/feature_text.h"

/* Try everything: up to half a second, most of it waiting for probes to be removed. */
void feature_probe(struct features *ret_features);

/* Whether programs can be attached to system calls in that way: 0 or negative errno. Takes some milliseconds. */
int feature_regions(enum region_method method);

/* The offset of a function of heaptap's own in its file. 0 or negative errno. */
int feature_find_offset(void (*function)(void), u64 *ret_offset);

/* Call it in another thread than the main one. 0 or negative errno. */
int feature_call_elsewhere(void (*function)(void));
