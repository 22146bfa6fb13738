/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/memory_notes.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "heap/go_profile.h"
#include "profile/estimate.h"

/* As of now, where a profile has what was in use when the model collector's last cycle completed. */
static void note_inuse(const struct heap *heap, struct memory_notes *notes)
{
	double variance = 0;

	for (const struct heap_site *site = heap->sites; site; site = site->hh.next) {
		u64 objects, bytes;

		estimate_scale(site->inuse_count, site->key.size, heap->sample_bytes, &objects, &bytes);
		notes->inuse += bytes;
		variance += estimate_variance_bytes(site->inuse_count, site->key.size, heap->sample_bytes, 1);
	}
	notes->inuse_error = sqrt(variance);
}

struct memory_notes *memory_notes_of(const struct recorder_options *options, struct image *image, int smaps)
{
	struct memory_notes *notes = calloc(1, sizeof(*notes));

	image->rss_noted_bytes = image->rss_end_bytes;
	if (!notes) {
		close(smaps);
		return NULL;
	}
	notes->smaps = smaps;
	notes->pid = (pid_t)image->pid;
	notes->unix_offset_ns = options->unix_offset_ns;
	/* What a Go program has in use is in its own heap, and of that it says no more than a profile has. */
	notes->inuse_known = !options->alloc_only && !image->heap.frozen_ns && !go_profile_is_all(image);
	notes->last = last_memory_hold(image->memory);
	if (heap_places_list(&image->heap.places, &notes->places, &notes->place_count)) {
		memory_notes_free(notes);
		return NULL;
	}
	if (notes->inuse_known)
		note_inuse(&image->heap, notes);
	return notes;
}
