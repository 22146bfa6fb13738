/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/peek.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "heap/go_profile.h"
#include "heap/memory_notes.h"
#include "profile/ledger.h"
#include "system/shortage.h"
#include "system/smaps.h"

static u64 start_of(const struct peek *peek, const struct image *image)
{
	return peek->start_unix_ns + (image->start_ns - peek->start_ns);
}

static int take(const struct peek *peek, struct image *image, struct snapshot_draft **ret_draft)
{
	return snapshot_draft_make(recorder_options(peek->recorder), image, peek->now_ns, start_of(peek, image),
				   peek->parts, ret_draft);
}

/* Once the recording has stopped, its last reading is the one that goes with it. */
static void note_memory(const struct peek *peek, struct image *image, struct profile *profile)
{
	bool wanted =
		peek->parts & SNAPSHOT_MEMORY && !image->end_ns && !(peek->again && !last_memory_is_due(image->memory));
	int smaps = wanted ? smaps_open((pid_t)image->pid) : -ENODATA;

	/* Those of a thousand processes are open at once: what is kept for names and files is not theirs. */
	if (smaps >= 0 && shortage_takes_spare(smaps))
		close(smaps);
	else if (smaps >= 0)
		profile->memory_notes = memory_notes_of(recorder_options(peek->recorder), image, smaps);
}

/*
 * The ledger of a living image has what ended before: the rest is looked at for the profile, and settled at the end.
 * Events that the programs counted but that have not arrived, although all that was in the ring has, are in flight.
 */
static int take_living(const struct peek *peek, struct image *image, struct snapshot_draft **ret_draft)
{
	u64 settled[COUNTER_MAX];
	int err;

	memcpy(settled, image->ledger, sizeof(settled));
	err = peek->tally(peek->kernel, image->number, image->ledger);
	image_balance(image);
	image->ledger[COUNTER_IN_FLIGHT] += ledger_missing(image->ledger);
	if (!err)
		err = take(peek, image, ret_draft);
	memcpy(image->ledger, settled, sizeof(settled));
	if (!err)
		note_memory(peek, image, snapshot_draft_facts(*ret_draft));
	return err;
}

int peek_image(const struct peek *peek, struct image *image, struct snapshot_draft **ret_draft)
{
	if (!image->ended)
		return take_living(peek, image, ret_draft);
	gc_model_request(&image->heap.gc);
	return take(peek, image, ret_draft);
}

int peek_go(const struct peek *peek, struct image *image, struct profile **ret_profile)
{
	u64 settled[COUNTER_MAX];
	int err = 0;

	memcpy(settled, image->ledger, sizeof(settled));
	if (!image->ended)
		err = peek->tally(peek->kernel, image->number, image->ledger);
	if (!err)
		err = go_profile_make(recorder_options(peek->recorder), image, peek->now_ns, start_of(peek, image),
				      peek->parts, ret_profile);
	memcpy(image->ledger, settled, sizeof(settled));
	if (!err && !(*ret_profile)->go.beside)
		note_memory(peek, image, *ret_profile);
	return err;
}
