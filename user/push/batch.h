/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From the profiles of an interval to requests: as many in one as the limits of push/store.h allow, and one that is too large in pieces,
 * each with some of its stacks. Pieces have a label that tells them apart: stores average what is in use over profiles of one series.
 */
#include "push/ledger.h"
#include "push/store.h"

struct batch {
	const struct push_store *store;
	s64 taken_ns; /* see struct push_request */
	/* Gets each request, which stays the caller's. 0, or not: it counts what it does not take itself. */
	int (*send)(const struct push_request *request, void *arg);
	void *arg;
	struct push_ledger lost; /* what did not become a request: taken and dropped */
};

/* The array is used up. */
void batch_send(struct batch *batch, struct push_profile *profiles, u32 count);
