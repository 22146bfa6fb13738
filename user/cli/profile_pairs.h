/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which files of two recordings belong together, by their names <pid>.<comm>[-N].pb.gz: those of the same process, and of
 * a program that has another PID in the other recording, as after a restart.
 */
#include "include/types.h"

/* One of the two is NULL where a file has no partner. The names are the caller's. */
struct profile_pair {
	const char *before, *after;
};

/*
 * Pair each of `before` with one of `after` (NULL-terminated): equal names first; then, of what is left, a program that each
 * side has once; then a PID that each side has once, since a process can give itself another name. Returns as many pairs as
 * *ret_count says, those with a partner first, each part in the order of the lists; free it. NULL: no memory.
 */
struct profile_pair *profile_pairs_find(char *const *before, char *const *after, u32 *ret_count);
