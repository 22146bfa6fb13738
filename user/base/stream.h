/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The end of writing to a stream: errors of single writes need no checks, since the stream remembers them. */
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
