/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* An open file given to another process, through a borrowed thread of it: a socket pair is made there, and one end taken from it. */
#include "system/borrowed_thread.h"

/*
 * *ret_fd: the descriptor that `fd` is there, to be closed on exec. 0; -EXDEV: the thread has a table of descriptors of its own; what a
 * call there has failed with, or negative errno of borrowed_thread_call.
 */
int passed_file_give(struct borrowed_thread *borrowed, int fd, int *ret_fd);

/* Close it there. */
void passed_file_close(struct borrowed_thread *borrowed, int fd);
