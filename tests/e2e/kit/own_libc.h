/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A target with a C library and a loader of the scene's own, which no other process maps and a test may remove. */
#include "session.h"

/* target_leak as `program`, beside its libc.so.6 and ld-linux-x86-64.so.2: in the scene's directory, unless they are there. */
void own_libc_install(const struct scene *scene);

/* Words that run it: valid until the next call. The kernel calls it by its loader's name. */
const char *const *own_libc_argv(const struct scene *scene);
