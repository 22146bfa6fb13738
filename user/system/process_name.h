/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Running processes by the name that people know them by. */
#include "system/pid_list.h"

/*
 * Those whose name in /proc/PID/comm is `name`, or the name of whose program's file is; heaptap itself, and processes that have ended, are
 * none. The largest in memory comes first. 0, with an empty list if there is none, or negative errno.
 */
int process_name_find(const char *name, struct pid_list *ret_list);
