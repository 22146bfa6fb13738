/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The profile that a Go program keeps of itself: the last reading of an image's, and a profile made of it. */
#include "heap/go_buckets.h"
#include "heap/recorder.h"

struct go_reading {
	char version[GO_VERSION_SIZE];
	const struct elf *elf; /* the program; borrowed */
	u64 bias;
	struct go_module module;
	u64 rate;    /* runtime.MemProfileRate; 0: the program does not sample */
	u64 read_ns; /* when it was read last; 0: never */
	struct go_buckets buckets;
	bool followed;	     /* births and deaths of the objects that Go samples are seen (go_objects.h) */
	struct heap objects; /* these */
	u32 torn;	     /* readings that were given up since the program kept publishing */
	bool alone;	     /* no allocator of the process is probed */
};

void go_reading_free(struct go_reading *reading);

/* Has it been read, from a program that samples? */
bool go_reading_has_profile(const struct go_reading *reading); /* NULL: false */

/* Is what it says of its own heap all that is known of it? */
bool go_profile_is_all(const struct image *image);

/*
 * The image's last reading as a profile without names, as of `now_ns`. Its ledger balances by itself. It has what the
 * process's memory consists of, as last read, unless another profile of the image has. `parts`: SNAPSHOT_LIFETIMES (snapshot.h), the ages
 * of its objects. *ret_profile is the caller's. 0 or -ENOMEM.
 */
int go_profile_make(const struct recorder_options *options, const struct image *image, u64 now_ns, u64 start_unix_ns,
		    unsigned int parts, struct profile **ret_profile);
