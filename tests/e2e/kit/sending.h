/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A delivery in the test's own process, and what it says. Functions fail the running test themselves. */
#include "push/delivery.h"
#include "session.h"

struct sending {
	struct delivery *delivery;
	struct push_ledger ledger; /* as of the last call */
	char said[16384];	   /* since the beginning, once it is finished */
	int before, file;	   /* stderr, and where it goes meanwhile */
};

/* Returns what delivery_open does; unless that is 0, it is finished already. */
int sending_begin(struct sending *sending, const struct scene *scene, const struct delivery_options *options);

/* A request with a body of so many bytes, which depend on its number. */
void sending_add(struct sending *sending, unsigned int number, size_t size, bool gzip);

/* Until nothing waits; until so many requests were begun, and one was answered less than that. */
void sending_await_settled(struct sending *sending);
void sending_await_attempts(struct sending *sending, uint64_t attempts);

/* End it. The ledger balances. */
void sending_finish(struct sending *sending);
void sending_assert_said(const struct sending *sending, const char *words);

/* What the log of store_server.py has of such a request that arrived whole; as format returns it. */
const char *sending_words(unsigned int number, size_t size);
