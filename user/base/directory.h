/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Entries of a directory: readdir says the same at the end and where it cannot go on. */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>

/* The next one. NULL: *ret_err is 0 at the end, or the negative errno for which the rest is unknown. Leaves *ret_err alone otherwise. */
static inline const struct dirent *directory_next(DIR *directory, int *ret_err)
{
	const struct dirent *entry;

	errno = 0;
	entry = readdir(directory);
	if (!entry)
		*ret_err = -errno;
	return entry;
}
