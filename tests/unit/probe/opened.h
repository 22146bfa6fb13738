/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Files that are opened for one test, and what is among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "binary/elf.h"
#include "system/proc_maps.h"
#include "probe/binaries.h"
#include "probe/loader_list.h"
#include "unit/system/scratch.h"

static struct binaries *binaries;

static inline int setup(void **state)
{
	binaries = binaries_new(NULL, false);
	return binaries ? scratch_setup(state) : -1;
}

static inline int teardown(void **state)
{
	binaries_free(binaries);
	return scratch_teardown(state);
}

static inline u32 file_count(void)
{
	u32 count = 0;

	for (struct binary *file = binaries_files(binaries); file; file = file->next)
		count++;
	return count;
}

/* The one file with an allocator, which must be libc. */
static inline struct binary *the_allocator(void)
{
	struct binary *found = NULL;

	for (struct binary *file = binaries_files(binaries); file; file = file->next) {
		if (file->plan) {
			assert_null(found);
			found = file;
		}
	}
	assert_non_null(found);
	assert_non_null(strstr(elf_path(found->elf), "libc.so"));
	return found;
}
