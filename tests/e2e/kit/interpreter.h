/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Debian's python3, and the pointers of its allocator's tables that heaptap changes for the time of a recording (probe/pymalloc.h). */
#include <sys/types.h>

#include "probe/pymalloc.h"

#define INTERPRETER	     "/usr/bin/python3"
#define INTERPRETER_POINTERS (2 * PYMALLOC_FUNCTIONS)

/* As they stand in that process, which runs INTERPRETER. Fails the test where they cannot be read. */
void interpreter_tables(pid_t pid, u64 ret_words[INTERPRETER_POINTERS]);
