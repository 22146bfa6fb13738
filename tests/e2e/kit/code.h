/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Are there breakpoints in a process? */
#include <sys/types.h>

/*
 * How many bytes of a process's executable mappings of files with `name` in their path differ from the file, as the process sees it:
 * breakpoints, and nothing else, since such code needs no relocation.
 */
unsigned int code_changes(pid_t pid, const char *name);
