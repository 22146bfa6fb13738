/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One file in memory, written and read by name again and again. */
#include <sys/mman.h>
#include <unistd.h>

#include "unit/profile/golden.h"

#include "format/pprof_read.h"
#include "format/pprof_write.h"

/* One file in memory, written and read by name again and again. */
static int memory;
static char path[32];

static inline FILE *open_path(void)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	return out;
}

static inline void write_bytes(const void *bytes, size_t size)
{
	FILE *out = open_path();

	assert_int_equal(fwrite(bytes, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

/* What pprof_read says to what was written. */
static inline int read_written(const struct profile *profile, struct profile **ret_back)
{
	FILE *out = open_path();

	assert_int_equal(pprof_write(profile, out), 0);
	assert_int_equal(fclose(out), 0);
	return pprof_read(path, ret_back);
}

static inline struct profile *read_back(const struct profile *profile)
{
	struct profile *back = NULL;

	assert_int_equal(read_written(profile, &back), 0);
	return back;
}

static inline int make_file(void **state)
{
	(void)state;
	memory = memfd_create("profile", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	return memory < 0;
}

static inline int close_file(void **state)
{
	(void)state;
	return close(memory);
}
