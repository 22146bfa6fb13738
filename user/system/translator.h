/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Programs that run another program by translating its code: valgrind, qemu's user mode, DynamoRIO, Pin, Frida. A
 * breakpoint that the kernel puts into code that such a process maps is translated like any instruction. The kernel
 * does not know the address at which it then traps, and the translated program dies.
 */
#include <sys/types.h>

#include "include/types.h"

struct mapped_by_file;
struct pid_list;

/* Which of them an executable is by its path: "valgrind"; NULL: none that is known. Also that which starts one. */
const char *translator_named(const char *path);

/*
 * Which one runs the process, by its executable or a file that it maps; *ret_name NULL: none that is known, or it has gone, or may not be
 * looked at. 0; negative errno: it could not be looked at, so that it may be any.
 */
int translator_of(pid_t pid, const char **ret_name);

/*
 * The same for one that has just executed `exe`, which alone decides: no mapping tells yet. NULL: what it executed could not be noted, and
 * the process is asked.
 */
int translator_executed(pid_t pid, const char *exe, const char **ret_name);

/* All processes that one runs. 0 or negative errno: some could not be looked at. As long as a scan of all mappings, see mapped_by.h. */
int translator_list(struct pid_list *ret_list);

/* Does a process map the file in any way? qemu does not map the code that it translates as code. 1, 0 or negative errno, as above. */
int translator_maps(pid_t pid, const struct mapped_by_file *file);
