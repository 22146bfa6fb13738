/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_BY_EXECUTABLE_H
#define RECORD_BY_EXECUTABLE_H
/* Executables whose processes are merged. */
#include "record/merged_rows.h"

#define EXECUTABLES_MAX 4096 /* further ones share the last row */

/* The row for the process's executable, made when it is the first. NULL: no memory. */
struct merged_row *by_executable_get(struct merged_rows *rows, const struct profile *profile);

/* What to call a process of that name: a program can give itself names without end, so after some it is "other". */
const char *by_executable_comm(struct merged_row *row, const char *comm);

#endif
