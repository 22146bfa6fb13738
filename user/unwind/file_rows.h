/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The rows of struct unwind_file, by which the programs find the table of a file that no list of mappings told them. */
#include <sys/types.h>

#include "include/config.h"
#include "include/unwind.h"

/*
 * Enter the file, or what is known of it by now, into `rows`, UNWIND_FILES_MAX of them. Device and inode as /proc/PID/maps shows them.
 * False: there is no room near its place, so stacks through it are sent raw while the list is not there.
 */
bool file_rows_enter(struct unwind_file *rows, dev_t device, ino_t inode, u64 table_and_flags);

/* Nothing is known of the file any longer; it need not be there. */
void file_rows_remove(struct unwind_file *rows, dev_t device, ino_t inode);
