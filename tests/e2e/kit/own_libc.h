/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A target with a C library and a loader of the scene's own, which no other process maps and a test may remove. */
#include "session.h"

/* target_leak as `program`, beside its libc.so.6 and ld-linux-x86-64.so.2: in the scene's directory, unless they are there. */
void own_libc_install(const struct scene *scene);

/* Words that run it: valid until the next call. The kernel calls it by its loader's name. */
const char *const *own_libc_argv(const struct scene *scene);

/*
 * Start target_churn, which allocates 20 000 times a second until it is killed, with a fresh copy of libc.so.6: what other
 * recordings do to the machine's, and take out of it, does not show there. It may be started again.
 */
void own_libc_churn(struct scene *scene);

/* Breakpoints in its libc.so.6. */
unsigned int own_libc_breakpoints(const struct scene *scene);
