/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Processes that pay for a recording and are not in it. */
#include <stdbool.h>

struct tracer;

/*
 * How many processes are not traced, but map files under unfiltered links, and so pay tracer_pair_ns() for each malloc and
 * free, or with `throwing` half of it for each operator new. *ret_files: files under such links. 0, or negative errno: the processes cannot
 * be counted, *ret_files is right all the same.
 */
int payers_count(const struct tracer *tracer, bool throwing, unsigned int *ret_files, unsigned int *ret_processes);
