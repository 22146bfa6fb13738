/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One look at a source: the processes and, where wanted, the profile of one. May take long, so it is done beside the screen. */
#include "live/source.h"
#include "top/past.h"
#include "top/screen_state.h"
#include "view/overview.h"

struct reading_want {
	struct screen_target target; /* pid 0: the processes alone */
	bool allocated;		     /* sites by what they have allocated, not by what is in use */
	bool past;		     /* what its snapshots know, too */
	bool write;		     /* write the target's profile into the current directory */
};

struct reading {
	struct reading_want want;
	u64 at_ns; /* of CLOCK_MONOTONIC */
	int err;   /* 0, or why there is no listing */
	struct source_listing listing;
	int profile_err; /* 0, or why there is no overview */
	struct profile *profile;
	struct overview overview; /* of the profile; see reading_overview */
	struct past past;	  /* where wanted */
	char written[256];	  /* what became of the file; "": none was wanted */
};

void reading_take(struct source *source, const struct reading_want *want, struct reading *ret_reading);
void reading_release(struct reading *reading);

/* NULL: there is none. */
const struct overview *reading_overview(const struct reading *reading);

/* Looks taken by a thread, one at a time. */
struct reader;

/* Both of `source`, which must outlive it. NULL with errno. */
struct reader *reader_new(struct source *source);
void reader_free(struct reader *reader); /* cancels the source, so that no look is waited for; NULL: nothing happens */

/* Readable when a look is done. */
int reader_fd(const struct reader *reader);

/* False: it is still at one. Or the thread could not be started: the look is done then, with `err`. */
bool reader_start(struct reader *reader, const struct reading_want *want);

/* True with a look that is done, which is the caller's now. */
bool reader_take(struct reader *reader, struct reading *ret_reading);
