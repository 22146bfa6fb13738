/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What heaptap may not look at in a traced process, or cannot open: which capability is missing, or which limit is
 * reached, and what to do.
 */
#include <sys/types.h>

#include "probe/unopened.h"

#define DENIAL_TEXT_MAX 512

/*
 * Why a mapped file of the process could not be opened, with the next step, to follow "cannot be opened: "; into `text`,
 * which is returned. `err`: with which it failed.
 */
const char *denial_explain_file(pid_t pid, int err, char text[DENIAL_TEXT_MAX]);

/* The same of a process whose mappings may not be read (-EACCES, -EPERM). */
const char *denial_explain_process(char text[DENIAL_TEXT_MAX]);

/*
 * The same of copies of COMMAND's files, for which a mount, their owners and their modes take a capability each; to follow "because" (-EPERM).
 */
const char *denial_explain_copies(char text[DENIAL_TEXT_MAX]);

/* Say that the first of these files cannot be opened, where a right is missing: those that were deleted are the process's own affair. */
void denial_say(const struct unopened *denied);

/* STATUS_UNSUPPORTED where capabilities are missing for that, else STATUS_NO_TARGET; STATUS_FAILED for a shortage. */
int denial_status(pid_t pid, int err);
