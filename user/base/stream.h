/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The end of a stream. Single writes need no checks, since the stream remembers their errors. Reading by lines does: want of memory
 * leaves no mark in the stream.
 */
#include <errno.h>
#include <stdio.h>

/* Flush. 0, or the negative errno of this or of an earlier write (-EIO where that is not known any more). */
static inline int stream_flush(FILE *out)
{
	errno = 0;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

/* Right after getline has given no further line. 0: that was the end; or the negative errno for which it could not go on. */
static inline int stream_read_failure(FILE *in)
{
	if (feof(in))
		return 0;
	return errno ? -errno : -EIO;
}
