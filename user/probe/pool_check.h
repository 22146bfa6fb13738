/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Is what --alloc names there, in the files that are known so far? */
#include <stdbool.h>
#include <stddef.h>

struct binaries;
struct custom_allocator;

#define POOL_CHECK_TEXT 512

/*
 * A file that --alloc names is known, but has not what is said of it: a sentence about the first such one, with the names that
 * are nearest. False: there is none.
 */
bool pool_check_lacks(const struct binaries *binaries, const struct custom_allocator *pools, char why[POOL_CHECK_TEXT]);

/* The names of known files that are most like FILE of --alloc, which is none of them, as nearest_text tells them. */
const char *pool_check_nearest_file(const struct binaries *binaries, const struct custom_allocator *pool,
				    char text[POOL_CHECK_TEXT]);

/* Those of functions that are most like one of the pool's, in its file. */
const char *pool_check_nearest_function(const struct binaries *binaries, const struct custom_allocator *pool,
					unsigned int function, char text[POOL_CHECK_TEXT]);
