/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Profiles on their way to one store, from the first interval to the last figures. Whoever calls says when an interval is over: `push` and
 * `serve` after so many seconds (push/push.h), `record` when it has written profiles. Making an interval takes processor time, but waits
 * neither for the store nor for the disk: that is delivery's thread.
 */
#include "live/source.h"
#include "push/labels.h"
#include "push/ledger.h"

struct push_options {
	const char *path;   /* of a recording; NULL: something that runs */
	const char *to;	    /* as destination_parse takes it */
	const char *option; /* that named the store, for messages; NULL: --to */
	double every_s;	    /* 0: PUSH_EVERY_S */
	struct label_list labels;
	const char *auth_file, *tenant, *header_file; /* see push/credentials.h */
	const char *ca_file, *spool;		      /* see push/delivery.h */
	u64 spool_bytes;
};

/* Is there a mistake in them, or does this machine lack what sends? STATUS_DONE, or the status with the reason logged. Before anything is traced. */
int push_check(const struct push_options *options);

struct pushing;

/* The options are borrowed until pushing_close. STATUS_DONE with *ret_pushing, or the status with the reason logged. */
int pushing_open(const struct push_options *options, struct pushing **ret_pushing);

/*
 * Push what the source has, as an interval that ended at `taken_ns` of CLOCK_REALTIME (0: now). By one thread at a time. 0; -ECANCELED: the
 * source gives nothing any more; or another negative errno: it is said, and what was allocated is part of the next interval.
 * *ret_ended: no interval will follow, as the target has ended.
 */
int pushing_interval(struct pushing *pushing, struct source *source, s64 taken_ns, bool *ret_ended);

/* Those that it was opened with. */
const struct push_options *pushing_options(const struct pushing *pushing);

/* The figures of now, which balance. By any thread, until pushing_close. */
void pushing_ledger(struct pushing *pushing, struct push_ledger *ret_ledger);

/* That Go programs' own profiles were not pushed, and why: those of others have another interval, or are of --alloc-only. */
void pushing_say_go_left_out(u64 sample_bytes, bool alloc_only);

/*
 * Send what is left, for ten seconds at most, and say what became of everything. STATUS_DONE, or STATUS_FAILED where something was lost. No
 * interval may follow; the ledger is the last one.
 */
int pushing_finish(struct pushing *pushing);

/* NULL: nothing happens. Without pushing_finish before, what has not been sent goes to the spool, or is dropped. */
void pushing_close(struct pushing *pushing);
