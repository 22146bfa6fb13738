/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What heaptap has from the process that started it, and changes for itself alone. COMMAND gets it back as it was.
 *
 *   SIGPIPE, SIGXFSZ   ignored: a reader that has gone and a limit on files are errors of write(2), which does not end
 *                      a recording before its files are written
 *   SIGCHLD            its default: a parent that ignores it has the kernel reap children, whose exit status is lost then
 *   descriptors 0-2    /dev/null where they are closed
 *   RLIMIT_NOFILE      as high as it may be: every mapped file stays open; the usual soft limit only serves callers of
 *                      select(), which is not used here
 *   oom_score_adj      where CAP_SYS_RESOURCE is there: a recording is to outlive the process whose growth it shows
 */

/* The first thing that the program does. */
void inheritance_change(void);

/*
 * Ask the kernel to choose other processes first when memory runs out: for a recording, which keeps within bounds, not for what
 * reads files. Nothing where that is not allowed.
 */
void inheritance_survive(void);

/* COMMAND gets /dev/null as its standard input, output and error: a screen has the terminal. 0 or negative errno. */
int inheritance_silence(void);

/* In a child, before its exec: system calls only. Nothing where inheritance_change was not called. */
void inheritance_restore(void);
