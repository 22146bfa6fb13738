/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACE_FEATURE_H
#define TRACE_FEATURE_H
/*
 * What this kernel does, found by doing it: never by its version, which says little about what a distribution ported
 * back or configured away. Probes are set on a function of heaptap's own binary, for heaptap's own process alone.
 */
#include "trace/attach.h"
#include "trace/feature_text.h"

/* Try everything: up to half a second, most of it waiting for probes to be removed. */
void feature_probe(struct features *ret_features);

/*
 * Why nothing can be recorded here, and what to try: one sentence in static storage. NULL when nothing is missing.
 * Tries everything: for when recording has failed.
 */
const char *feature_missing(void);

/*
 * The way of attaching that HEAPTAP_ATTACH in the environment asks for, ATTACH_NONE when it is unset. 0, or -EINVAL when it
 * names none, which is logged.
 */
int feature_forced(enum attach_kind *ret_kind);

#endif
