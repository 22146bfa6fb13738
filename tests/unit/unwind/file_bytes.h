/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A whole file in memory, for the caller to free. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "include/types.h"

static inline u8 *read_all(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	u8 *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	*ret_size = (size_t)status.st_size;
	bytes = malloc(*ret_size);
	assert_int_equal(fread(bytes, 1, *ret_size, file), *ret_size);
	fclose(file);
	return bytes;
}
