/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a heap knows for a reading of its process's memory. */
#include "heap/recorder.h"
#include "profile/memory_reading.h"

/* `smaps` is from smaps_open, closed also on error. NULL: no memory. */
struct memory_notes *memory_notes_of(const struct recorder_options *options, struct image *image, int smaps);
