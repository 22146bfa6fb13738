/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A directory to write in, which is the current one. */
#include "unit/profile/golden.h"
#include "unit/system/scratch.h"

#include "format/output_file.h"

static int directory;

static inline int set_up(void **state)
{
	if (scratch_setup(state))
		return -1;
	directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return directory < 0 ? -1 : 0;
}

static inline int tear_down(void **state)
{
	close(directory);
	return scratch_teardown(state);
}
