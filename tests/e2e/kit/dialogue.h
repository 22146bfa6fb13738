/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The test's end of talk.h: lines to a target, and its answers, through FIFOs in a directory, so that it does not matter
 * who started the target, in what container, or whether it has begun yet. Functions fail the running test themselves.
 */
#include "child.h"

struct dialogue {
	int in, out; /* as the target sees them */
};

/* Make the directory and its FIFOs and open both. */
void dialogue_open(struct dialogue *dialogue, const char *dir);
void dialogue_close(struct dialogue *dialogue);

/* Say a line; the answer, valid until the next one. */
void dialogue_say(const struct dialogue *dialogue, const char *line);
const char *dialogue_hear(const struct dialogue *dialogue);
const char *dialogue_ask(const struct dialogue *dialogue, const char *line);

/* Say an order to a target_brood or target_crowd, until it is done. */
void dialogue_order(const struct dialogue *dialogue, const char *order);
/* What a pair of malloc and free costs a target_outside. */
double dialogue_pair_ns(const struct dialogue *dialogue);
