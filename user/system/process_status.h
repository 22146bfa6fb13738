/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Fields of /proc/TID/status (proc(5)). They are read line by line: the groups of a process, which stand before most of them, may be
 * 65536 (NGROUPS_MAX) and take more than half a MiB, so a buffer of a fixed size would cut off what comes behind.
 */
#include <sys/types.h>

#define STATUS_VALUE 384 /* room for a number in each of 32 PID namespaces, which is the most that can be nested */

/* The key has its colon, as "Tgid:". The value is what stands behind that, from the tabulator on, without the newline; "": there is no such line. */
struct status_field {
	const char *key;
	char value[STATUS_VALUE];
};

/* Fills in the values of `count` fields. 0, -ESRCH where there is no such thread, or another negative errno: then all are "". */
int process_status_read(pid_t tid, struct status_field *fields, unsigned int count);
