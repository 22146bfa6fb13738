/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A recording of many processes, compared with the shim's logs of the same run, one for each image of a process. Images
 * that allocated nothing are left out on both sides. Functions fail the running test themselves.
 */
#include "group.h"
#include "session.h"

enum population_match {
	MATCH_PID,  /* the images of each PID, in order */
	MATCH_NAME, /* images of one executable in any order: PIDs in a container are not those that heaptap sees */
};

/*
 * Every image in the logs (`prefix`: as for TRUTH_VARIABLE) is in the index with the same executable, the same objects
 * and bytes, allocated and in use; the index has no other one but those of the executables in `unlogged` (base names,
 * NULL-terminated; NULL: none); and each has a clean ledger. Returns how many there are.
 */
size_t population_assert_exact(const struct session *session, const char *prefix, enum population_match match,
			       const char *const *unlogged);

/* Each image's .pb.gz can be read and equals its row in the index. Returns how many files there are. */
size_t population_assert_files(const struct session *session);

/* The merged profile of that name: the sum over the images of one container, or (NULL) of all. */
void population_assert_merged(const struct session *session, const char *file, const char *container);

/* Balanced and clean, each and in sum. Returns the number of processes in the index. */
size_t population_assert_clean(const struct session *session);
/*
 * Balanced, each and in sum, and clean in that control group: what else the machine runs may flood the ring, or be in the middle of a call when
 * heaptap stops. Returns the number of processes in the group.
 */
size_t population_assert_clean_in(const struct session *session, const struct group *group);

/* How many images in the index bear that name, or have an executable of it, and have allocated. */
size_t population_count(const struct session *session, const char *name);
/* Those of them that have a file. */
size_t population_count_files(const struct session *session, const char *name);
/* The sum over all of them. */
uint64_t population_measure(const struct session *session, const char *measure);
