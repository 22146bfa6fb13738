/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Records a program under the shim at interval 1 and compares what heaptap wrote with the shim's log of the same run.
 */
#include "session.h"

/*
 * Run `argv` (NULL-terminated; argv[0] a full path) as COMMAND, or attach to it before its first byte of work, and
 * compare in total and per calling address. `rung` forces a way of attaching (session, multi, perf); NULL: heaptap
 * chooses.
 */
void exact_command(struct scene *scene, const char *rung, const char *const *argv);
void exact_attach(struct scene *scene, const char *rung, const char *const *argv);
