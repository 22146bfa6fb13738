/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Text that is printed at the end of a recording, kept until then in a file without a name: each program that a process
 * execs leaves a page of it, and a process may exec without end.
 */
#include <stdbool.h>
#include <stdio.h>

/* In the file system of directory `dir`, else where temporary files go; NULL: in neither. fclose drops the text. */
FILE *spool_open(int dir);

/* Make sure of what was printed since it had `whole` bytes. False: there is no room, and the spool has `whole` bytes again. */
bool spool_keep(FILE *spool, off_t whole);

/* Copy all of it to `out` and close it. 0, or the negative errno of what kept it from being read. */
int spool_print(FILE *spool, FILE *out);
